#include <fulgurite/text/flat_json.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace fulgurite::detail;

TEST_CASE("the text members of an object") {
  const auto read = read_flat_json(
      " {\"a\" : \"1\" ,\"n\":-1.5e+3,\"b\":true,\"o\":{\"a\":\"inner\",\"x\":[1,{}, [ ],\"s\"]},\"z\":null,\r\n"
      "\t\"a\":\"again\",\"e\":\"\"} ");
  REQUIRE(read);
  CHECK(*read == text_members{{"a", "1"}, {"a", "again"}, {"e", ""}});
  CHECK(find_member(*read, "a") == "1");
  CHECK(find_member(*read, "x").empty());
  CHECK(read_flat_json("{}") == text_members{});
}

TEST_CASE("escapes") {
  CHECK(json_text_member(R"({"\u0061":"\"\\\/\b\f\n\r\t"})", "a") == "\"\\/\b\f\n\r\t");
  CHECK(json_text_member(R"({"a":"\u0041\u00e9\u20AC\ud83d\ude00"})", "a") == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  CHECK(json_text_member(R"({"a":"\u0000"})", "a") == std::string(1, '\0'));
}

TEST_CASE("one member") {
  CHECK(json_text_member("{\"a\":1, \"token\" : \"x.y-z\"}", "token") == "x.y-z");
  CHECK(json_text_member("{\"o\":{\"token\":\"x\"}}", "token").empty());
  CHECK(json_text_member("{\"token\":1}", "token").empty());
}

TEST_CASE("what is not one whole object") {
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100; ++i) deep += '[';
  for (int i = 0; i < 100; ++i) deep += ']';
  deep += '}';
  CHECK_FALSE(read_flat_json(deep));
  for (const char* wrong : {"",
                            " ",
                            "{",
                            "}",
                            "[]",
                            "\"token\"",
                            "{\"token\":",
                            "{\"token\":\"unended",
                            "{\"token\":\"x\"",
                            "{\"token\":\"x\",}",
                            "{token:\"x\"}",
                            "{\"token\" \"x\"}",
                            "{\"token\":\"x\"}}",
                            "{\"token\":\"x\"} x",
                            "{\"a\":01}",
                            "{\"a\":.5}",
                            "{\"a\":1.}",
                            "{\"a\":1e}",
                            "{\"a\":-}",
                            "{\"a\":+1}",
                            "{\"a\":tru}",
                            "{\"a\":[1,]}",
                            "{\"a\":[1}",
                            "{\"a\":{]}",
                            "{\"a\":\"\n\"}",
                            "{\"a\":\"\\x\"}",
                            "{\"a\":\"\\u12\"}",
                            "{\"a\":\"\\ud800\"}",
                            "{\"a\":\"\\udc00\"}",
                            "{\"a\":\"\\ud800\\u0041\"}",
                            "{\"a\":\"\\",
                            "{\"a\":'x'}",
                            "{\"a\":NaN}"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_flat_json(wrong));
  }
}

TEST_CASE("all members, those that are no text as they are written") {
  const auto members =
      fulgurite::detail::read_json_members(R"({"a": "1", "n": -2.5e3, "o": {"x": [1, "2"]}, "t":true})");
  REQUIRE(members);
  REQUIRE(members->size() == 4);
  CHECK((*members)[0].second == "1");
  CHECK((*members)[1].second == "-2.5e3");
  CHECK((*members)[2].second == R"({"x": [1, "2"]})");
  CHECK((*members)[3].second == "true");
  CHECK_FALSE(fulgurite::detail::read_json_members(R"({"a": {})"));
}
