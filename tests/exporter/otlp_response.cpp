#include <fulgurite/exporter/otlp_response.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace fulgurite::detail;

TEST_CASE("partial success") {
  const otlp_response response = parse_otlp_response(
      "\x0a\x09\x08\xac\x02\x12\x04"
      "text");
  CHECK(response.rejected == 300);
  CHECK(response.message == "text");
  CHECK(parse_otlp_response("").rejected == 0);
  // -1
  CHECK(parse_otlp_response("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").rejected == 0);
  // Unknown fields of every wire type stand around it.
  const std::string_view unknown(
      "\x10\x05\x19"
      "12345678"
      "\x22\x01x\x2d"
      "1234"
      "\x0a\x02\x08\x07",
      23);
  CHECK(parse_otlp_response(unknown).rejected == 7);
}

TEST_CASE("errors, as protobuf and as text") {
  CHECK(parse_error_body("\x08\x03\x12\x05"
                         "wrong",
                         "application/x-protobuf") == "wrong");
  CHECK(parse_error_body("", "application/x-protobuf").empty());
  CHECK(parse_error_body("<html>\r\n\x1b[2J\xff", "text/html") == "<html>   [2J\xef\xbf\xbd");
  CHECK(parse_error_body(std::string(1000, 'x'), "").size() == 303);
}

TEST_CASE("nothing malformed does harm") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string data(random() % 40, '\0');
    for (char& c : data) c = static_cast<char>(random() % 3 == 0 ? random() : random() % 32);
    const otlp_response response = parse_otlp_response(data);
    CHECK(response.message.size() <= 1000);
    static_cast<void>(parse_error_body(data, "application/x-protobuf"));
  }
}

TEST_CASE("partial success in JSON") {
  using fulgurite::detail::parse_otlp_json_response;
  CHECK(parse_otlp_json_response("{}").rejected == 0);
  CHECK(parse_otlp_json_response(R"({"partialSuccess":{}})").rejected == 0);
  const auto text =
      parse_otlp_json_response(R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"too\u0007 old"}})");
  CHECK(text.rejected == 3);
  CHECK(text.message == "too  old");
  CHECK(parse_otlp_json_response(R"({"partialSuccess":{"rejectedSpans":4}})").rejected == 4);
  for (const char* const odd :
       {"", "[]", "null", "{", R"({"partialSuccess":7})", R"({"partialSuccess":{"rejectedSpans":-1}})",
        R"({"partialSuccess":{"rejectedSpans":"99999999999999999999999"}})"}) {
    CAPTURE(odd);
    CHECK(parse_otlp_json_response(odd).rejected == 0);
  }
}

TEST_CASE("secrets are taken out of what a backend quotes") {
  using fulgurite::detail::without_texts;
  CHECK(without_texts("no: Bearer s3cret, s3cret", {"s3cret"}) == "no: Bearer ********, ********");
  CHECK(without_texts("a b", {"", "b"}) == "a b");  // too short to be one, and to be told from words
  CHECK(without_texts("********", {"****"}) == "****************");
  // Cut in the middle, as for_log does.
  CHECK(without_texts("no: Bearer s3cr...", {"s3cret"}) == "no: Bearer ********...");
  CHECK(without_texts("no: Bearer s3c...", {"s3cret"}) == "no: Bearer s3c...");
  CHECK(without_texts("no: Bearer s3cr", {"s3cret"}) == "no: Bearer s3cr");
  const std::vector<std::pair<std::string, std::string>> headers{{"x-key", "k3y.k3y"},
                                                                 {"authorization", "Basic dXNlcg"}};
  CHECK(fulgurite::detail::without_header_values("k3y.k3y Basic dXNlcg dXNlcg", headers) ==
        "******** ******** ********");
}
