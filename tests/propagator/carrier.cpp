#include <fulgurite/propagator/carrier.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using fg::detail::carrier_getter;
using fg::detail::carrier_setter;

namespace {

using string_map = std::map<std::string, std::string>;
using pairs = std::vector<std::pair<std::string, std::string>>;

/// The order of httplib::Headers.
struct without_case {
  bool operator()(std::string const& a, std::string const& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      return fg::detail::lower_case(x) < fg::detail::lower_case(y);
    });
  }
};
using headers = std::multimap<std::string, std::string, without_case>;

/// Shows its fields from texts that are gone afterwards.
struct lister {
  pairs fields;
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (auto const& [key, value] : fields) visit(std::string(key), std::string(value));
  }
};

struct function_lister {
  void for_each(std::function<void(std::string_view, std::string_view)> const& visit) { visit("A", "1"); }
};

template <class Carrier>
std::string get(Carrier&& carrier, std::string_view key) {
  carrier_getter getter(carrier);
  const std::optional<std::string_view> found = getter(key);
  return found ? std::string(*found) : "(none)";
}

}  // namespace

static_assert(fg::inject_carrier<string_map> && fg::inject_carrier<string_map&>);
static_assert(fg::inject_carrier<std::unordered_map<std::string, std::string>>);
static_assert(fg::inject_carrier<std::multimap<std::string, std::string>> && fg::inject_carrier<headers>);
static_assert(fg::inject_carrier<pairs>);
static_assert(fg::inject_carrier<void (*)(std::string_view, std::string_view)>);
static_assert(fg::inject_carrier<std::function<void(std::string const&, std::string const&)>>);
static_assert(!fg::inject_carrier<string_map const&>);
static_assert(!fg::inject_carrier<std::map<int, std::string>>);
static_assert(!fg::inject_carrier<std::map<std::string, int>>);
static_assert(!fg::inject_carrier<std::string> && !fg::inject_carrier<int> && !fg::inject_carrier<void (*)()>);

static_assert(fg::extract_carrier<string_map> && fg::extract_carrier<string_map const&>);
static_assert(fg::extract_carrier<std::unordered_map<std::string, std::string> const>);
static_assert(fg::extract_carrier<headers const> && fg::extract_carrier<pairs const>);
static_assert(fg::extract_carrier<std::map<std::string, std::string_view>>);
static_assert(fg::extract_carrier<lister const> && fg::extract_carrier<function_lister>);
static_assert(fg::extract_carrier<std::optional<std::string> (*)(std::string_view)>);
static_assert(fg::extract_carrier<const char* (*)(std::string const&)>);
static_assert(!fg::extract_carrier<std::map<int, std::string>> && !fg::extract_carrier<std::map<std::string, int>>);
static_assert(!fg::extract_carrier<std::vector<std::string>> && !fg::extract_carrier<int>);
static_assert(!fg::extract_carrier<int (*)(std::string_view)>);

TEST_CASE("keys are equal without case, in ASCII alone") {
  CHECK(fg::detail::equal_ignoring_case("TraceParent", "traceparent"));
  CHECK(fg::detail::equal_ignoring_case("", ""));
  CHECK_FALSE(fg::detail::equal_ignoring_case("a", "ab"));
  CHECK_FALSE(fg::detail::equal_ignoring_case("a-b", "a_b"));
  CHECK_FALSE(fg::detail::equal_ignoring_case("@", "`"));  // 0x20 apart, and no letters
  CHECK_FALSE(fg::detail::equal_ignoring_case("[", "{"));
  CHECK_FALSE(fg::detail::equal_ignoring_case("\xc3\x89", "\xc3\xa9"));
}

TEST_CASE_TEMPLATE("a field is set, and replaces one in another case", Carrier, string_map, headers, pairs,
                   std::unordered_map<std::string, std::string>, std::multimap<std::string, std::string>) {
  Carrier carrier;
  const carrier_setter set(carrier);
  set("other", "x");
  set("TraceParent", "1");
  set("traceparent", "2");
  CHECK(carrier.size() == 2);
  CHECK(get(carrier, "TRACEPARENT") == "2");
  CHECK(get(carrier, "other") == "x");
}

