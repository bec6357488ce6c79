// AWS X-Ray as an OTLP backend: how its address looks, what it takes in one request, and the exporter.
//
// X-Ray takes OTLP over HTTP/1.1 at `https://xray.REGION.amazonaws.com/v1/traces`, signed
// (exporter/aws/sigv4_signer.hpp). Limits: AWS X-Ray Developer Guide, "OpenTelemetry Protocol (OTLP) endpoint", quotas;
// decimal kilo- and megabytes, which is safe for either reading. It also refuses spans of more than 14 days ago or 2
// hours ahead, and those of one request that are more than a day apart: that is left to it, because what it refuses it
// says and we count, and because whose clock is wrong is not known here.
#pragma once

#include <fulgurite/exporter/aws/sigv4_signer.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/text/ascii.hpp>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

/// Signs every attempt (exporter/aws/sigv4_signer.hpp).
class xray_signer final : public request_signer {
 public:
  explicit xray_signer(std::shared_ptr<sigv4_signer> signer) : signer_(std::move(signer)) {}

  std::string prepare(http_endpoint const& to, http_headers& headers, std::span<const std::byte> body,
                      std::chrono::steady_clock::time_point deadline) override {
    signed_headers made = signer_->sign("POST", to, to.path, headers, body, std::time(nullptr), deadline);
    if (made.problem.empty()) headers = std::move(made.headers);
    return std::move(made.problem);
  }
  bool learn(http_answer const& answer) override {
    return signer_->answered(answer.status, answer.date, std::time(nullptr));
  }
  void interrupt() noexcept override { signer_->interrupt(); }
  std::shared_ptr<request_signer> for_child() const override {
    return std::make_shared<xray_signer>(signer_->for_child());
  }

 private:
  std::shared_ptr<sigv4_signer> signer_;
};

}  // namespace detail

/// OTLP over HTTP, signed for X-Ray; `options.endpoint` is `https://xray.REGION.amazonaws.com/v1/traces`. The
/// credentials come from the environment, the shared files or the container (exporter/aws/credentials.hpp). `region`
/// is what to sign for where the endpoint's host does not say it.
class xray_exporter : public detail::channel_exporter<detail::otlp_channel> {
 public:
  explicit xray_exporter(otlp_http_options options, std::string_view region = {}) noexcept
      : channel_exporter("xray", options.timeout) {
    construct([&] {
      detail::http_wire_options to;
      std::string problem = detail::read_http_options(options, to);
      if (!problem.empty()) return problem;
      to.signer =
          std::make_shared<detail::xray_signer>(std::make_shared<detail::sigv4_signer>(detail::sigv4_signer_options{
              detail::aws_sources_from_environment(), detail::xray_signing_region(to.endpoint.host, region), "xray"}));
      using limits = detail::xray_limits;
      open({.gzip = options.gzip,
            .delivery = options.delivery,
            .limits = {.bytes = limits::request, .spans = limits::spans, .bytes_of_a_span = limits::span}},
           std::move(to), options.concurrent_requests);
      return problem;
    });
  }
};

static_assert(check_exporter<xray_exporter>());

}  // namespace v1
}  // namespace fulgurite
