// Limits, against a model in plain containers: what a span was given, cut by the words of the specification.
#include <fulgurite/record/limited_record.hpp>

#include "../tracing.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;
using fulgurite_test::recorder;
using namespace fg::literals;

namespace {

/// The first `most` characters of valid UTF-8.
std::string first_characters(std::string const& text, std::size_t most) {
  std::string out;
  std::size_t characters = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xc0) != 0x80 && ++characters > most) break;
    out += c;
  }
  return out;
}

fg::attribute_value cut(fg::attribute_value const& value, std::size_t most) {
  fg::attribute_value out = value;
  if (auto* text = std::get_if<std::string>(&out)) *text = first_characters(*text, most);
  if (auto* octets = std::get_if<fg::bytes>(&out)) octets->resize(std::min(octets->size(), most));
  if (auto* list = std::get_if<std::vector<fg::attribute_value>>(&out))
    for (fg::attribute_value& one : *list) one = cut(one, most);
  if (auto* map = std::get_if<std::vector<fg::attribute>>(&out))
    for (fg::attribute& one : *map) one.value = cut(one.value, most);
  return out;
}

struct model_list {
  std::vector<fg::attribute> kept;
  std::uint32_t dropped = 0;

  void set(std::string const& key, fg::attribute_value const& value, std::size_t count, std::size_t length) {
    for (fg::attribute& one : kept)
      if (one.key == key) {
        one.value = cut(value, length);
        return;
      }
    if (kept.size() < count)
      kept.push_back({key, cut(value, length)});
    else
      ++dropped;
  }
};

std::vector<fg::attribute> sorted(std::vector<fg::attribute> all) {
  std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.key < b.key; });
  return all;
}

struct dice {
  std::mt19937 engine;

  std::uint32_t up_to(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(engine); }
  std::string text() {
    static const char* const characters[] = {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    std::string out;
    for (std::uint32_t n = up_to(20); n != 0; --n) out += characters[up_to(3)];
    return out;
  }
  fg::attribute_value value(int depth = 0) {
    switch (up_to(depth < 3 ? 7 : 5)) {
      case 0:
        return static_cast<std::int64_t>(up_to(1000));
      case 1:
        return true;
      case 2:
        return 0.5;
      case 3:
        return fg::bytes(up_to(30), std::byte{9});
      case 4:
      case 5:
        return text();
      case 6: {
        std::vector<fg::attribute_value> list;
        for (std::uint32_t n = up_to(4); n != 0; --n) list.push_back(value(depth + 1));
        return list;
      }
      default: {
        std::vector<fg::attribute> map;
        for (std::uint32_t n = up_to(4); n != 0; --n) map.push_back({"k" + std::to_string(n), value(depth + 1)});
        return map;
      }
    }
  }
  std::uint32_t limit() {
    static constexpr std::uint32_t some[] = {0, 1, 2, 3, 10, 23, 24, 25, 40, 128, fg::span_limits::unlimited};
    return some[up_to(10)];
  }
};

}  // namespace

