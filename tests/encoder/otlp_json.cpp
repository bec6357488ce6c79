// Exactness against the official classes is tested by tests/integration/otlp_oracle.py; here the form is spelled out.
#include <fulgurite/encoder/otlp_json.hpp>

#include "../record_builder.hpp"
#include "request_encoder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;

namespace {

const std::string sdk = R"({"key":"telemetry.sdk.name","value":{"stringValue":"fulgurite"}},)"
                        R"({"key":"telemetry.sdk.language","value":{"stringValue":"cpp"}},)"
                        R"({"key":"telemetry.sdk.version","value":{"stringValue":")" +
                        std::string(fg::library_version) + R"("}})";

fg::span_data plain() {
  fg::span_data span;
  span.name = "n";
  span.trace_id = fg::trace_id::from_numbers(0xabcdef, 1);
  span.span_id = fg::span_id::from_number(0xff00);
  span.start_time = 1;
  span.end_time = 2;
  return span;
}
const std::string plain_json =
    R"({"traceId":"0000000000abcdef0000000000000001","spanId":"000000000000ff00","flags":256,"name":"n","kind":1,)"
    R"("startTimeUnixNano":"1","endTimeUnixNano":"2"})";

}  // namespace

TEST_CASE("no spans") { CHECK(fg::to_otlp_json(std::vector<fg::span_data>()) == R"({"resourceSpans":[]})"); }

TEST_CASE("a span without resource and scope; nothing is written that is empty") {
  const std::vector<fg::span_data> spans{plain()};
  CHECK(fg::to_otlp_json(spans) ==
        R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[)" + plain_json + "]}]}]}");
}

TEST_CASE("a batch, with its resource and scope") {
  fulgurite_test::record_builder builder(
      std::make_shared<fg::resource>(
          fg::resource{.service_name = "shop", .environment = "test", .attributes = {{"host", "h"}}}),
      std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{"lib", "1.2", {{"a", true}}}));
  const fg::span_data span = plain();
  builder.add(span);
  builder.add(span);
  CHECK(fg::to_otlp_json(builder.batch()) ==
        R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},)"
        R"({"key":"deployment.environment.name","value":{"stringValue":"test"}},)" +
            sdk +
            R"(,{"key":"host","value":{"stringValue":"h"}}]},"scopeSpans":[{"scope":{"name":"lib","version":"1.2",)"
            R"("attributes":[{"key":"a","value":{"boolValue":true}}]},"spans":[)" +
            plain_json + "," + plain_json + "]}]}]}");
}