TEST_CASE("setting replaces all the fields of a key") {
  headers carrier{{"Baggage", "a=1"}, {"baggage", "b=2"}, {"x", "y"}};
  carrier_setter{carrier}("baggage", "c=3");
  CHECK(carrier == headers{{"baggage", "c=3"}, {"x", "y"}});
}

TEST_CASE("a function is called with each field") {
  pairs called;
  auto by_view = [&](std::string_view key, std::string_view value) { called.emplace_back(key, value); };
  carrier_setter{by_view}("a", "1");
  auto by_string = [&](std::string const& key, std::string value) { called.emplace_back(key, value); };
  carrier_setter{by_string}("b", "2");
  const std::function<void(std::string, std::string)> function = by_string;
  carrier_setter{function}("c", "3");
  CHECK(called == pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}});
}

TEST_CASE_TEMPLATE("a field is found without case", Carrier, string_map, headers, pairs,
                   std::unordered_map<std::string, std::string>, const string_map) {
  Carrier carrier{{"Content-Type", "text"}, {"TraceParent", "00-1"}};
  CHECK(get(carrier, "traceparent") == "00-1");
  CHECK(get(carrier, "tracestate") == "(none)");
}

TEST_CASE("a field that is there once is not copied") {
  const string_map carrier{{"A", "1"}};
  carrier_getter getter(carrier);
  CHECK(getter("a")->data() == carrier.at("A").data());
}

TEST_CASE("equal keys are joined in their order, an empty value is a value") {
  const pairs list{{"a", "1"}, {"b", ""}, {"A", "2"}, {"a", ""}, {"a", "3"}};
  CHECK(get(list, "a") == "1,2,,3");
  CHECK(get(list, "b").empty());
  CHECK(get(lister{list}, "a") == "1,2,,3");
  CHECK(get(lister{list}, "b").empty());
  const headers multi{{"tracestate", "a=1"}, {"TraceState", "b=2"}};
  CHECK(get(multi, "tracestate") == "a=1,b=2");
}

TEST_CASE("what a getter returned stays while others are read") {
  const lister carrier{{{"a", "a value long enough to lie on the heap"}, {"b", "2"}, {"B", "3"}}};
  carrier_getter getter(carrier);
  const std::string_view a = *getter("a"), b = *getter("b"), again = *getter("a");
  CHECK(a == "a value long enough to lie on the heap");
  CHECK(b == "2,3");
  CHECK(again == a);
}

TEST_CASE("functions may return views, strings or pointers") {
  const std::string text = "a value long enough to lie on the heap";
  const auto view = [&](std::string_view key) {
    return key == "a" ? std::optional<std::string_view>(text) : std::nullopt;
  };
  const auto string = [&](std::string const& key) { return key == "a" ? std::optional(text) : std::nullopt; };
  const auto pointer = [&](std::string_view key) { return key == "a" ? text.c_str() : nullptr; };
  CHECK(get(view, "a") == text);
  CHECK(get(view, "b") == "(none)");
  CHECK(get(string, "a") == text);
  CHECK(get(string, "b") == "(none)");
  CHECK(get(pointer, "a") == text);
  CHECK(get(pointer, "b") == "(none)");
  carrier_getter getter(view);
  CHECK(getter("a")->data() == text.data());
}

TEST_CASE("fields can be listed where the carrier can") {
  const pairs fields{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  pairs seen;
  const auto visit = [&](std::string_view key, std::string_view value) { seen.emplace_back(key, value); };
  CHECK(carrier_getter{fields}.for_each(visit));
  CHECK(seen == fields);
  seen.clear();
  const lister shown{fields};
  CHECK(carrier_getter{shown}.for_each(visit));
  CHECK(seen == fields);
  const auto function = [](std::string_view) { return std::optional<std::string_view>("x"); };
  CHECK_FALSE(carrier_getter{function}.for_each(visit));
  function_lister other;
  CHECK(get(other, "a") == "1");
}
