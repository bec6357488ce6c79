#include <fulgurite/propagator/baggage.hpp>
#include <fulgurite/propagator/propagator.hpp>

#include "fields.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace fg = fulgurite;
using fg::baggage_propagator;

static_assert(fg::check_propagator<baggage_propagator>());

namespace {

fg::baggage read(std::string_view text) { return baggage_propagator::from_header(text); }
std::string write(fg::baggage const& bag) { return baggage_propagator::to_header(bag); }

/// The decoded value of a header's only member, or that there is none.
std::string value_of(std::string const& text) {
  const fg::baggage bag = read("k=" + text);
  return bag.get("k") ? std::string(*bag.get("k")) : "(none)";
}

/// Keeps what the library's log says while it lives.
struct said_log {
  std::string text;
  said_log() {
    fg::set_log_handler([this](fg::log_level, std::string_view message) { text += message; });
  }
  ~said_log() { fg::set_log_handler({}); }
};

const std::string replacement = "\xef\xbf\xbd";

}  // namespace

TEST_CASE("the specification's examples") {
  const fg::baggage bag =
      read("key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue");
  REQUIRE(bag.size() == 3);
  CHECK(bag.get("key1") == "value1");
  CHECK(bag.begin()->metadata == "property1;property2");
  CHECK(bag.get("key2") == "value2");
  CHECK(bag.get("key3") == "value3");
  CHECK(std::prev(bag.end())->metadata == "propertyKey=propertyValue");
  CHECK(read("userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false") ==
        fg::baggage{{"userId", "Am\xc3\xa9lie"}, {"serverNode", "DF 28"}, {"isProduction", "false"}});
}

TEST_CASE("blanks around members, keys and values are dropped; empty members are skipped") {
  CHECK(read(" a\t=\t1 ,,  , b = 2 ;p ; q ,") == read("a=1,b=2;p ; q"));
  CHECK(std::prev(read("a=1, b = 2 ;\tp ; q\t").end())->metadata == "p ; q");
  CHECK(read("").empty());
  CHECK(read(" , ,\t").empty());
}

TEST_CASE("a value may be empty and may contain equals signs") {
  CHECK(value_of("").empty());
  CHECK(value_of(";p").empty());
  CHECK(value_of("a=b==") == "a=b==");
}

TEST_CASE("of equal keys the last counts") { CHECK(read("a=1,b=2,a=3") == fg::baggage{{"a", "3"}, {"b", "2"}}); }

TEST_CASE("a malformed member is skipped, the others count") {
  for (const char* bad : {"x", "=", "=1", "x y=1", "x(=1", "\"x\"=1", "x=a b", "x=\"a\"", "x=a\\b", "x=\xc3\xa9",
                          "\xc3\xa9=1", "x=\x01", "x=\x7f", ";p=1", "x;p=1"}) {
    CAPTURE(bad);
    CHECK(read(std::string("a=1,") + bad + ",b=2") == fg::baggage{{"a", "1"}, {"b", "2"}});
  }
}

TEST_CASE("every octet of keys and values is as the specification says") {
  const std::string token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const std::string text{'x', c, 'y'};
    CAPTURE(i);
    CHECK((read(text + "=1").get(text) == "1") == (token.find(c) != std::string::npos));
    const bool value = i == 0x21 || (i >= 0x23 && i <= 0x2b) || (i >= 0x2d && i <= 0x3a) || (i >= 0x3c && i <= 0x5b) ||
                       (i >= 0x5d && i <= 0x7e);
    if (c != ',' && c != ';') CHECK((value_of(text) == text) == value);
    // Whatever the value is, writing and reading gives it back when it is UTF-8.
    const std::string written = write({{"k", text}});
    CHECK((written == "k=" + text) == (value && c != '%'));
    CHECK(read(written).get("k") == (i < 0x80 ? text : "x" + replacement + "y"));
  }
}

TEST_CASE("percent-encoding") {
  CHECK(value_of("%41%2c%3B%3d%25") == "A,;=%");
  CHECK(value_of("%E2%82%AC") == "\xe2\x82\xac");
  CHECK(value_of("%e2%82%ac") == "\xe2\x82\xac");
  CHECK(value_of("%2541") == "%41");
  CHECK(value_of("100%") == "100%");
  CHECK(value_of("%4") == "%4");
  CHECK(value_of("%zz%4g") == "%zz%4g");
  CHECK(value_of("a+b") == "a+b");  // not a form
  CHECK(value_of("%00") == std::string(1, '\0'));
  CHECK(write({{"k", "\"Am\xc3\xa9lie\", 100%"}}) == "k=%22Am%C3%A9lie%22%2C%20100%25");
  CHECK(read("k%41=1").get("k%41") == "1");  // keys are not decoded
}

