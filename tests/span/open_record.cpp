// Attributes of every kind, through a tracer: what goes in comes out, whether or not it fits the span's own buffer.
#include <fulgurite/span/open_record.hpp>

#include "../tracing.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;
using fulgurite_test::value_of;
using namespace fg::literals;

namespace {

std::string text_of(fg::span_data const& span, std::string_view key) {
  const fg::attribute_value* value = value_of(span.attributes, key);
  REQUIRE(value != nullptr);
  const auto* text = std::get_if<std::string>(&value->as_variant());
  REQUIRE(text != nullptr);
  return *text;
}

}  // namespace

TEST_CASE("attributes of a schema") {
  recorder r(fulgurite_test::no_limits);
  const std::string text = "a text";
  const fg::bytes octets{std::byte{1}, std::byte{0}, std::byte{255}};
  const std::vector<std::string> list{"a", "b"};
  {
    auto span = r.tracer.trace_context(
        "s", "int"_a = -7, "bool"_a = true, "real"_a = 0.25F, "text"_a = text, "literal"_a = "it", "empty"_a = "",
        "null view"_a = std::string_view(), "unsigned"_a = std::numeric_limits<std::uint64_t>::max(),
        "least"_a = std::numeric_limits<std::int64_t>::min(), "octets"_a = octets, "list"_a = list,
        "lazy"_a = [] { return std::string("made"); },
        "owned"_a = fg::attribute_value(std::vector<fg::attribute>{{"k", 1}}));
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(span.attributes.size() == 13);
  CHECK(has(span, "int", -7));
  CHECK(has(span, "bool", true));
  CHECK(has(span, "real", 0.25));
  CHECK(has(span, "text", "a text"));
  CHECK(has(span, "literal", "it"));
  CHECK(has(span, "empty", ""));
  CHECK(has(span, "null view", ""));
  CHECK(has(span, "unsigned", "18446744073709551615"));
  CHECK(has(span, "least", std::numeric_limits<std::int64_t>::min()));
  CHECK(has(span, "octets", octets));
  CHECK(has(span, "list", list));
  CHECK(has(span, "lazy", "made"));
  CHECK(has(span, "owned", fg::attribute_value(std::vector<fg::attribute>{{"k", 1}})));
  CHECK(span.dropped_attributes_count == 0);
}

TEST_CASE("attributes one by one, on a root, a child and a free span") {
  recorder r(fulgurite_test::no_limits);
  const std::string run_time_key = "key made at run time";
  const auto set_all = [&](auto& span) {
    span.set_attribute("int", 7);
    span.set_attribute("large", std::uint64_t{1} << 63);
    span.set_attribute("not a number", std::nan(""));
    span.set_attribute(run_time_key, "by copy");
    span.set_attribute(std::string("temporary key"), std::string("temporary value"));
    span.set_attribute("typed"_a = 1.5);
    span.set_attribute("lazy", [n = 0]() mutable { return ++n; });
    span.set_attribute("lazy typed"_a = [] { return true; });
    span.set_attribute("null", fg::attribute_value());
    span.set_attribute("numbers", std::vector<double>{1, 2.5});
    span.set_attribute("span of bytes", std::span<const std::byte>());
  };
  {
    auto root = r.tracer.trace_context("root");
    set_all(root);
    auto child = r.tracer.trace_context("child");
    set_all(child);
    auto free = r.tracer.start_span("free");
    set_all(free);
  }
  const auto spans = r.spans();
  for (const char* name : {"root", "child", "free"}) {
    const fg::span_data span = only(spans, name);
    CHECK(span.attributes.size() == 11);
    CHECK(has(span, "int", 7));
    CHECK(has(span, "large", "9223372036854775808"));
    CHECK(has(span, "not a number", std::nan("")));
    CHECK(has(span, "key made at run time", "by copy"));
    CHECK(has(span, "temporary key", "temporary value"));
    CHECK(has(span, "typed", 1.5));
    CHECK(has(span, "lazy", 1));
    CHECK(has(span, "lazy typed", true));
    CHECK(has(span, "null", fg::attribute_value()));
    CHECK(has(span, "numbers", std::vector<double>{1, 2.5}));
    CHECK(has(span, "span of bytes", fg::bytes{}));
  }
}

TEST_CASE("of equal keys the last value counts, across schema and run time") {
  recorder r(fulgurite_test::no_limits);
  {
    auto span = r.tracer.trace_context("s", "a"_a = 1, "b"_a = std::string("schema"), "c"_a = 1);
    span.set_attribute("a", "text now");
    span.set_attribute("d", 1);
    span.set_attribute(std::string("b"), 2.5);
    span.set_attribute("d", 2);
    span.set_attribute("a"_a = false);
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(span.attributes.size() == 4);
  CHECK(has(span, "a", false));
  CHECK(has(span, "b", 2.5));
  CHECK(has(span, "c", 1));
  CHECK(has(span, "d", 2));
}

TEST_CASE("strings of a schema that do not fit the buffer") {
  recorder r(fulgurite_test::no_limits);
  const std::string half(120, 'h'), most(240, 'm'), large(1000, 'l');
  {
    auto span = r.tracer.trace_context("s", "first"_a = half, "second"_a = most, "third"_a = large, "fourth"_a = half,
                                       "n"_a = 4);
    span.set_attribute("third", "again");
  }
  {
    auto root = r.tracer.trace_context("exact");
    // Two slots and 240 octets fill the buffer to its last octet.
    auto child = r.tracer.trace_context("exact child", "text"_a = most, "n"_a = 4);
    child.set_attribute("after", 5);
  }
  const auto spans = r.spans();
  const fg::span_data span = only(spans, "s");
  CHECK(span.attributes.size() == 5);
  CHECK(has(span, "first", half));
  CHECK(has(span, "second", most));
  CHECK(has(span, "third", "again"));
  CHECK(has(span, "fourth", half));
  CHECK(has(span, "n", 4));
  const fg::span_data exact = only(spans, "exact child");
  CHECK(has(exact, "text", most));
  CHECK(has(exact, "n", 4));
  CHECK(has(exact, "after", 5));
}

TEST_CASE("a thousand attributes on one span, all kinds of sizes") {
  recorder r(fulgurite_test::no_limits);
  {
    auto root = r.tracer.trace_context("root");
    auto span = r.tracer.trace_context("many", "schema"_a = 1);
    for (int i = 0; i < 1000; ++i) {
      const std::string key = "key " + std::to_string(i);
      if (i % 3 == 0)
        span.set_attribute(key, i);
      else
        span.set_attribute(key, std::string(static_cast<std::size_t>(i % 400), 'x'));
    }
    span.set_attribute("key 0", "overwritten");
  }
  const fg::span_data span = only(r.spans(), "many");
  CHECK(span.attributes.size() == 1001);
  CHECK(span.dropped_attributes_count == 0);
  CHECK(has(span, "schema", 1));
  CHECK(has(span, "key 0", "overwritten"));
  CHECK(has(span, "key 999", 999));
  CHECK(has(span, "key 799", std::string(399, 'x')));
}

TEST_CASE("values up to 64 KiB are whole, longer ones end between two characters") {
  recorder r(fulgurite_test::no_limits);
  const std::string whole(64 * 1024, 'w'), longer(64 * 1024 + 1, 'l'), huge(1'000'000, 'h');
  std::string umlauts = "x";  // the limit falls into the middle of a character
  while (umlauts.size() < 70'000) umlauts += "\xc3\xa4";
  {
    auto span = r.tracer.trace_context("s", "schema"_a = longer);
    const auto make_room = [] { fg::detail::engine::instance().collect(); };  // a ring holds 256 KiB
    span.set_attribute("whole", whole);
    make_room();
    span.set_attribute("longer", longer);
    span.set_attribute("huge", huge);
    make_room();
    span.set_attribute("umlauts", umlauts);
    span.set_attribute("octets", fg::bytes(70'000, std::byte{7}));
    span.set_attribute("numbers", std::vector<int>(10'000, 1));
    span.set_attribute("after", 1);
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(text_of(span, "schema") == longer.substr(0, 64 * 1024));
  CHECK(text_of(span, "whole") == whole);
  CHECK(text_of(span, "longer") == longer.substr(0, 64 * 1024));
  CHECK(text_of(span, "huge").size() == 64 * 1024);
  CHECK(text_of(span, "umlauts") == umlauts.substr(0, 64 * 1024 - 1));
  CHECK(has(span, "octets", fg::bytes(64 * 1024, std::byte{7})));
  REQUIRE(value_of(span.attributes, "numbers") != nullptr);
  const auto& numbers = std::get<std::vector<fg::attribute_value>>(value_of(span.attributes, "numbers")->as_variant());
  CHECK(numbers.size() > 1000);
  CHECK(numbers.size() <= 64 * 1024 / 16);
  CHECK(has(span, "after", 1));
}

TEST_CASE("attributes that the ring has no room for are counted") {
  recorder r(fulgurite_test::no_limits);
  const std::string text(60'000, 'x');
  {
    auto span = r.tracer.trace_context("s");
    for (int i = 0; i < 50; ++i) span.set_attribute("key " + std::to_string(i), text);
  }
  const auto spans = r.spans();
  const auto stats = r.tracer.stats();
  CHECK(spans.size() + stats.dropped_by(fg::drop_cause::queue_full) == 1);
  if (spans.size() == 1) CHECK(spans[0].attributes.size() + spans[0].dropped_attributes_count == 50);
  fulgurite_test::check_accounts(stats);
}

TEST_CASE("arrays and maps, nested and too deep") {
  recorder r(fulgurite_test::no_limits);
  fg::attribute_value deep = "innermost";
  for (int i = 0; i < 70; ++i) deep = std::vector<fg::attribute_value>{std::move(deep)};
  const fg::attribute_value map(std::vector<fg::attribute>{{"list", std::vector<std::vector<int>>{{1, 2}, {}, {3}}},
                                                           {"map", std::vector<fg::attribute>{{"k", "v"}}}});
  {
    auto span = r.tracer.trace_context("s", "map"_a = map);
    span.set_attribute("deep", deep);
    span.set_attribute("also map", map);
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(has(span, "map", map));
  CHECK(has(span, "also map", map));
  const fg::attribute_value* level = value_of(span.attributes, "deep");
  int levels = 0;
  while (const auto* list = std::get_if<std::vector<fg::attribute_value>>(&level->as_variant())) {
    level = &list->front();
    ++levels;
  }
  CHECK(levels == 64);
  CHECK(*level == fg::attribute_value());
}

TEST_CASE("an empty key is dropped and counted, and so are one that is too long and a callable that throws") {
  recorder r(fulgurite_test::no_limits);
  const auto throws = []() -> int { throw std::runtime_error("no value"); };
  {
    auto root = r.tracer.trace_context("root", "lazy"_a = throws, "kept"_a = 1);
    root.set_attribute("", 1);
    root.set_attribute(std::string(), "text");
    auto child = r.tracer.trace_context("child", "lazy"_a = throws, "kept"_a = 1);
    child.set_attribute(std::string(70'000, 'k'), 1);
    child.set_attribute("throws", throws);
    child.set_attribute("after", 1);
  }
  const auto spans = r.spans();
  const fg::span_data root = only(spans, "root"), child = only(spans, "child");
  CHECK(root.dropped_attributes_count == 3);
  CHECK(root.attributes.size() == 1);
  CHECK(has(root, "kept", 1));
  CHECK(child.dropped_attributes_count == 3);
  CHECK(child.attributes.size() == 2);
  CHECK(has(child, "after", 1));
}

TEST_CASE("a callable is called once when the span records, and never when it does not") {
  int calls = 0;
  const auto count = [&] { return ++calls; };
  {
    recorder r(fulgurite_test::no_limits);
    auto root = r.tracer.trace_context("root", "n"_a = count);
    CHECK(calls == 1);
    auto child = r.tracer.trace_context("child", "n"_a = count);
    CHECK(calls == 2);
    child.set_attribute("m", count);
    child.set_attribute("l"_a = count);
    CHECK(calls == 4);
    child.end();
    child.set_attribute("after the end", count);
    CHECK(calls == 4);
  }
  calls = 0;
  const fg::tracer off(fg::resource{}, fg::parent_based{fg::always_off_sampler{}}, fg::memory_exporter{});
  auto root = off.trace_context("root", "n"_a = count);
  auto child = off.trace_context("child", "n"_a = count);
  child.set_attribute("m", count);
  auto free = off.start_span("free", "n"_a = count);
  free.set_attribute("l"_a = count);
  CHECK(calls == 0);
}

TEST_CASE("names of every kind") {
  recorder r(fulgurite_test::no_limits);
  const std::string long_name(70'000, 'n');
  char buffer[16] = "buffer";
  {
    auto a = r.tracer.trace_context("literal");
    auto b = r.tracer.trace_context(std::string("a string"));
    auto c = r.tracer.trace_context(buffer);
    buffer[0] = 'X';
    auto d = r.tracer.trace_context("");
    auto e = r.tracer.trace_context(std::string());
    auto f = r.tracer.trace_context(long_name);
    auto g = r.tracer.trace_context(std::string(300, 'g'), "k"_a = 1);
    g.set_attribute("l", 2);
    auto h = r.tracer.trace_context();
    auto i = r.tracer.trace_context(std::string_view("a view of more", 6));
  }
  {
    auto root = r.tracer.trace_context(std::string("a root's name"));
    auto span = r.tracer.start_span(std::string("a free span's name"));
  }
  const auto spans = r.spans();
  REQUIRE(spans.size() == 11);
  only(spans, "literal");
  only(spans, "a string");
  only(spans, "buffer");
  only(spans, "trace");
  only(spans, "a view");
  only(spans, long_name.substr(0, 65'535));
  only(spans, "a root's name");
  only(spans, "a free span's name");
  CHECK(has(only(spans, std::string(300, 'g')), "l", 2));
  CHECK(has(only(spans, std::string(300, 'g')), "k", 1));
  int empty = 0;
  for (fg::span_data const& span : spans) empty += span.name.empty();
  CHECK(empty == 2);
}

TEST_CASE("update_name replaces the name, and the last one counts") {
  recorder r(fulgurite_test::no_limits);
  {
    auto a = r.tracer.trace_context("first");
    a.update_name(std::string("second"));
    a.update_name("third");
    auto b = r.tracer.trace_context(std::string("a"));
    b.update_name("b");
    b.update_name(std::string("c"));
    auto c = r.tracer.trace_context(std::string("anything"), "k"_a = 1);
    c.update_name("");
  }
  const auto spans = r.spans();
  only(spans, "third");
  only(spans, "c");
  CHECK(has(only(spans, ""), "k", 1));
}
