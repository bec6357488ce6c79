#include <fulgurite/encoder/zipkin_json.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

fg::span_data numbered(std::uint64_t number, const char* name = "n") {
  fg::span_data span;
  span.name = name;
  span.trace_id = fg::trace_id::from_numbers(0, 1);
  span.span_id = fg::span_id::from_number(number);
  span.start_time = 1000;
  span.end_time = 2000;
  return span;
}
std::string json(char number, std::string const& rest = R"(,"localEndpoint":{"serviceName":"unknown_service"})") {
  return std::string(R"({"traceId":"00000000000000000000000000000001","id":"000000000000000)") + number +
         R"(","name":"n","timestamp":1,"duration":1)" + rest + "}";
}

const std::shared_ptr<const fg::resource> nobody;
const std::shared_ptr<const fg::instrumentation_scope> no_scope;

}  // namespace

TEST_CASE("an array of no, one and two spans") {
  fg::zipkin_json_encoder encoder;
  encoder.begin(nobody, no_scope);
  CHECK(text(encoder.finish()) == "[]");
  encoder.begin(nobody, no_scope);
  encoder.add(numbered(1));
  CHECK(text(encoder.finish()) == "[" + json('1') + "]");
  CHECK(text(encoder.finish()) == "[" + json('1') + "]");
  encoder.begin(nobody, no_scope);
  encoder.add(numbered(2));
  encoder.add(numbered(3));
  CHECK(text(encoder.finish()) == "[" + json('2') + "," + json('3') + "]");
}

TEST_CASE("the size is that of the finished request, and can be cut back to") {
  fg::zipkin_json_encoder encoder;
  encoder.begin(nobody, no_scope);
  const std::size_t empty = encoder.size();
  CHECK(empty <= 2);
  encoder.add(numbered(1));
  const std::size_t one = encoder.size();
  CHECK(one == json('1').size() + 2);
  encoder.add(numbered(2));
  CHECK(encoder.size() == json('1').size() + json('2').size() + 3);
  encoder.cut(one);
  encoder.add(numbered(3));
  CHECK(text(encoder.finish()) == "[" + json('1') + "," + json('3') + "]");
  encoder.cut(one);
  CHECK(text(encoder.finish()) == "[" + json('1') + "]");
  encoder.cut(empty);
  CHECK(text(encoder.finish()) == "[]");
  encoder.add(numbered(4));
  CHECK(text(encoder.finish()) == "[" + json('4') + "]");
}

TEST_CASE("another resource or scope") {
  const auto service = [](const char* name) {
    return std::make_shared<fg::resource>(fg::resource{.service_name = name});
  };
  const auto scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{"lib", "1"});
  fg::zipkin_json_encoder encoder;
  const auto with = [&](std::shared_ptr<const fg::resource> const& of,
                        std::shared_ptr<const fg::instrumentation_scope> const& in) {
    encoder.begin(of, in);
    encoder.add(numbered(1));
    return text(encoder.finish());
  };
  const auto a = service("a"), b = service("b");
  CHECK(with(a, no_scope).find(R"("localEndpoint":{"serviceName":"a"})") != std::string::npos);
  CHECK(with(b, no_scope).find(R"("localEndpoint":{"serviceName":"b"})") != std::string::npos);
  CHECK(with(b, no_scope).find("otel.scope.name") == std::string::npos);
  CHECK(with(b, scope).find(R"("otel.scope.name":"lib")") != std::string::npos);
  CHECK(with(nobody, scope) ==
        "[" +
            json('1', R"(,"localEndpoint":{"serviceName":"unknown_service"},"tags":{"otel.scope.name":"lib",)"
                      R"("otel.library.name":"lib","otel.scope.version":"1","otel.library.version":"1"})") +
            "]");
}

TEST_CASE("a batch, with its resource and scope") {
  fulgurite_test::record_builder builder(std::make_shared<fg::resource>(
      fg::resource{.service_name = "shop", .attributes = {{"telemetry.sdk.name", "x"}}}));
  builder.add(numbered(1));
  fg::zipkin_json_encoder encoder;
  CHECK(text(fg::to_zipkin_json(builder.batch(), encoder)) ==
        "[" +
            json('1', R"(,"localEndpoint":{"serviceName":"shop"},"tags":{"telemetry.sdk.language":"cpp",)"
                      R"("telemetry.sdk.version":")" +
                          std::string(fg::library_version) + R"(","telemetry.sdk.name":"x"})") +
            "]");
}

TEST_CASE("owned spans, each with its own resource and scope") {
  std::vector<fg::span_data> spans{numbered(1), numbered(2), numbered(3)};
  spans[1].scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{"", "", {{"a", 1}}});
  CHECK(fg::to_zipkin_json(std::span<const fg::span_data>()) == "[]");
  CHECK(fg::to_zipkin_json(spans) ==
        "[" + json('1') + "," + json('2', R"(,"localEndpoint":{"serviceName":"unknown_service"},"tags":{"a":"1"})") +
            "," + json('3') + "]");
}

TEST_CASE("memory that grows by far, and is given back") {
  fg::span_data large = numbered(1);
  for (int i = 0; i < 100; ++i)
    large.attributes.push_back({std::to_string(i), std::string(60000, i % 2 ? '\x01' : 'x')});
  fulgurite_test::record_builder builder;
  for (int i = 0; i < 3; ++i) builder.add(large);
  fg::zipkin_json_encoder encoder;
  const std::string first = text(fg::to_zipkin_json(builder.batch(), encoder));
  CHECK(first.size() > 3 * (50 * 60000 + 50 * 360000));
  encoder.shrink(4096);
  CHECK(text(fg::to_zipkin_json(builder.batch(), encoder)) == first);
}