TEST_CASE("bad UTF-8 becomes U+FFFD, one for each maximal part") {
  // The examples of Unicode 15, tables 3-8 to 3-11.
  CHECK(value_of("%C0%AF%E0%80%BF%F0%81%82%41") == replacement + replacement + replacement + replacement + replacement +
                                                       replacement + replacement + replacement + "A");
  CHECK(value_of("%ED%A0%80%ED%BF%BF%ED%AF%41") == replacement + replacement + replacement + replacement + replacement +
                                                       replacement + replacement + replacement + "A");
  CHECK(value_of("%F4%91%92%93%FF%41%80%BF%42") ==
        replacement + replacement + replacement + replacement + replacement + "A" + replacement + replacement + "B");
  CHECK(value_of("%E1%80%E2%F0%91%92%F1%BF%41") == replacement + replacement + replacement + replacement + "A");
  CHECK(value_of("a%E2%82") == "a" + replacement);
  CHECK(value_of("%F0%9F%98%80%f4%8f%bf%bf%ED%9F%BF%c2%80") == "\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xc2\x80");
}

TEST_CASE("64 members are carried, the others are left out whole, and the log says so") {
  fg::baggage bag;
  for (int i = 0; i < 70; ++i) bag.set("k" + std::to_string(i), "v");
  said_log said;
  const std::string text = write(bag);
  CHECK(said.text.find("64 entries in 8192 bytes") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), ',') == 63);
  CHECK(read(text).size() == 64);
  CHECK(read(text + ",one=more").size() == 64);
  CHECK(read(text).get("k63") == "v");
}

TEST_CASE("8192 bytes are carried; a member is never cut") {
  const std::string value(4093, 'x');
  const fg::baggage fits{{"a", value}, {"b", value + "x"}};
  const std::string text = write(fits);
  CHECK(text.size() == 8192);
  CHECK(read(text) == fits);
  fg::baggage over = fits;
  over.set("c", "1");
  CHECK(write(over) == text);
  CHECK(read(text + ",c=1") == fits);
  // One that is too long is left out, a shorter one after it still goes.
  CHECK(write({{"a", std::string(8191, 'x')}, {"b", "2"}}) == "b=2");
  CHECK(read("a=" + std::string(8191, 'x') + ",b=2") == fg::baggage{{"b", "2"}});
  CHECK(write({{"a", std::string(8190, 'x')}}).size() == 8192);
  // It is the encoded size that counts.
  CHECK(write({{"a", std::string(3000, ' ')}}).empty());
}

TEST_CASE("nothing that is written can end the header") {
  fg::baggage bag{{"bad key", "1"}, {"k\r\nevil", "1"}, {"v", "1\r\nevil: 1"}};
  bag.set("m", "1", "p\r\nevil: 1");
  bag.set("n", "1", "p,other=1");
  bag.set("o", "1", "p;q= \"x\"");
  CHECK(write(bag) == "v=1%0D%0Aevil:%201,m=1,n=1,o=1;p;q= \"x\"");
}

TEST_CASE("properties are passed on as they came") {
  CHECK(write(read("a=1;p1; p2 = x,b=2;")) == "a=1;p1; p2 = x,b=2");
}

TEST_CASE("several baggage headers are joined; without baggage nothing is written") {
  const fg::context context = extracted(baggage_propagator(), {{"Baggage", "a=1"}, {"baggage", "b=2"}});
  CHECK(context.baggage() == fg::baggage{{"a", "1"}, {"b", "2"}});
  CHECK_FALSE(context.span().is_valid());
  CHECK(injected(baggage_propagator(), context) == field_list{{"baggage", "a=1,b=2"}});
  CHECK(injected(baggage_propagator(), fg::context()).empty());
  CHECK(extracted(baggage_propagator(), {{"other", "a=1"}}).baggage().empty());
  CHECK(injected(baggage_propagator(), fg::context(fg::span_context(), {{"bad key", "1"}})).empty());
}
