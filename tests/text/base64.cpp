#include <fulgurite/text/base64.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

using namespace fulgurite::detail;

namespace {
std::string base64(std::string_view octets) {
  std::string out;
  append_base64(out, octets);
  return out;
}
}  // namespace

// RFC 4648, section 10.
TEST_CASE("base64") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xef\xbe") == "/+++");
}

TEST_CASE("read, with and without padding") {
  std::mt19937_64 random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string octets(size, '\0');
    for (char& c : octets) c = static_cast<char>(random());
    const std::string text = base64(octets);
    CHECK(base64_decoded(text) == octets);
    CHECK(base64_decoded(text.substr(0, text.find('='))) == octets);
  }
  for (const char* wrong :
       {"A", "AAAAA", "A===", "AA=", "AAA==", "AA===", "=", "A=AA", "AA-A", "AA_A", "AA A", "AA\n="})
    CHECK(!base64_decoded(wrong));
}
