// Exactness over random spans is tested by tests/integration/zipkin_oracle.py; here the form is spelled out.
#include <fulgurite/encoder/zipkin_json.hpp>
#include <fulgurite/encoder/zipkin_span_writer.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

fg::span_data plain() {
  fg::span_data span;
  span.name = "n";
  span.trace_id = fg::trace_id::from_numbers(0xabcdef, 1);
  span.span_id = fg::span_id::from_number(0xff00);
  span.start_time = 1'700'000'000'123'456'789;
  span.end_time = span.start_time + 5'999;
  return span;
}
const std::string ids = R"({"traceId":"0000000000abcdef0000000000000001","id":"000000000000ff00")";
const std::string times = R"(,"timestamp":1700000000123456,"duration":5)";
const std::string local = R"(,"localEndpoint":{"serviceName":"unknown_service"})";

/// What stands between the brackets.
std::string text(std::span<const std::byte> array) {
  return std::string(reinterpret_cast<const char*>(array.data()) + 1, array.size() - 2);
}
std::string written(fg::span_data const& span, std::shared_ptr<const fg::resource> const& of = nullptr,
                    std::shared_ptr<const fg::instrumentation_scope> const& scope = nullptr) {
  fg::zipkin_json_encoder encoder;
  encoder.begin(of, scope);
  encoder.add(span);
  const std::string owned = text(encoder.finish());
  // A record says the same, however its texts are packed.
  for (const std::uint64_t literals : {std::uint64_t{0}, ~std::uint64_t{0}, std::uint64_t{0x5555'5555'5555'5555}}) {
    fulgurite_test::record_builder builder;
    builder.add(span, literals);
    encoder.begin(of, scope);
    builder.batch().for_each([&](fg::record_view const& record) { encoder.add(record); });
    CHECK(text(encoder.finish()) == owned);
  }
  return owned;
}
/// The tags of a span without a resource.
std::string tags(fg::span_data const& span) {
  const std::string whole = written(span), before = local + ",\"tags\":";
  const std::size_t at = whole.find(before);
  if (at == std::string::npos) return "none";
  return whole.substr(at + before.size(), whole.size() - at - before.size() - 1);
}
std::string tags_of(std::vector<fg::attribute> attributes) {
  fg::span_data span = plain();
  span.attributes = std::move(attributes);
  return tags(span);
}

}  // namespace

TEST_CASE("nothing is written that is empty") {
  CHECK(written(plain()) == ids + R"(,"name":"n")" + times + local + "}");
  fg::span_data bare = plain();
  bare.name.clear();
  CHECK(written(bare) == ids + times + local + "}");
}

TEST_CASE("parent and kind") {
  fg::span_data span = plain();
  span.parent_span_id = fg::span_id::from_number(0x123456789abcdef0);
  const auto of = [&](fg::span_kind kind) {
    span.kind = kind;
    const std::string all = written(span), before = ids + R"(,"parentId":"123456789abcdef0")";
    REQUIRE(all.starts_with(before));
    return all.substr(before.size(), all.find(",\"name\"") - before.size());
  };
  CHECK(of(fg::span_kind::internal).empty());
  CHECK(of(fg::span_kind::server) == R"(,"kind":"SERVER")");
  CHECK(of(fg::span_kind::client) == R"(,"kind":"CLIENT")");
  CHECK(of(fg::span_kind::producer) == R"(,"kind":"PRODUCER")");
  CHECK(of(fg::span_kind::consumer) == R"(,"kind":"CONSUMER")");
}

TEST_CASE("times are whole microseconds; a duration is at least one") {
  const auto of = [](std::int64_t start, std::int64_t end) {
    fg::span_data span = plain();
    span.start_time = start;
    span.end_time = end;
    const std::string all = written(span);
    const std::size_t at = all.find(R"(,"name":"n")") + 11;
    return all.substr(at, all.find(local) - at);
  };
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(of(1999, 3998) == R"(,"timestamp":1,"duration":1)");  // of the difference: not 3 - 1
  CHECK(of(1000, 3000) == R"(,"timestamp":1,"duration":2)");
  CHECK(of(5000, 5000) == R"(,"timestamp":5,"duration":1)");
  CHECK(of(5000, 0) == R"(,"timestamp":5,"duration":1)");
  CHECK(of(999, 1'000'999) == R"(,"duration":1000)");
  CHECK(of(-5000, 5000) == R"(,"duration":10)");
  CHECK(of(std::numeric_limits<std::int64_t>::min(), most) == R"(,"duration":18446744073709551)");
  CHECK(of(most, most) == R"(,"timestamp":9223372036854775,"duration":1)");
}

TEST_CASE("tags are texts") {
  CHECK(tags_of({}) == "none");
  CHECK(tags_of({{"a", "b"}}) == R"({"a":"b"})");
  CHECK(tags_of({{"text", "say \"x\""},
                 {"true", true},
                 {"false", false},
                 {"int", std::numeric_limits<std::int64_t>::min()},
                 {"real", 0.1},
                 {"nan", std::numeric_limits<double>::quiet_NaN()},
                 {"null", {}},
                 {"", ""},
                 {"bytes", fg::bytes{std::byte{0xff}}},
                 {"list", fg::attribute_value(std::vector<fg::attribute_value>{1, "x"})},
                 {"map", fg::attribute_value(std::vector<fg::attribute>{{"k", "v"}})}}) ==
        R"({"text":"say \"x\"","true":"true","false":"false","int":"-9223372036854775808","real":"0.1","nan":"NaN",)"
        R"("null":"","":"","bytes":"/w==","list":"[1,\"x\"]","map":"{\"k\":\"v\"}"})");
}

