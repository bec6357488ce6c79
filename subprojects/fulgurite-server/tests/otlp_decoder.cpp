#include "otlp_decoder.hpp"

#include "golden_request.hpp"
#include "traces_data.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>

using namespace fulgurite_server;
using fulgurite::attribute;
using fulgurite::attribute_value;

namespace {

std::string field(std::uint32_t number, std::string_view payload) {
  std::string out;
  put_bytes(out, number, payload);
  return out;
}

std::string varint_field(std::uint32_t number, std::uint64_t value) {
  std::string out;
  put_varint(out, std::uint64_t{number} << 3);
  put_varint(out, value);
  return out;
}

const std::string trace_id_field = field(1, "0123456789abcdef");
const std::string span_id_field = field(2, "01234567");

std::string request_of(std::string_view span) { return field(1, field(2, field(2, span))); }

/// A request whose span has this further content.
std::string request_with(std::string_view content) {
  return request_of(trace_id_field + span_id_field + std::string(content));
}

std::string refusal_of(std::string_view bytes) {
  // A copy of exactly this size, so that the address sanitizer sees a read beyond it.
  const std::unique_ptr<char[]> copy(new char[bytes.size()]);
  bytes.copy(copy.get(), bytes.size());
  const std::string_view exact(copy.get(), bytes.size());
  try {
    decode_spans(exact);
    to_json(exact);
  } catch (malformed const& error) {
    CHECK_THROWS_AS(to_json(exact), malformed);
    return error.what();
  }
  return {};
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// `[[[…]]]`, so many arrays around nothing.
std::string nested(int depth) {
  std::string value;
  for (int i = 1; i < depth; ++i) value = field(5, field(1, value));
  return value;
}

}  // namespace

TEST_CASE("a request of the official encoder, with every field") {
  const auto spans = decode_spans(golden_request);
  REQUIRE(spans.size() == 3);
  fulgurite::span_data const& root = spans[0];
  CHECK(root.name == "charge card");
  CHECK(root.trace_id.to_hex() == "5b8efff798038103d269b633813fc60c");
  CHECK(root.span_id.to_hex() == "eee19b7ec3c1b174");
  CHECK_FALSE(root.parent_span_id.is_valid());
  CHECK(root.kind == fulgurite::span_kind::server);
  CHECK(root.start_time == 1544712660000000000);
  CHECK(root.end_time == 1544712661000000001);
  CHECK(root.trace_state == "vendor=value,other=1");
  CHECK(root.flags == 0x101);
  CHECK(root.dropped_attributes_count == 1);
  CHECK(root.dropped_events_count == 2);
  CHECK(root.dropped_links_count == 3);
  using values = std::vector<attribute_value>;
  using map = std::vector<attribute>;
  CHECK(root.attributes == map{{"text", "Grüße\n\"quoted\" \x1b[31m"},
                               {"empty", ""},
                               {"true", true},
                               {"false", false},
                               {"zero", 0},
                               {"least", std::numeric_limits<std::int64_t>::min()},
                               {"most", std::numeric_limits<std::int64_t>::max()},
                               {"real", 0.1},
                               {"huge", std::numeric_limits<double>::lowest()},
                               {"infinite", -std::numeric_limits<double>::infinity()},
                               {"bytes", fulgurite::bytes{std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3},
                                                          std::byte{4}, std::byte{5}, std::byte{6}}},
                               {"none", {}},
                               {"list", values{1, "two", {}}},
                               {"empty list", values{}},
                               {"map", map{{"inner", 1.5}, {"", true}}},
                               {"absent", {}}});
  REQUIRE(root.events.size() == 1);
  CHECK(root.events[0] == fulgurite::span_event{"authorised", 1544712660500000000, {{"attempt", 2}}});
  REQUIRE(root.links.size() == 1);
  CHECK(root.links[0].context.trace_id().to_hex() == "000102030405060708090a0b0c0d0e0f");
  CHECK(root.links[0].context.span_id().to_hex() == "0102030405060708");
  CHECK(root.links[0].context.sampled());
  CHECK(root.links[0].context.is_remote());
  CHECK(root.links[0].context.trace_state().to_header() == "a=b");
  CHECK(root.links[0].attributes == map{{"why", "retry"}});
  REQUIRE(root.resource);
  CHECK(*root.resource == fulgurite::resource{"checkout", "1.2", "", {{"host.name", "h"}}});
  REQUIRE(root.scope);
  CHECK(*root.scope == fulgurite::instrumentation_scope{"lib", "3", {{"k", -1}}});