TEST_CASE("everything a span may hold") {
  fg::span_data span = plain();
  span.parent_span_id = fg::span_id::from_number(3);
  span.kind = fg::span_kind::consumer;
  span.trace_state = "a=1";
  span.flags = 0x301;
  span.status = {fg::status_code::error, "bad"};
  span.attributes = {{"null", {}},
                     {"int", std::numeric_limits<std::int64_t>::min()},
                     {"real", 0.5},
                     {"whole", 2.0},
                     {"nan", std::numeric_limits<double>::quiet_NaN()},
                     {"zero", -0.0},
                     {"bytes", fg::bytes{std::byte{0xff}}},
                     {"list", fg::attribute_value(std::vector<fg::attribute_value>{1, {}})},
                     {"empty", fg::attribute_value(std::vector<fg::attribute_value>{})},
                     {"map", fg::attribute_value(std::vector<fg::attribute>{{"k", "v"}})}};
  span.events = {{"e", 5, {{"k", 1}}}};
  span.links = {
      {fg::span_context(span.trace_id, span.span_id, fg::trace_flags(1), true, fg::trace_state::from_header("b=2")),
       {}}};
  span.dropped_attributes_count = 1;
  span.dropped_events_count = 2;
  span.dropped_links_count = 3;
  const std::string json = fg::to_otlp_json(std::vector<fg::span_data>{span});
  CHECK(json.find(R"("traceState":"a=1","parentSpanId":"0000000000000003","flags":769,"name":"n","kind":5)") !=
        std::string::npos);
  CHECK(json.find(
            R"("attributes":[{"key":"null","value":{}},{"key":"int","value":{"intValue":"-9223372036854775808"}},)"
            R"({"key":"real","value":{"doubleValue":0.5}},{"key":"whole","value":{"doubleValue":2}},)"
            R"({"key":"nan","value":{"doubleValue":"NaN"}},{"key":"zero","value":{"doubleValue":-0.0}},)"
            R"({"key":"bytes","value":{"bytesValue":"/w=="}},)"
            R"({"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{}]}}},)"
            R"({"key":"empty","value":{"arrayValue":{}}},)"
            R"({"key":"map","value":{"kvlistValue":{"values":[{"key":"k","value":{"stringValue":"v"}}]}}}],)"
            R"("droppedAttributesCount":1,"events":[{"timeUnixNano":"5","name":"e","attributes":[{"key":"k","value":)"
            R"({"intValue":"1"}}]}],"droppedEventsCount":2,)") != std::string::npos);
  CHECK(json.find(R"("links":[{"traceId":"0000000000abcdef0000000000000001","spanId":"000000000000ff00","traceState":)"
                  R"("b=2","flags":769}],"droppedLinksCount":3,"status":{"message":"bad","code":2}})") !=
        std::string::npos);
}

TEST_CASE("values nested too deep end in an empty one") {
  fg::attribute_value deep = 1;
  for (int i = 0; i < 1000; ++i) deep = fg::attribute_value(std::vector<fg::attribute_value>{deep});
  fg::span_data span = plain();
  span.attributes = {{"deep", deep}};
  const std::string json = fg::to_otlp_json(std::vector<fg::span_data>{span});
  CHECK(json.find("intValue") == std::string::npos);
  CHECK(json.size() < 5000);
}

TEST_CASE("an encoder takes spans back and starts over; the commas of its spans") {
  fulgurite_test::check_request_encoder<fg::otlp_json_encoder>(plain(), 0);
  fg::otlp_json_encoder encoder;
  encoder.begin(nullptr, nullptr);
  const std::string empty = fulgurite_test::text(encoder.finish());
  CHECK(empty == R"({"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[]}]}]})");
  CHECK(encoder.size() == empty.size());
  encoder.add(plain());
  CHECK(fulgurite_test::text(encoder.finish()).ends_with(R"("spans":[)" + plain_json + "]}]}]}"));
  encoder.add(plain());  // after `finish`
  CHECK(fulgurite_test::text(encoder.finish()).ends_with(R"("spans":[)" + plain_json + "," + plain_json + "]}]}]}"));
}

TEST_CASE("the commas of a scope") {
  const auto scope = [](fg::instrumentation_scope of) {
    fulgurite_test::record_builder builder(std::make_shared<fg::resource>(),
                                           std::make_shared<fg::instrumentation_scope>(std::move(of)));
    const std::string json = fg::to_otlp_json(builder.batch());
    return json.substr(json.find("\"scope\":"));
  };
  const std::string rest = R"(,"spans":[]}]}]})";
  const std::string attributes = R"("attributes":[{"key":"a","value":{"intValue":"1"}}])";
  CHECK(scope({}) == R"("scope":{})" + rest);
  CHECK(scope({"n", "", {}}) == R"("scope":{"name":"n"})" + rest);
  CHECK(scope({"", "v", {}}) == R"("scope":{"version":"v"})" + rest);
  CHECK(scope({"", "", {{"a", 1}}}) == R"("scope":{)" + attributes + "}" + rest);
  CHECK(scope({"n", "", {{"a", 1}}}) == R"("scope":{"name":"n",)" + attributes + "}" + rest);
  CHECK(scope({"n", "v", {}}) == R"("scope":{"name":"n","version":"v"})" + rest);
}