TEST_CASE("the status") {
  fg::span_data span = plain();
  span.attributes = {{"a", 1}};
  span.status = {fg::status_code::ok, ""};
  CHECK(tags(span) == R"({"a":"1","otel.status_code":"OK"})");
  span.status = {fg::status_code::error, ""};
  CHECK(tags(span) == R"({"a":"1","otel.status_code":"ERROR","error":""})");
  span.status = {fg::status_code::error, "no \"card\""};
  CHECK(tags(span) == R"({"a":"1","otel.status_code":"ERROR","error":"no \"card\""})");
}

TEST_CASE("`error` and `otel.status_code` are the status's alone") {
  fg::span_data span = plain();
  for (fg::attribute_value const& value : {fg::attribute_value(false), fg::attribute_value(true),
                                           fg::attribute_value("false"), fg::attribute_value("timeout")}) {
    span.attributes = {{"error", value}, {"a", 1}, {"otel.status_code", "OK"}};
    span.status = {};
    CHECK(tags(span) == R"({"a":"1"})");
    span.status = {fg::status_code::ok, ""};
    CHECK(tags(span) == R"({"a":"1","otel.status_code":"OK"})");
    span.status = {fg::status_code::error, "declined"};
    CHECK(tags(span) == R"({"a":"1","otel.status_code":"ERROR","error":"declined"})");
  }
  span.attributes = {{"error", false}};
  span.status = {};
  CHECK(tags(span) == "none");
}

TEST_CASE("what was dropped is counted") {
  fg::span_data span = plain();
  span.dropped_attributes_count = 1;
  span.dropped_links_count = std::numeric_limits<std::uint32_t>::max();
  CHECK(tags(span) == R"({"otel.dropped_attributes_count":"1","otel.dropped_links_count":"4294967295"})");
  span.dropped_events_count = 2;
  span.attributes = {{"otel.dropped_events_count", "mine"}, {"a", 1}};
  CHECK(tags(span) == R"({"a":"1","otel.dropped_attributes_count":"1","otel.dropped_events_count":"2",)"
                      R"("otel.dropped_links_count":"4294967295"})");
  // Where the mapping has nothing to say the attribute stands.
  span.dropped_events_count = 0;
  CHECK(tags(span) == R"({"otel.dropped_events_count":"mine","a":"1","otel.dropped_attributes_count":"1",)"
                      R"("otel.dropped_links_count":"4294967295"})");
}

