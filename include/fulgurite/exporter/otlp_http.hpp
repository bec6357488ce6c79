// OTLP over HTTP with protobuf: to an OpenTelemetry Collector, Jaeger, or any backend that takes OTLP.
//
// The bytes come from encoder/otlp_protobuf.hpp, the connection from transport/http.hpp, the retries from
// delivery/delivery.hpp; exporter/otlp_channel.hpp joins them. Rules: opentelemetry-proto, docs/specification.md,
// OTLP/HTTP.
#pragma once

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/otlp_channel.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

struct otlp_http_options {
  /// The traces URL, used exactly as given: nothing is appended to it.
  std::string endpoint = "http://localhost:4318/v1/traces";
  /// Sent with every request. They are never logged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool gzip = true;
  /// For a batch, all its attempts included; 0 means no limit.
  std::chrono::milliseconds timeout{10'000};
  /// PEM files: whom to trust instead of the system's list, and who we are.
  std::string ca_file = {}, client_certificate = {}, client_key = {};
  delivery_options delivery = {};
};

/// Sends each batch and waits for the answer; `export_spans` therefore belongs on a worker's thread. Construction never
/// throws: what is wrong with the options is logged, and every batch then fails.
class otlp_http_exporter {
 public:
  explicit otlp_http_exporter(otlp_http_options options = {}) noexcept : timeout_(options.timeout) {
    try {
      open(options);
    } catch (...) {
      detail::log(log_level::error, "otlp_http: out of memory; no span will be delivered");
    }
  }

  /// Blocks until the batch is delivered, refused or out of time.
  export_result export_spans(span_batch const& batch) noexcept try {
    if (!channel_ || shut_down_) return export_result::failure;
    if (batch.empty()) return export_result::success;
    channel_->begin();
    return channel_->send(batch, until());
  } catch (...) {
    detail::log(log_level::error, "otlp_http: out of memory; a batch was not delivered");
    return export_result::failure;
  }
  /// Nothing is held back, so there is nothing to wait for.
  bool flush(deadline) noexcept { return channel_ != nullptr; }
  bool shutdown(deadline) noexcept {
    shut_down_ = true;
    return channel_ != nullptr;
  }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    if (channel_) channel_->interrupt();
  }

  exporter_stats stats() const noexcept { return channel_ ? channel_->stats() : exporter_stats{}; }
  /// Sends an empty request, over a connection of its own; from any thread.
  health_report check_health(deadline until) const {
    if (channel_) return channel_->check(until);
    return {.reachable = false, .endpoint = {}, .reason = problem_, .latency = {}};
  }

 private:
  void open(otlp_http_options& options) {
    detail::otlp_channel_options channel;
    problem_ = detail::parse_endpoint(options.endpoint, channel.endpoint);
    for (auto const& [name, value] : options.headers)
      if (problem_.empty() && !detail::is_valid_header(name, value))
        problem_ = "a header has no valid name, or a control character in its value";
    if (!problem_.empty())
      return detail::log(log_level::error, "otlp_http: " + problem_ + "; no span will be delivered");
    channel.headers = std::move(options.headers);
    channel.gzip = options.gzip;
    channel.tls = {std::move(options.ca_file), std::move(options.client_certificate), std::move(options.client_key)};
    channel.delivery = options.delivery;
    channel_ = std::make_unique<detail::otlp_channel>(std::move(channel));
  }
  deadline until() const noexcept {
    // Far enough to be none, near enough that nothing overflows.
    constexpr std::chrono::milliseconds none = std::chrono::hours(24 * 365);
    return std::chrono::steady_clock::now() + (timeout_.count() <= 0 ? none : std::min(timeout_, none));
  }

  std::chrono::milliseconds timeout_;
  std::string problem_ = "out of memory";
  std::unique_ptr<detail::otlp_channel> channel_;
  bool shut_down_ = false;
};

static_assert(check_exporter<otlp_http_exporter>());

}  // namespace v1
}  // namespace fulgurite
