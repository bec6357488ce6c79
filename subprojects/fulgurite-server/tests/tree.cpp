#include "tree.hpp"

#include "text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

using namespace fulgurite_server;
using fulgurite::span_data;
using fulgurite::span_id;

namespace {

span_data span(std::uint64_t id, std::uint64_t parent, std::string name, std::int64_t start, std::int64_t end) {
  span_data result;
  result.name = std::move(name);
  result.trace_id = fulgurite::trace_id::from_numbers(1, 2);
  result.span_id = span_id::from_number(id);
  result.parent_span_id = span_id::from_number(parent);
  result.start_time = start;
  result.end_time = end;
  return result;
}

constexpr std::int64_t ms = 1'000'000, second = 1'000'000'000;

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t lines_of(std::string const& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("durations and times") {
  CHECK(format_duration(0) == "0 ns");
  CHECK(format_duration(999) == "999 ns");
  CHECK(format_duration(1000) == "1.00 µs");
  CHECK(format_duration(12'340) == "12.3 µs");
  CHECK(format_duration(999'499) == "999 µs");
  CHECK(format_duration(999'500) == "1.00 ms");
  CHECK(format_duration(1'234 * ms) == "1.23 s");
  CHECK(format_duration(119 * second) == "119 s");
  CHECK(format_duration(150 * second) == "2 min 30 s");
  CHECK(format_duration(9000 * second) == "2.5 h");
  CHECK(format_duration(-5 * ms) == "-5.00 ms");
  CHECK(format_time(1544712660123456789) == "2018-12-13 14:51:00.123 UTC");
  CHECK(format_time(-1) == "1969-12-31 23:59:59.999 UTC");
  CHECK(format_time(std::numeric_limits<std::int64_t>::max()) == "2262-04-11 23:47:16.854 UTC");
  CHECK(format_time(std::numeric_limits<std::int64_t>::min()) == "1677-09-21 00:12:43.145 UTC");
}

TEST_CASE("a tree") {
  auto resource = std::make_shared<fulgurite::resource>();
  resource->service_name = "checkout";
  std::vector<span_data> spans = {
      span(3, 1, "second child", 1500 * ms, 1600 * ms), span(4, 2, "grandchild", 1200 * ms, 1210 * ms),
      span(2, 1, "first child", 1100 * ms, 1300 * ms), span(1, 0, "root", 1000 * ms, 2000 * ms)};
  for (span_data& one : spans) one.resource = resource;
  spans[3].attributes = {{"order.id", 17}, {"note", "two\nlines"}};
  spans[2].kind = fulgurite::span_kind::client;
  spans[0].status = {fulgurite::status_code::error, "declined"};
  spans[0].events = {{"exception", 1550 * ms, {{"exception.type", "oops"}}}};
  spans[0].dropped_links_count = 2;
  CHECK(render_tree(spans, {.colours = false, .width = 60}) == R"(trace 00000000000000010000000000000002  checkout
1970-01-01 00:00:01.000 UTC · 1.00 s · 4 spans · 1 error

root ················································ 1.00 s
│  order.id=17  note=two\nlines
├─ first child [client] ····························· 200 ms
│  └─ grandchild ··································· 10.0 ms
└─ second child ····································· 100 ms
      error: declined
      • exception  +50.0 ms
        exception.type=oops
      2 more links were dropped
)");
}

TEST_CASE("colours only where asked for, and no other escape gets through") {
  std::vector<span_data> spans = {span(1, 0, "\x1b]0;title\x07name", 1, 2)};
  spans[0].attributes = {{"\x1b[2J", "\x1b[31m"}, {"list", std::vector<fulgurite::attribute_value>{"\x1b[1m"}}};
  spans[0].events = {{"\x1b[5m", 0, {}}};
  spans[0].status = {fulgurite::status_code::error, "\x1b[6m"};
  auto resource = std::make_shared<fulgurite::resource>();
  resource->service_name = "\x1b[7m";
  spans[0].resource = resource;
  CHECK_FALSE(contains(render_tree(spans, {.colours = false}), "\x1b"));
  const std::string coloured = render_tree(spans, {.colours = true});
  CHECK(contains(coloured, "\x1b[31m\\x1b]0;title\\x07name\x1b[0m"));
  for (const char* injected : {"\x1b[2J", "\x1b[5m", "\x1b[6m", "\x1b[7m", "\x1b]"})
    CHECK_FALSE(contains(coloured, injected));
}

TEST_CASE("a lost parent, a circle and a double are shown, all of them once") {
  const std::vector<span_data> spans = {span(1, 99, "orphan", 1, 2),  span(2, 3, "circle a", 3, 4),
                                        span(3, 2, "circle b", 3, 4), span(4, 4, "own parent", 5, 6),
                                        span(5, 1, "child", 1, 2),    span(5, 1, "double", 1, 2)};
  const std::string text = render_tree(spans, {});
  CHECK(contains(text, "orphan (its parent 0000000000000063 is not here)"));
  CHECK(contains(text, "circle a (its parent 0000000000000003 is below it: a circle)"));
  for (const char* name : {"orphan", "circle a", "circle b", "own parent", "child", "double"}) {
    CAPTURE(name);
    const std::size_t at = text.find(name);
    REQUIRE(at != std::string::npos);
    CHECK(text.find(name, at + 1) == std::string::npos);
  }
  CHECK(render_tree({}, {}).empty());
}

TEST_CASE("deep and wide traces stay readable and quick") {
  std::vector<span_data> chain, star;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    chain.push_back(span(i, i - 1, "link", 1, 2));
    star.push_back(span(i, i == 1 ? 0 : 1, "ray", static_cast<std::int64_t>(i), 2));
  }
  const std::string deep = render_tree(chain, {.width = 80});
  CHECK(lines_of(deep) == 20'003);
  CHECK(deep.size() < 20'000 * 400);
  CHECK(contains(deep, "(19999) "));
  CHECK(lines_of(render_tree(star, {})) == 20'003);
}

TEST_CASE("long values are cut, wide lines broken between attributes") {
  std::vector<span_data> spans = {span(1, 0, std::string(500, 'n'), 1, 2)};
  for (int i = 0; i < 20; ++i) spans[0].attributes.push_back({"key" + std::to_string(i), std::string(40, 'v')});
  spans[0].attributes.push_back({"long", std::string(100'000, 'x')});
  const std::string text = render_tree(spans, {.width = 100});
  CHECK(contains(text, "…"));
  CHECK(text.size() < 3'000);
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) {
    CAPTURE(text.substr(start, end - start));
    if (!contains(text.substr(start, end - start), "long="))
      CHECK(display_width(text.substr(start, end - start)) <= 100);
  }
  CHECK(format_value(fulgurite::bytes{std::byte{0xab}, std::byte{1}}, 100) == "0xab01");
  CHECK(format_value(std::vector<fulgurite::attribute>{{"a", std::vector<fulgurite::attribute_value>{1, "b", {}}}},
                     100) == "{a: [1, \"b\", null]}");
}