  CHECK(spans[1].parent_span_id == root.span_id);
  CHECK(spans[1].kind == fulgurite::span_kind::client);
  CHECK(spans[1].status == fulgurite::span_status{fulgurite::status_code::error, "declined"});
  CHECK(spans[1].resource == root.resource);
  CHECK(spans[2].kind == fulgurite::span_kind::internal);
  CHECK(spans[2].status.code == fulgurite::status_code::ok);
  CHECK(spans[2].resource->service_name == "rates");
  CHECK_FALSE(spans[2].scope);

  const received_request request = read_request(golden_request);
  REQUIRE(request.spans.size() == 3);
  CHECK(request.spans[1].failed);
  CHECK_FALSE(request.spans[2].failed);
  CHECK(service_name(*request.resources[request.spans[2].resource].body) == "rates");
}

TEST_CASE("a stored trace is put together byte for byte as it came") {
  const received_request request = read_request(golden_request);
  stored_trace trace{request.resources, request.scopes, {}};
  for (received_span const& span : request.spans)
    trace.spans.push_back({span.resource, span.scope, std::string(span.body)});
  CHECK(to_protobuf(trace) == golden_request);
}

TEST_CASE("order and repetition are free in protobuf") {
  const std::string name = field(1, field(1, "service.name") + field(2, field(1, "late")));
  // The resource behind the spans, and in two parts.
  const std::string late = field(1, field(2, field(2, trace_id_field + span_id_field)) + field(1, "") + field(1, name));
  CHECK(decode_spans(late).at(0).resource->service_name == "late");
  // Scalars: the last counts. A oneof: the last member. A message: joined.
  const auto span =
      decode_spans(request_with(field(5, "first") + field(5, "last") +
                                field(9, field(1, "k") + field(2, varint_field(3, 5) + field(1, "text"))) +
                                field(15, field(2, "why")) + field(15, varint_field(3, 2))))
          .at(0);
  CHECK(span.name == "last");
  CHECK(span.attributes == std::vector<attribute>{{"k", "text"}});
  CHECK(span.status == fulgurite::span_status{fulgurite::status_code::error, "why"});
  const std::string twice = request_with(field(15, field(2, "why")) + field(15, varint_field(3, 2)) +
                                         field(9, field(2, varint_field(3, 5) + field(1, "text"))));
  CHECK(contains(to_json(twice), R"("status":{"message":"why","code":2})"));
  CHECK(contains(to_json(twice), R"("value":{"stringValue":"text"})"));
}

TEST_CASE("unknown fields and groups are passed over") {
  const std::string group = "\x9b\x06" + varint_field(1, 7) + "\xa3\x06\x08\x01\xa4\x06" + "\x9c\x06";
  const auto spans = decode_spans(request_with(varint_field(1000, 3) + group + field(999, "x") + field(5, "n")));
  CHECK(spans.at(0).name == "n");
  CHECK(decode_spans("").empty());
  CHECK(decode_spans(field(77, "x")).empty());
  CHECK(to_json("") == "{}");
}

TEST_CASE("an unknown kind or status is no error") {
  const auto spans = decode_spans(request_with(varint_field(6, 99) + field(15, varint_field(3, 99))));
  CHECK(spans.at(0).kind == fulgurite::span_kind::internal);
  CHECK(spans.at(0).status.code == fulgurite::status_code::unset);
}

TEST_CASE("a time beyond the year 2262 becomes that") {
  const std::string all_ones(8, '\xff');
  const std::string request = request_with("\x39" + all_ones);
  CHECK(decode_spans(request).at(0).start_time == std::numeric_limits<std::int64_t>::max());
  CHECK(contains(to_json(request), R"("startTimeUnixNano":"18446744073709551615")"));
}

