#include <fulgurite/encoder/zipkin_tags.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace fg = fulgurite;

namespace {

const std::string sdk =
    R"(,"telemetry.sdk.name":"fulgurite","telemetry.sdk.language":"cpp","telemetry.sdk.version":")" +
    std::string(fg::library_version) + "\"";

std::string endpoint(std::string_view name) {
  return R"(,"localEndpoint":{"serviceName":")" + std::string(name) + R"("},"tags":)";
}

}  // namespace

TEST_CASE("nobody says who records") {
  fg::detail::zipkin_fixed_tags tags;
  tags.describe(nullptr, nullptr);
  CHECK(tags.head() == endpoint("unknown_service"));
  CHECK(tags.before_tags() == tags.head().size());
}

TEST_CASE("the service is the local endpoint, everything else a tag") {
  fg::detail::zipkin_fixed_tags tags;
  const fg::resource of{.service_name = "shop",
                        .service_version = "1.2",
                        .environment = "test",
                        .attributes = {{"service.namespace", "eu"}, {"cores", 4}}};
  const fg::instrumentation_scope scope{"lib", "3", {{"a", true}}};
  tags.describe(&of, &scope);
  CHECK(tags.head() == endpoint("shop") + R"(,"service.version":"1.2","deployment.environment.name":"test")" + sdk +
                           R"(,"service.namespace":"eu","cores":"4","a":"true","otel.scope.name":"lib",)"
                           R"("otel.library.name":"lib","otel.scope.version":"3","otel.library.version":"3")");
  CHECK(tags.head().substr(tags.before_tags()).starts_with(",\"service.version\""));
}

TEST_CASE("a service's name in any form") {
  fg::detail::zipkin_fixed_tags tags;
  const auto of = [&](fg::resource const& resource) {
    tags.describe(&resource, nullptr);
    return std::string(tags.head());
  };
  CHECK(of({}) == endpoint("unknown_service") + sdk);
  CHECK(of({.service_name = "a\"b"}) == endpoint("a\\\"b") + sdk);
  CHECK(of({.service_name = "member", .attributes = {{"service.name", "given"}}}) == endpoint("given") + sdk);
  CHECK(of({.attributes = {{"service.name", 5}}}) == endpoint("5") + sdk);
  CHECK(of({.attributes = {{"service.name", ""}}}) == endpoint("unknown_service") + sdk);
}

TEST_CASE("the scope wins over the resource, the mapping over both, and the status is never theirs") {
  fg::detail::zipkin_fixed_tags tags;
  const fg::resource of{
      .attributes = {{"a", "resource"}, {"error", "x"}, {"otel.scope.name", "x"}, {"otel.scope.version", "kept"}}};
  const fg::instrumentation_scope scope{"lib", "", {{"a", "scope"}, {"otel.status_code", "OK"}}};
  tags.describe(&of, &scope);
  CHECK(tags.head() ==
        endpoint("unknown_service") + sdk +
            R"(,"otel.scope.version":"kept","a":"scope","otel.scope.name":"lib","otel.library.name":"lib")");
}

TEST_CASE("keys that clash") {
  fg::detail::zipkin_fixed_tags tags;
  const fg::resource of{.attributes = {{"host.name", "h"}}};
  tags.describe(&of, nullptr);
  for (const char* const key :
       {"error", "otel.status_code", "otel.dropped_links_count", "host.name", "telemetry.sdk.name"})
    CHECK(tags.clashes(key));
  for (const char* const key : {"", "errors", "otel.scope.name", "host.names", "service.name"})
    CHECK_FALSE(tags.clashes(key));
  CHECK_FALSE(tags.overlaps_counts());
  tags.describe(nullptr, nullptr);
  CHECK_FALSE(tags.clashes("host.name"));
  const fg::instrumentation_scope scope{"", "", {{"otel.dropped_events_count", 3}}};
  tags.describe(nullptr, &scope);
  CHECK(tags.overlaps_counts());
}
