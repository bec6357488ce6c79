// Exactness against Apache Thrift and Jaeger's own classes is tested by tests/integration/jaeger_oracle.py; here single
// elements by hand, and the rules of the mapping one by one.
#include <fulgurite/encoder/jaeger_span_writer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite::detail;

namespace {

template <class Protocol, class Write>
std::string made(Write&& write) {
  growing_bytes memory;
  jaeger_span_writer<Protocol> writer(memory);
  const std::byte* const end = write(writer, memory.room(memory.begin(), 1));
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(end - memory.begin())};
}
template <class Protocol = thrift_compact>
std::string span(fg::span_data const& one, jaeger_scope const& scope = {}) {
  return made<Protocol>([&](auto& w, std::byte* at) { return w.span(at, span_data_view(one), scope); });
}
std::string tag(std::string_view key, fg::attribute_value const& value) {
  return made<thrift_compact>([&](auto& w, std::byte* at) { return w.tag(at, key, owned_value_view(value)); });
}
template <std::size_t Size>
std::string octets(const char (&text)[Size]) {
  return {text, Size - 1};
}
std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

fg::span_data plain() {
  fg::span_data one;
  one.name = "n";
  one.trace_id = fg::trace_id::from_numbers(0xff00000000000000, 1);
  one.span_id = fg::span_id::from_number(2);
  one.start_time = 1001;
  one.end_time = 3999;
  one.flags = 0x101;
  return one;
}

}  // namespace

TEST_CASE("a span by hand") {
  CHECK(span(plain()) == octets("\x16\x02\x16\xff\xff\xff\xff\xff\xff\xff\xff\x01\x16\x04\x16\x00\x18\x01n"
                                "\x25\x02\x16\x02\x16\x04\x00"));
  CHECK(span<thrift_binary>(plain()) ==
        octets("\x0a\0\x01\0\0\0\0\0\0\0\x01\x0a\0\x02\xff\0\0\0\0\0\0\0\x0a\0\x03\0\0\0\0\0\0\0\x02"
               "\x0a\0\x04\0\0\0\0\0\0\0\0\x0b\0\x05\0\0\0\x01n\x08\0\x07\0\0\0\x01"
               "\x0a\0\x08\0\0\0\0\0\0\0\x01\x0a\0\x09\0\0\0\0\0\0\0\x02\0"));
}

TEST_CASE("tags have their value's type") {
  CHECK(tag("k", "v") == octets("\x18\x01k\x15\x00\x18\x01v\x00"));
  CHECK(tag("k", 1.0) == octets("\x18\x01k\x15\x02\x27\0\0\0\0\0\0\xf0\x3f\x00"));
  // Jaeger shows no trace with a number that JSON cannot tell.
  CHECK(tag("k", std::numeric_limits<double>::quiet_NaN()) == tag("k", "NaN"));
  CHECK(tag("k", std::numeric_limits<double>::infinity()) == tag("k", "Infinity"));
  CHECK(tag("k", -std::numeric_limits<double>::infinity()) == tag("k", "-Infinity"));
  CHECK(tag("k", std::numeric_limits<double>::max()) ==
        octets("\x18\x01k\x15\x02\x27\xff\xff\xff\xff\xff\xff\xef\x7f\x00"));
  CHECK(tag("k", true) == octets("\x18\x01k\x15\x04\x31\x00"));
  CHECK(tag("k", false) == octets("\x18\x01k\x15\x04\x32\x00"));
  CHECK(tag("k", -3) == octets("\x18\x01k\x15\x06\x46\x05\x00"));
  CHECK(tag("k", fg::bytes{std::byte{0}, std::byte{255}}) == octets("\x18\x01k\x15\x08\x58\x02\x00\xff\x00"));
  CHECK(tag("k", {}) == octets("\x18\x01k\x15\x00\x18\x00\x00"));
  CHECK(tag("k", std::vector<int>{1, 2}) == octets("\x18\x01k\x15\x00\x18\x05[1,2]\x00"));
  CHECK(tag("k", std::vector<fg::attribute>{{"a", true}}) == octets("\x18\x01k\x15\x00\x18\x0a{\"a\":true}\x00"));
  CHECK(tag("\xff", "\xff") == octets("\x18\x03\xef\xbf\xbd\x15\x00\x18\x03\xef\xbf\xbd\x00"));
  CHECK(tag("", "") == octets("\x18\x00\x15\x00\x18\x00\x00"));
}