TEST_CASE("random spans under random limits are what a plain model of the specification keeps") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    INFO("seed: ", seed);
    dice roll{std::mt19937(seed)};
    const fg::span_limits limits{roll.limit(), roll.limit(), roll.limit(), roll.limit(), roll.limit(), roll.limit()};
    recorder r(limits);
    const std::size_t length = limits.attribute_value_length;
    model_list attributes;
    std::vector<fg::span_event> events;
    std::vector<fg::span_link> links;
    std::uint32_t dropped_events = 0, dropped_links = 0;
    {
      const std::string text = roll.text();
      auto span = r.tracer.trace_context("s", "number"_a = 1, "text"_a = text, "k3"_a = "in the schema");
      attributes.set("number", std::int64_t{1}, limits.attribute_count, length);
      attributes.set("text", text, limits.attribute_count, length);
      attributes.set("k3", "in the schema", limits.attribute_count, length);
      const std::uint32_t range = roll.up_to(1) != 0 ? 10 : 200;
      for (std::uint32_t n = roll.up_to(150); n != 0; --n) {
        const std::string key = "k" + std::to_string(roll.up_to(range));
        const fg::attribute_value value = roll.value();
        span.set_attribute(key, value);
        attributes.set(key, value, limits.attribute_count, length);
      }
      const auto some_attributes = [&](std::uint32_t most, model_list& model) {
        std::vector<fg::attribute> given;
        for (std::uint32_t n = roll.up_to(40); n != 0; --n) {
          given.push_back({"k" + std::to_string(roll.up_to(range)), roll.value()});
          model.set(given.back().key, given.back().value, most, length);
        }
        return given;
      };
      for (std::uint32_t n = roll.up_to(4) * 10; n != 0; --n) {
        model_list model;
        span.add_event("event", some_attributes(limits.event_attribute_count, model));
        if (events.size() < limits.event_count)
          events.push_back({"event", 0, sorted(model.kept)});
        else
          ++dropped_events;
      }
      for (std::uint32_t n = roll.up_to(4) * 10; n != 0; --n) {
        model_list model;
        const fg::span_context to(fg::trace_id::from_hex("0af7651916cd43dd8448eb211c80319c"),
                                  fg::span_id::from_number(n), fg::trace_flags(1));
        span.add_link(to, some_attributes(limits.link_attribute_count, model));
        if (links.size() < limits.link_count)
          links.push_back({to, sorted(model.kept)});
        else
          ++dropped_links;
      }
      span.set_status(fg::status_code::error, "a description is no attribute");
    }
    fg::span_data span = only(r.spans(), "s");
    for (fg::span_event& event : span.events) {
      event.time = 0;
      event.attributes = sorted(event.attributes);
    }
    for (fg::span_link& link : span.links) link.attributes = sorted(link.attributes);
    CHECK(sorted(span.attributes) == sorted(attributes.kept));
    CHECK(span.dropped_attributes_count == attributes.dropped);
    CHECK(span.events == events);
    CHECK(span.dropped_events_count == dropped_events);
    CHECK(span.links == links);
    CHECK(span.dropped_links_count == dropped_links);
    CHECK(span.status.description == "a description is no attribute");
  }
}

TEST_CASE("what OpenTelemetry allows by default: 128 attributes, and a key that is there may be set again") {
  recorder r;
  {
    auto span = r.tracer.trace_context("s");
    for (int i = 0; i < 1000; ++i) span.set_attribute("key " + std::to_string(i), i);
    span.set_attribute("key 5", "again");
    span.set_attribute("key 999", "again");
  }
  const fg::span_data span = only(r.spans(), "s");
  CHECK(span.attributes.size() == 128);
  CHECK(span.dropped_attributes_count == 1000 - 128 + 1);
  CHECK(has(span, "key 127", 127));
  CHECK(has(span, "key 5", "again"));
  CHECK(fulgurite_test::value_of(span.attributes, "key 128") == nullptr);
}

TEST_CASE("a span with its last trace and its export are the same") {
  recorder r({.attribute_count = 2});
  {
    auto span = r.tracer.trace_context("s", "a"_a = 1, "b"_a = 2, "c"_a = 3);
  }
  const auto last = r.tracer.get_last_trace();
  REQUIRE(last.size() == 1);
  CHECK(last[0] == only(r.spans(), "s"));
  CHECK(last[0].attributes.size() == 2);
}

TEST_CASE("characters: whole ones, and each octet that is not UTF-8 for one") {
  const auto end = [](std::string_view text, std::size_t most) { return fg::detail::end_of_characters(text, most); };
  CHECK(end("", 0) == 0);
  CHECK(end("abc", 0) == 0);
  CHECK(end("abc", 2) == 2);
  CHECK(end("abc", 4) == 3);
  CHECK(end("\xc3\xa4\xc3\xb6", 1) == 2);
  CHECK(end("\xe2\x82\xac!", 1) == 3);
  CHECK(end("\xf0\x9f\x98\x80!", 1) == 4);
  CHECK(end("\x80\x80\x80", 2) == 2);
  CHECK(end("\xc3"
            "a",
            1) == 1);
  CHECK(end("\xf0\x9f", 1) == 2);
}
