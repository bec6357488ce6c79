#include <fulgurite/processor/redaction/email.hpp>

#include "finding.hpp"

namespace fg = fulgurite;

namespace {
constexpr auto email = fulgurite_test::check_found<fg::email_detector>;
constexpr auto no_email = fulgurite_test::check_nothing<fg::email_detector>;
}  // namespace

TEST_CASE("e-mail addresses") {
  email("jane@example.com", {"jane@example.com"});
  email("a@b.cc", {"a@b.cc"});
  email("To: Jane <jane.doe+tag@mail.example.co.uk>, x", {"jane.doe+tag@mail.example.co.uk"});
  email("jane@example.com.", {"jane@example.com"});
  email("a@x.org,b@y.org;c@z.org", {"a@x.org", "b@y.org", "c@z.org"});
  email("https://h/?email=jane%40example.com&x=1", {"jane%40example.com"});
  email("mailto:jane@example.com?subject=x", {"jane@example.com"});
  email("o'hara_1@163.com", {"o'hara_1@163.com"});
  email("j@xn--bcher-kva.example", {"j@xn--bcher-kva.example"});
  email(
      "j\xc3\xb6rg@b\xc3\xbc"
      "cher.de",
      {"j\xc3\xb6rg@b\xc3\xbc"
       "cher.de"});
  email("jane@[192.168.0.1]", {"jane@[192.168.0.1]"});
  email("{\"mail\":\"jane@example.com\"}", {"jane@example.com"});
  email("jane@example.com:8080", {"jane@example.com"});
  email("x@y@example.com", {"y@example.com"});
}

TEST_CASE("what is no address") {
  for (const char* text : {"user@host",
                           "ssh user@host uptime",
                           "git@github.com:org/repo.git",
                           "backup@nas.example.com:/srv/x",
                           "ssh://jane@host.example.com/x",
                           "lodash@4.17.21",
                           "pkg@1.2.3-rc1",
                           "@example.com",
                           "jane@",
                           "jane@.com",
                           "a @b.com",
                           "memcpy@@GLIBC_2.14",
                           "@app.route",
                           "100%40",
                           "jane@example.",
                           "jane@e.c",
                           "50% off.",
                           "@",
                           "%",
                           "jane@192.168.0.1",
                           "a@[]"})
    no_email(text);
}

static_assert(fg::email_detector::find("to a@b.cc", 0) == fg::text_range{3, 9});
