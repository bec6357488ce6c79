// Who records: the resource, and the scope a tracer's spans belong to.
#pragma once

#include <fulgurite/platform/version.hpp>
#include <fulgurite/record/attribute_value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// The entity that produces spans (OpenTelemetry, resource/README.md). An empty member is not sent, except that
/// `service.name` then is `unknown_service`.
struct resource {
  std::string service_name = {};
  std::string service_version = {};
  /// `deployment.environment.name`
  std::string environment = {};
  std::vector<attribute> attributes = {};

  friend bool operator==(resource const&, resource const&) = default;
};

/// The library or module whose spans these are (OpenTelemetry, common/instrumentation-scope.md).
struct instrumentation_scope {
  std::string name = {};
  std::string version = {};
  std::vector<attribute> attributes = {};

  friend bool operator==(instrumentation_scope const&, instrumentation_scope const&) = default;
};

namespace detail {

/// Calls `visit(std::string_view key, attribute_value const&)` for each of all_attributes().
template <class Visit>
void for_each_attribute(resource const& from, Visit&& visit) {
  const auto given = [&from](std::string_view key) {
    for (attribute const& a : from.attributes)
      if (a.key == key) return true;
    return false;
  };
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty() && !given(key)) visit(key, attribute_value(std::string(value)));
  };
  add("service.name", from.service_name.empty() ? std::string_view("unknown_service") : from.service_name);
  add("service.version", from.service_version);
  add("deployment.environment.name", from.environment);
  add("telemetry.sdk.name", "fulgurite");
  add("telemetry.sdk.language", "cpp");
  add("telemetry.sdk.version", library_version);
  for (attribute const& a : from.attributes) visit(std::string_view(a.key), a.value);
}

}  // namespace detail

/// Every attribute of a resource in the order it is sent: the service's, the SDK's, the given ones. A key that is given
/// in `attributes` wins over a member's.
inline std::vector<attribute> all_attributes(resource const& from) {
  std::vector<attribute> all;
  detail::for_each_attribute(
      from, [&](std::string_view key, attribute_value const& value) { all.push_back({std::string(key), value}); });
  return all;
}

}  // namespace v1
}  // namespace fulgurite
