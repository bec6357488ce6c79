// AWS X-Ray as an OTLP backend: how its address looks, and what it takes in one request.
//
// X-Ray takes OTLP over HTTP/1.1 at `https://xray.REGION.amazonaws.com/v1/traces`, signed (exporter/sigv4_signer.hpp).
// Limits: AWS X-Ray Developer Guide, "OpenTelemetry Protocol (OTLP) endpoint", quotas; decimal kilo- and megabytes,
// which is safe for either reading. It also refuses spans of more than 14 days ago or 2 hours ahead, and those of one
// request that are more than a day apart: that is left to it, because what it refuses it says and we count, and because
// whose clock is wrong is not known here.
#pragma once

#include <fulgurite/diagnostics/ascii.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What X-Ray takes, in bytes before compression.
struct xray_limits {
  static constexpr std::size_t request = 5'000'000;
  static constexpr std::size_t spans = 10'000;
  static constexpr std::size_t span = 200'000;
  /// Of the resource and the instrumentation scope together.
  static constexpr std::size_t resource_and_scope = 16'000;
};

/// What becomes of a span that was encoded into a request.
enum class xray_fit { fits, next_request, too_large };

/// `before` and `after`: the request's size without and with the span. `spans`: how many it had before.
constexpr xray_fit fit_into_xray(std::size_t before, std::size_t after, std::size_t spans) noexcept {
  if (after - before > xray_limits::span) return xray_fit::too_large;
  if (after <= xray_limits::request && spans < xray_limits::spans) return xray_fit::fits;
  return spans > 0 ? xray_fit::next_request : xray_fit::too_large;
}

/// The region of X-Ray's host (`xray.eu-west-1.amazonaws.com`, also FIPS, dual stack and China); empty when it is
/// another host.
inline std::string_view xray_region(std::string_view host) noexcept {
  const auto take = [&host](std::string_view part, bool at_end) {
    if (host.size() <= part.size()) return false;
    const std::string_view there = at_end ? host.substr(host.size() - part.size()) : host.substr(0, part.size());
    if (!equal_ignoring_case(there, part)) return false;
    if (at_end)
      host.remove_suffix(part.size());
    else
      host.remove_prefix(part.size());
    return true;
  };
  if (!take("xray.", false) && !take("xray-fips.", false)) return {};
  if (!take(".amazonaws.com", true) && !take(".amazonaws.com.cn", true) && !take(".api.aws", true)) return {};
  return host.find('.') == std::string_view::npos ? host : std::string_view();
}

/// The region to sign for: the host's own, because a signature for any other is refused; else the one that is set (an
/// endpoint of a private network has a name of its own).
inline std::string xray_signing_region(std::string_view host, std::string_view configured) {
  const std::string_view own = xray_region(host);
  std::string region(own.empty() ? configured : own);
  for (char& c : region) c = lower_case(c);
  return region;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