TEST_CASE("the span wins over scope and resource, the mapping over the span") {
  const auto of = std::make_shared<fg::resource>(
      fg::resource{.service_name = "shop", .attributes = {{"host", "resource"}, {"zone", "resource"}}});
  const auto scope =
      std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{"lib", "", {{"part", "scope"}}});
  fg::span_data span = plain();
  const auto written_tags = [&] {
    const std::string all = written(span, of, scope);
    return all.substr(all.find(R"(,"telemetry.sdk.version":")"));
  };
  const std::string sdk = R"(,"telemetry.sdk.version":")" + std::string(fg::library_version) + '"';
  const std::string own = R"(,"otel.scope.name":"lib","otel.library.name":"lib")";
  CHECK(written_tags() == sdk + R"(,"host":"resource","zone":"resource","part":"scope")" + own + "}}");
  span.attributes = {{"host", "span"}, {"part", 1}, {"otel.scope.name", "x"}, {"otel.scope.version", "2"}};
  CHECK(written_tags() ==
        sdk + R"(,"zone":"resource")" + own + R"(,"host":"span","part":"1","otel.scope.version":"2"}})");
}

TEST_CASE("a count wins over the resource's and the scope's attribute of its name") {
  const auto of = std::make_shared<fg::resource>(fg::resource{.attributes = {{"otel.dropped_links_count", "r"}}});
  fg::span_data span = plain();
  const auto times_said = [&] {
    const std::string all = written(span, of);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = all.find("otel.dropped_links_count", at)) != std::string::npos; ++at) ++count;
    return std::pair(count, all.find(R"("otel.dropped_links_count":"7")") != std::string::npos);
  };
  CHECK(times_said() == std::pair(std::size_t{1}, false));
  span.dropped_links_count = 7;
  CHECK(times_said() == std::pair(std::size_t{1}, true));
}

TEST_CASE("no key stands twice") {
  CHECK(tags_of({{"\xff", 1}, {"a", 2}, {"\xfe", 3}}) == "{\"a\":\"2\",\"\xef\xbf\xbd\":\"3\"}");
  CHECK(tags_of({{"a", 1}, {"b", 2}, {"a", 3}}) == R"({"b":"2","a":"3"})");
  CHECK(tags_of({{"q\"", 1}, {"\xc3\xbc", 2}}) == "{\"q\\\"\":\"1\",\"\xc3\xbc\":\"2\"}");
  std::vector<fg::attribute> many;
  for (int i = 0; i < 200; ++i) many.push_back({"key." + std::to_string(i % 100), i});
  const std::string all = tags_of(many);
  CHECK(all.starts_with(R"({"key.0":"100","key.1":"101",)"));
  CHECK(all.ends_with(R"("key.99":"199"})"));
}

TEST_CASE("events become annotations") {
  fg::span_data span = plain();
  span.events = {
      {"plain", 1'700'000'000'123'456'999, {}},
      {"my-event-name", 1999, {{"key1", "value1"}, {"key2", 2}, {"list", std::vector<fg::attribute_value>{true, {}}}}},
      {"", 0, {}},
      {"a \"b\"\n", -1, {{"", "c \"d\""}}},
      {"twice", 5000, {{"k", 1}, {"l", 2}, {"k", 3}}}};
  const std::string all = written(span);
  CHECK(all ==
        ids + R"(,"name":"n")" + times + local +
            R"(,"annotations":[{"timestamp":1700000000123456,"value":"plain"},)"
            R"({"timestamp":1,"value":"\"my-event-name\": {\"key1\":\"value1\",\"key2\":2,\"list\":[true,null]}"},)"
            R"({"timestamp":0,"value":""},)"
            R"({"timestamp":0,"value":"\"a \\\"b\\\"\\n\": {\"\":\"c \\\"d\\\"\"}"},)"
            R"({"timestamp":5,"value":"\"twice\": {\"l\":2,\"k\":3}"}]})");
}

