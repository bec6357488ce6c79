#include <fulgurite/context/trace_state.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fg = fulgurite;
using fg::trace_state;

static_assert(trace_state::is_valid_value("at compile time") && !trace_state::is_valid_value("not = allowed"));

namespace {

std::string read(std::string_view text) { return trace_state::from_header(text).to_header(); }

std::string members(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i != 0 ? ",k" : "k") + std::to_string(i) + "=" + std::to_string(i);
  return text;
}

}  // namespace

TEST_CASE("a well-formed list stays as it is") {
  for (std::string const& text : {std::string("a=1"), std::string("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
                                  std::string("fw529a3039@dt=FfffffX,0tenant@v=x,1_-*/@=y"), members(32)}) {
    CAPTURE(text);
    CHECK(read(text) == text);
  }
}

TEST_CASE("white space around members and empty members are dropped") {
  CHECK(read(" a=1 ,\tb=2\t") == "a=1,b=2");
  CHECK(read("a=1,,b=2") == "a=1,b=2");
  CHECK(read(",a=1, ,\t,b=2,") == "a=1,b=2");
  CHECK(read("").empty());
  CHECK(read(" , \t,").empty());
}

TEST_CASE("empty members do not count towards 32") {
  std::string text = members(32);
  text.insert(text.find(','), ",, ,");
  CHECK(read(text) == members(32));
}

TEST_CASE("33 members make the list empty, also when keys repeat") {
  CHECK(read(members(33)).empty());
  CHECK(read(members(32) + ",k0=again").empty());
}

TEST_CASE("leading spaces belong to the value, trailing ones do not") {
  CHECK(trace_state::from_header("a=  1 ,b=2").get("a") == "  1");
  CHECK(trace_state::from_header("a=1 2").get("a") == "1 2");
  CHECK(read("a=1  ") == "a=1");
}

TEST_CASE("one malformed member makes the list empty") {
  for (const char* bad : {"b",           "=",      "=2",     "b=",         "b= ",    "b=1=2", "b==",  "B=2",   "bB=2",
                          "b =2",        "b\t=2",  "_b=2",   "@b=2",       "-b=2",   "*b=2",  "/b=2", "b.c=2", "b:c=2",
                          "b\xc3\xa9=2", "b=\x01", "b=\x7f", "b=\xc3\xa9", "b=1\t2", "b=\t1", "b c=2"}) {
    CAPTURE(bad);
    CHECK(read(std::string("a=1,") + bad).empty());
    CHECK(read(std::string(bad) + ",a=1").empty());
  }
  CHECK(read(std::string("a=1,b=x\0y", 9)).empty());
}

TEST_CASE("keys and values have at most 256 characters") {
  const std::string longest(256, 'z'), too_long(257, 'z');
  CHECK(read(longest + "=1") == longest + "=1");
  CHECK(read("a=" + longest) == "a=" + longest);
  CHECK(read(too_long + "=1").empty());
  CHECK(read("a=" + too_long).empty());
  // Level 1's tenant form is within level 2's key.
  const std::string tenant = std::string(241, 't') + "@" + std::string(14, 'v');
  CHECK(read(tenant + "=1") == tenant + "=1");
}

TEST_CASE("every character of a value is allowed from 0x20 to 0x7e but comma and equals sign") {
  for (int c = 0; c < 256; ++c) {
    CAPTURE(c);
    const std::string value = std::string("x") + static_cast<char>(c) + "y";
    const bool allowed = c >= 0x20 && c <= 0x7e && c != ',' && c != '=';
    CHECK(trace_state::is_valid_value(value) == allowed);
    for (std::size_t size = 8; size < 20; ++size)  // eight are looked at at once
      for (std::size_t place = 0; place + 1 < size; ++place) {
        std::string long_value(size, 'x');
        long_value[place] = static_cast<char>(c);
        REQUIRE(trace_state::is_valid_value(long_value) == allowed);
      }
    const std::string key = std::string("x") + static_cast<char>(c);
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    CHECK(trace_state::is_valid_key(key) ==
          (letter_or_digit || c == '_' || c == '-' || c == '*' || c == '/' || c == '@'));
    CHECK(trace_state::is_valid_key(std::string(1, static_cast<char>(c))) == letter_or_digit);
  }
}

TEST_CASE("of equal keys the first is kept") {
  CHECK(read("a=1,b=2,a=3") == "a=1,b=2");
  CHECK(read("a=1,a=1") == "a=1");
  CHECK(read("ab=1,a=2,abc=3") == "ab=1,a=2,abc=3");
}

TEST_CASE("get finds a whole key only") {
  const auto state = trace_state::from_header("ab=1,a=2,b=a");
  CHECK(state.get("a") == "2");
  CHECK(state.get("ab") == "1");
  CHECK(state.get("b") == "a");
  CHECK(state.get("c").empty());
  CHECK(state.get("").empty());
  CHECK(state.get("ab=1").empty());
  CHECK(trace_state().get("a").empty());
}

TEST_CASE("set puts the entry in front, erase takes it out") {
  const auto state = trace_state::from_header("a=1,b=2,c=3");
  CHECK(state.set("b", "x").to_header() == "b=x,a=1,c=3");
  CHECK(state.set("d", "x").to_header() == "d=x,a=1,b=2,c=3");
  CHECK(trace_state().set("d", "x").to_header() == "d=x");
  CHECK(state.erase("a").to_header() == "b=2,c=3");
  CHECK(state.erase("b").to_header() == "a=1,c=3");
  CHECK(state.erase("x") == state);
  CHECK(trace_state::from_header("a=1").erase("a").empty());
}

TEST_CASE("set with a malformed key or value changes nothing") {
  const auto state = trace_state::from_header("a=1");
  CHECK(state.set("A", "x") == state);
  CHECK(state.set("", "x") == state);
  CHECK(state.set("b", "") == state);
  CHECK(state.set("b", "x,y") == state);
  CHECK(state.set("b", "x\r\nevil: 1") == state);
}

TEST_CASE("set on 32 members drops the right-most, but not when the key was there") {
  const auto state = trace_state::from_header(members(32));
  CHECK(state.set("new", "x").to_header() == "new=x," + members(31));
  const auto changed = state.set("k31", "x");
  CHECK(changed.to_header() == "k31=x," + members(31));
  CHECK(changed.get("k30") == "30");
}

TEST_CASE("shortened leaves out whole members: long ones first, then from the right") {
  const std::string long_one = "l=" + std::string(127, 'x'), long_two = "m=" + std::string(127, 'x');  // 129 characters
  const auto state = trace_state::from_header("a=1," + long_one + ",b=2," + long_two + ",c=3");
  const std::size_t size = state.to_header().size();
  CHECK(state.shortened(size) == state);
  CHECK(state.shortened(size - 1).to_header() == "a=1," + long_one + ",b=2,c=3");
  CHECK(state.shortened(100).to_header() == "a=1,b=2,c=3");
  CHECK(state.shortened(11).to_header() == "a=1,b=2,c=3");
  CHECK(state.shortened(10).to_header() == "a=1,b=2");
  CHECK(state.shortened(3).to_header() == "a=1");
  CHECK(state.shortened(2).empty());
  CHECK(trace_state().shortened(0).empty());
  // 128 characters are not more than 128: the right-most goes first.
  const std::string not_long = "l=" + std::string(126, 'x');
  CHECK(trace_state::from_header(not_long + ",b=2").shortened(130).to_header() == not_long);
}