TEST_CASE("times are cut to microseconds") {
  using writer = jaeger_span_writer<thrift_compact>;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                         least = std::numeric_limits<std::int64_t>::min();
  CHECK(writer::microseconds(1999) == 1);
  CHECK(writer::microseconds(-1999) == -1);
  CHECK(writer::duration(5, 5) == 0);
  CHECK(writer::duration(999, 1001) == 0);  // the difference is cut, not the times
  CHECK(writer::duration(0, 999) == 0);
  CHECK(writer::duration(1, 1001) == 1);
  CHECK(writer::duration(10, 3) == 0);  // Jaeger reads it as unsigned
  CHECK(writer::duration(least, most) == 18'446'744'073'709'551);
}

TEST_CASE("what the mapping makes is made once") {
  fg::span_data one = plain();
  CHECK(span(one).find("span.kind") == std::string::npos);
  CHECK(span(one).find("otel.") == std::string::npos);
  one.kind = fg::span_kind::producer;
  one.status = {fg::status_code::error, "broken"};
  one.trace_state = "a=b";
  one.dropped_attributes_count = 1;
  one.dropped_events_count = 2;
  one.dropped_links_count = 3;
  const std::string expected = span(one);
  for (fg::attribute const& part : std::vector<fg::attribute>{{"span.kind", "producer"},
                                                              {"otel.status_code", "ERROR"},
                                                              {"error", true},
                                                              {"otel.status_description", "broken"},
                                                              {"w3c.tracestate", "a=b"},
                                                              {"otel.dropped_attributes_count", 1},
                                                              {"otel.dropped_events_count", 2},
                                                              {"otel.dropped_links_count", 3}}) {
    CHECK(count(expected, tag(part.key, part.value)) == 1);
    // An attribute of that name gives way, but only then.
    fg::span_data with = one, plain_with = plain();
    with.attributes = plain_with.attributes = {{part.key, "mine"}};
    CHECK(span(with) == expected);
    CHECK(count(span(plain_with), tag(part.key, "mine")) == 1);
  }
  one.status = {fg::status_code::ok, {}};
  CHECK(count(span(one), tag("otel.status_code", "OK")) == 1);
  CHECK(count(span(one), "error") == 0);
}

TEST_CASE("a scope's tags are in front") {
  jaeger_scope scope;
  scope.tags = tag("otel.scope.name", "lib") + tag("otel.library.name", "lib");
  scope.count = 2;
  scope.has_name = true;
  fg::span_data one = plain();
  one.attributes = {{"a", 1}, {"otel.scope.name", "mine"}, {"otel.scope.version", "mine"}};
  CHECK(count(span(one, scope), "\x19\x4c" + scope.tags + tag("a", 1) + tag("otel.scope.version", "mine")) == 1);
}

TEST_CASE("kinds") {
  const std::vector<std::string> names{"", "server", "client", "producer", "consumer"};
  for (std::size_t kind = 1; kind < names.size(); ++kind) {
    fg::span_data one = plain();
    one.kind = static_cast<fg::span_kind>(kind);
    CHECK(count(span(one), tag("span.kind", names[kind])) == 1);
  }
}

TEST_CASE("only the sampled flag is Jaeger's") {
  fg::span_data one = plain();
  one.flags = 0x3ff;  // W3C's random flag has the place of Jaeger's debug flag
  CHECK(span(one) == span(plain()));
  one.flags = 0x302;
  CHECK(span(one) != span(plain()));
}

TEST_CASE("events are logs, and an attribute called event is its name") {
  fg::span_data one = plain();
  one.events = {{"started", 2500, {{"attempt", 2}}}};
  CHECK(count(span(one),
              "\x29\x1c\x16\x04\x19\x2c" + tag("event", "started") + tag("attempt", 2) + octets("\x00\x00")) == 1);
  one.events[0].attributes = {{"event", "mine"}};
  CHECK(count(span(one), "\x29\x1c\x16\x04\x19\x1c" + tag("event", "mine") + octets("\x00\x00")) == 1);
  one.events = {{"", 2500, {}}};
  CHECK(count(span(one), octets("\x29\x1c\x16\x04\x19\x0c\x00\x00")) == 1);
}

TEST_CASE("links follow from, and what a reference cannot hold is a log") {
  fg::span_data one = plain();
  const fg::span_context to(fg::trace_id::from_numbers(0, 1), fg::span_id::from_number(0xffffffffffffffff),
                            fg::trace_flags(1), true, {});
  one.links = {{to, {}}};
  // FOLLOWS_FROM is 1; an id of all ones is -1.
  const std::string reference = octets("\x19\x1c\x15\x02\x16\x02\x16\x00\x16\x01\x00\x15\x02");
  CHECK(count(span(one), reference) == 1);
  CHECK(span(one).find("event") == std::string::npos);
  one.links = {{to, {{"why", "retry"}}}};
  CHECK(count(span(one), reference) == 1);
  CHECK(count(span(one), "\x16\x02\x19\x4c" + tag("event", "link") + tag("trace_id", to.trace_id().to_hex()) +
                             tag("span_id", "ffffffffffffffff") + tag("why", "retry")) == 1);
}

TEST_CASE("300 events and 200 attributes have long heads of lists") {
  fg::span_data one = plain();
  for (int i = 0; i < 300; ++i) one.events.push_back({"e", 0, {}});
  for (int i = 0; i < 200; ++i) one.attributes.push_back({"key" + std::to_string(i), i});
  const std::string text = span(one);
  CHECK(count(text, octets("\x19\xfc\xac\x02")) == 1);
  CHECK(count(text, octets("\x19\xfc\xc8\x01")) == 1);
  CHECK(count(text, tag("event", "e")) == 300);
}
