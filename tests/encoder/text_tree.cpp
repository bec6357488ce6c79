#include <fulgurite/encoder/text_tree.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

using namespace fulgurite;

namespace {

span_data span(std::uint64_t id, std::uint64_t parent, std::string name, std::int64_t start, std::int64_t end) {
  span_data result;
  result.name = std::move(name);
  result.trace_id = trace_id::from_numbers(1, 2);
  result.span_id = span_id::from_number(id);
  result.parent_span_id = span_id::from_number(parent);
  result.start_time = start;
  result.end_time = end;
  return result;
}

constexpr std::int64_t ms = 1'000'000;

bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::size_t lines_of(std::string const& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("a tree") {
  auto of = std::make_shared<fulgurite::resource>();
  of->service_name = "checkout";
  std::vector<span_data> spans = {
      span(3, 1, "second child", 1500 * ms, 1600 * ms), span(4, 2, "grandchild", 1200 * ms, 1210 * ms),
      span(2, 1, "first child", 1100 * ms, 1300 * ms), span(1, 0, "root", 1000 * ms, 2000 * ms)};
  for (span_data& one : spans) one.resource = of;
  spans[3].attributes = {{"order.id", 17}, {"note", "two\nlines"}};
  spans[2].kind = span_kind::client;
  spans[0].status = {status_code::error, "declined"};
  spans[0].events = {{"exception", 1550 * ms, {{"exception.type", "oops"}}}};
  spans[0].dropped_links_count = 2;
  CHECK(to_text_tree(spans, {.colours = false, .width = 60}) == R"(trace 00000000000000010000000000000002  checkout
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
  spans[0].attributes = {{"\x1b[2J", "\x1b[31m"}, {"list", std::vector<attribute_value>{"\x1b[1m"}}};
  spans[0].events = {{"\x1b[5m", 0, {}}};
  spans[0].status = {status_code::error, "\x1b[6m"};
  auto of = std::make_shared<fulgurite::resource>();
  of->service_name = "\x1b[7m";
  spans[0].resource = of;
  CHECK_FALSE(contains(to_text_tree(spans, {.colours = false}), "\x1b"));
  const std::string coloured = to_text_tree(spans, {.colours = true});
  CHECK(contains(coloured, "\x1b[31m\\x1b]0;title\\x07name\x1b[0m"));
  for (const char* injected : {"\x1b[2J", "\x1b[5m", "\x1b[6m", "\x1b[7m", "\x1b]"})
    CHECK_FALSE(contains(coloured, injected));
}

TEST_CASE("a lost parent, a circle and a double are shown, all of them once") {
  const std::vector<span_data> spans = {span(1, 99, "orphan", 1, 2),  span(2, 3, "circle a", 3, 4),
                                        span(3, 2, "circle b", 3, 4), span(4, 4, "own parent", 5, 6),
                                        span(5, 1, "child", 1, 2),    span(5, 1, "double", 1, 2)};
  const std::string text = to_text_tree(spans, {});
  CHECK(contains(text, "orphan (its parent 0000000000000063 is not here)"));
  CHECK(contains(text, "circle a (its parent 0000000000000003 is below it: a circle)"));
  for (const char* name : {"orphan", "circle a", "circle b", "own parent", "child", "double"}) {
    CAPTURE(name);
    const std::size_t at = text.find(name);
    REQUIRE(at != std::string::npos);
    CHECK(text.find(name, at + 1) == std::string::npos);
  }
  CHECK(to_text_tree({}, {}).empty());
}

TEST_CASE("deep and wide traces stay readable and quick") {
  std::vector<span_data> chain, star;
  for (std::uint64_t i = 1; i <= 20'000; ++i) {
    chain.push_back(span(i, i - 1, "link", 1, 2));
    star.push_back(span(i, i == 1 ? 0 : 1, "ray", static_cast<std::int64_t>(i), 2));
  }
  const std::string deep = to_text_tree(chain, {.width = 80});
  CHECK(lines_of(deep) == 20'003);
  CHECK(deep.size() < 20'000 * 400);
  CHECK(contains(deep, "(19999) "));
  CHECK(lines_of(to_text_tree(star, {})) == 20'003);
}

TEST_CASE("long values are cut, wide lines broken between attributes") {
  std::vector<span_data> spans = {span(1, 0, std::string(500, 'n'), 1, 2)};
  for (int i = 0; i < 20; ++i) spans[0].attributes.push_back({"key" + std::to_string(i), std::string(40, 'v')});
  spans[0].attributes.push_back({"long", std::string(100'000, 'x')});
  const std::string text = to_text_tree(spans, {.width = 100});
  CHECK(contains(text, "…"));
  CHECK(text.size() < 3'000);
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; start = end + 1, end = text.find('\n', start)) {
    CAPTURE(text.substr(start, end - start));
    if (!contains(text.substr(start, end - start), "long="))
      CHECK(display_width(text.substr(start, end - start)) <= 100);
  }
}