TEST_CASE("text that is not UTF-8 is kept, and is U+FFFD in JSON") {
  const std::string request = request_with(field(5,
                                                 "a\xff"
                                                 "b"));
  CHECK(decode_spans(request).at(0).name ==
        "a\xff"
        "b");
  CHECK(contains(to_json(request),
                 "\"a\xef\xbf\xbd"
                 "b\""));
}

TEST_CASE("what is wrong is said in a sentence, with the byte") {
  CHECK(refusal_of(request_of(span_id_field)) == "byte 4: a span has no trace_id");
  CHECK(refusal_of(request_of(trace_id_field)) == "byte 4: a span has no span_id");
  CHECK(refusal_of(request_of(field(1, "short") + span_id_field)) ==
        "byte 6: Span.trace_id has 5 bytes, 16 are needed");
  CHECK(refusal_of(request_of(field(1, std::string(16, '\0')) + span_id_field)) ==
        "byte 6: Span.trace_id is all zeros");
  CHECK(contains(refusal_of(request_of(trace_id_field + field(2, "012345678"))), "Span.span_id has 9 bytes"));
  CHECK(contains(refusal_of(request_of(trace_id_field + field(2, std::string(8, '\0')))), "Span.span_id is all zeros"));
  CHECK(contains(refusal_of(request_with(field(4, "1234"))), "Span.parent_span_id has 4 bytes"));
  CHECK(contains(refusal_of(request_with(field(13, field(1, "1234")))), "Link.trace_id has 4 bytes, 16 are needed"));
  CHECK(contains(refusal_of(request_with(varint_field(5, 1))),
                 "Span.name is sent as a varint, it must be length-delimited"));
  CHECK(contains(refusal_of(request_with(field(7, "12345678"))),
                 "Span.start_time_unix_nano is sent as length-delimited"));
  CHECK(contains(refusal_of("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
                 "is said to have 18446744073709551615 bytes"));
  CHECK(contains(refusal_of("\x0a\x05"
                            "ab"),
                 "field 1 is said to have 5 bytes, 2 are left"));
  CHECK(contains(refusal_of(std::string(11, '\xff')), "longer than ten bytes"));
  CHECK(contains(refusal_of("\x0f"), "unknown wire type 7"));
  CHECK(contains(refusal_of(std::string("\x02\x00", 2)), "impossible number"));
  CHECK(contains(refusal_of("\x0c"), "group 1 ends but never began"));
  std::string groups;
  for (int i = 0; i < 100'000; ++i) groups += "\x9b\x06";
  CHECK(refusal_of(groups) == "byte 0: the message ends inside group 99");
  // Eight zeros are some senders' way to write that there is no parent; a link may point nowhere.
  CHECK(refusal_of(request_with(field(4, std::string(8, '\0')) + field(13, field(1, "")))).empty());
}

TEST_CASE("values are nested up to the limit") {
  const auto in_span = [](int depth) { return request_with(field(9, field(1, "k") + field(2, nested(depth)))); };
  CHECK(refusal_of(in_span(max_value_depth)).empty());
  CHECK(contains(refusal_of(in_span(max_value_depth + 1)), "a value is nested deeper than 64 levels"));
  CHECK(contains(refusal_of(in_span(20'000)), "a value is nested deeper than 64 levels"));
}

TEST_CASE("cut anywhere, a request is refused or a shorter request") {
  int whole = 0;
  for (std::size_t size = 0; size < golden_request.size(); ++size)
    if (refusal_of(golden_request.substr(0, size)).empty()) ++whole;
  CHECK(whole == 2);  // nothing, and the first of the two ResourceSpans
}

TEST_CASE("20,000 damaged requests: each is read or refused") {
  std::mt19937 random(20'261'122);
  const auto below = [&random](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(golden_request);
    for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
      const std::size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
          break;
        case 2:
          bytes.erase(at, 1 + below(8));
          break;
        case 3:
          bytes.insert(at, 1 + below(8), static_cast<char>(random()));
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(60)));
          break;
      }
    }
    read += refusal_of(bytes).empty();
  }
  // Both happen, or this test would test nothing.
  CHECK(read > 1'000);
  CHECK(read < 19'000);
}
