#include <fulgurite/processor/redaction/credentials.hpp>

#include "finding.hpp"

namespace fg = fulgurite;
using fulgurite_test::check_found;
using fulgurite_test::check_nothing;

namespace {
constexpr auto url = check_found<fg::url_detector>;
constexpr auto no_url = check_nothing<fg::url_detector>;
constexpr auto authorization = check_found<fg::authorization_detector>;
constexpr auto no_authorization = check_nothing<fg::authorization_detector>;
}  // namespace

TEST_CASE("credentials in URLs") {
  url("https://user:pass@host", {"user:pass"});
  url("postgres://app:s3cr3t@db.internal:5432/orders?sslmode=require", {"app:s3cr3t"});
  url("amqp://:pw@h/, redis://:pw2@h", {":pw", ":pw2"});
  url("mongodb://u:p@a:1,b:2/db", {"u:p"});
  url("https://ghp_token@github.com/a/b.git", {"ghp_token"});
  url("ssh://user:pass@host", {"user:pass"});
  url("jdbc:mysql://root:pw@host/db", {"root:pw"});
  url("http://u:p%40ss@h/x@y", {"u:p%40ss"});
  url("http://jane@example.com:pw@h/", {"jane@example.com:pw"});
  url("redis://u:pa/ss@host/0", {"u:pa/ss"});
  url(R"({"a":"https:\/\/u:p@h\/x"})", {"u:p"});
  url("<a href=\"ftp://u:p@h\">", {"u:p"});
}

TEST_CASE("URLs without credentials") {
  for (const char* text :
       {"https://host/path", "http://host:8080/path/user@x", "https://host/?mail=jane@example.com",
        "https://host#a:b@c", "ssh://git@github.com/a/b", "git+ssh://git@github.com/a", "sftp://jane@host/x",
        "git@github.com:a/b.git", "user:pass@host", "http://[::1]:80/@", "see http://a b:c@d", "http://@host",
        "http://host:8080", "://", "a://", "https://", "std::string@x//", "http://host:80"})
    no_url(text);
}

TEST_CASE("HTTP's authorization") {
  authorization("Bearer abcdef123456", {"abcdef123456"});
  authorization("bearer  mF_9.B5f-4.1JqM", {"mF_9.B5f-4.1JqM"});
  authorization("header: BEARER secrettoken, x", {"secrettoken"});
  authorization("q=Bearer%20abcdef123456&x", {"abcdef123456"});
  authorization("Basic dXNlcjpwYXNz", {"dXNlcjpwYXNz"});
  authorization("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== and more", {"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="});
  authorization("GET /\nAuthorization: Basic abc\nHost: h", {"abc"});
  authorization("authorization=Token xyz", {"xyz"});
  authorization("Proxy-Authorization: Digest username=\"u\", response=\"r\"\r\nX: y",
                {"username=\"u\", response=\"r\""});
  authorization("Authorization: AWS4-HMAC-SHA256 Credential=a, Signature=b",
                {"AWS4-HMAC-SHA256 Credential=a, Signature=b"});
  authorization(R"({"Authorization":"Bearer x","b":1})", {"x"});
  authorization(R"({\"authorization\": \"Bearer xy\", ...})", {"xy\\"});
  authorization("{'authorization': ['Bearer x']}", {"x"});
  authorization("curl -H 'Authorization: Bearer x' http://h", {"x"});
  authorization("HTTP_AUTHORIZATION=Bearer x", {"x"});
  authorization("authorization: raw-key", {"raw-key"});
}

TEST_CASE("words that look like it") {
  for (const char* text :
       {"Bearer authentication is used", "the bearer of news", "bearer", "bearer ", "Bearer realm=\"x\"",
        "standardbearer abcdef123456", "basic understanding of things", "Basic authentication", "basic YWJj", "Basic",
        "authorization failed for bob", "authorization", "authorization:", "authorization: ", "authorization_code=1",
        "reauthorization: x", "Visual Basic: easy"})
    no_authorization(text);
}

static_assert(fg::url_detector::find("a://b:c@d", 0) == fg::text_range{4, 7});