TEST_CASE("who was called") {
  fg::span_data span = plain();
  span.attributes = {{"db.name", "orders"}, {"peer.service", "shop"}};
  const std::string remote = R"(,"remoteEndpoint":{"serviceName":"shop"})";
  for (const auto kind : {fg::span_kind::client, fg::span_kind::producer}) {
    span.kind = kind;
    CHECK(written(span).ends_with(R"("tags":{"db.name":"orders","peer.service":"shop"})" + remote + "}"));
  }
  for (const auto kind : {fg::span_kind::internal, fg::span_kind::server, fg::span_kind::consumer}) {
    span.kind = kind;
    CHECK(written(span).find("remoteEndpoint") == std::string::npos);
  }
  // Also where the tags are written with care, and between tags and annotations.
  span.kind = fg::span_kind::client;
  span.attributes.push_back({"error", true});
  span.attributes.push_back({"peer.service", ""});
  span.events = {{"e", 1000, {}}};
  CHECK(written(span).ends_with(R"("tags":{"db.name":"orders","peer.service":""},"remoteEndpoint":)"
                                R"({"serviceName":"orders"},"annotations":[{"timestamp":1,"value":"e"}]})"));
}

TEST_CASE("links and the trace state have no mapping") {
  fg::span_data span = plain();
  span.trace_state = "a=1";
  span.flags = 0x301;
  span.links = {
      {fg::span_context(span.trace_id, span.span_id, fg::trace_flags(1), true, fg::trace_state::from_header("b=2")),
       {{"k", 1}}}};
  CHECK(written(span) == written(plain()));
}

TEST_CASE("the attributes of a schema") {
  const fg::span_data span = plain();
  const auto of = [&](fg::span_data const& base, auto&&... bound) {
    fulgurite_test::record_builder builder(std::make_shared<fg::resource>(fg::resource{.attributes = {{"a", "r"}}}));
    builder.add(base, ~std::uint64_t{0}, {}, std::forward<decltype(bound)>(bound)...);
    fg::zipkin_json_encoder encoder;
    const std::string all = text(fg::to_zipkin_json(builder.batch(), encoder));
    const std::string sdk = R"("telemetry.sdk.version":")" + std::string(fg::library_version) + '"';
    return all.substr(all.find(sdk) + sdk.size());
  };
  const std::string long_text(100, 'x');
  CHECK(of(span, "text"_a = "t\n", "int"_a = -5, "real"_a = 0.5, "flag"_a = true,
           "large"_a = std::numeric_limits<std::uint64_t>::max(), "long"_a = long_text) ==
        R"(,"a":"r","text":"t\n","int":"-5","real":"0.5","flag":"true","large":"18446744073709551615","long":")" +
            long_text + R"("}})");
  // With items behind; one of them sets an attribute of the schema again.
  fg::span_data more = span;
  more.attributes = {{"k", 1}};
  CHECK(of(more, "int"_a = 5) == R"(,"a":"r","int":"5","k":"1"}})");
  more.attributes = {{"int", 6}};
  CHECK(of(more, "int"_a = 5) == R"(,"a":"r","int":"6"}})");
  fulgurite_test::record_builder distinct;
  distinct.add(more, 0, {}, "b"_a = 5);
  distinct.keys_are_distinct();
  fg::zipkin_json_encoder encoder;
  CHECK(text(fg::to_zipkin_json(distinct.batch(), encoder)).ends_with(R"(","b":"5","int":"6"}})"));
  // Keys that cannot be prepared: the resource's, the mapping's, too long, to be escaped.
  CHECK(of(span, "a"_a = 1) == R"(,"a":"1"}})");
  CHECK(of(span, "error"_a = true, "b"_a = 1) == R"(,"a":"r","b":"1"}})");
  CHECK(of(span, "a.key.of.sixty.characters.and.one.more.that.cannot.be.prepared"_a = 1) ==
        R"(,"a":"r","a.key.of.sixty.characters.and.one.more.that.cannot.be.prepared":"1"}})");
  CHECK(of(span, "\""_a = 1) == R"(,"a":"r","\"":"1"}})");
  // The peer.
  fg::span_data call = span;
  call.kind = fg::span_kind::client;
  CHECK(of(call, "network.peer.port"_a = 80, "network.peer.address"_a = "::1", "b"_a = 2) ==
        R"(,"a":"r","network.peer.port":"80","network.peer.address":"::1","b":"2"},)"
        R"("remoteEndpoint":{"ipv6":"::1","port":80}})");
}
