// OTLP over HTTP with protobuf: to an OpenTelemetry Collector, Jaeger, or any backend that takes OTLP.
//
// The bytes come from encoder/otlp_protobuf.hpp, the connection from transport/http.hpp, the retries from
// delivery/delivery.hpp; exporter/otlp_channel.hpp joins them. Rules: opentelemetry-proto, docs/specification.md,
// OTLP/HTTP.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/diagnostics/left_behind.hpp>
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

/// Where the spans go, and how.
struct otlp_http_options {
  /// The traces URL, used exactly as given: nothing is appended to it.
  std::string endpoint = "http://localhost:4318/v1/traces";
  /// Sent with every request. They are never logged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool gzip = true;
  /// For a batch, all its attempts included; 0 means no limit.
  std::chrono::milliseconds timeout{10'000};
  /// PEM files: whom to trust instead of the system's list, and who we are: both or none, of one file or of two.
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
  /// Delivers what is in the spool. True when nothing of this process is left there; without one nothing is held back.
  bool flush(deadline until) noexcept try {
    if (!channel_ || shut_down_) return channel_ != nullptr;
    if (!channel_->spool()) return true;
    channel_->begin();
    return channel_->flush(until, this->until());
  } catch (...) {
    return false;
  }
  /// The same; what the backend does not take now stays in the spool for the next process.
  bool shutdown(deadline until) noexcept {
    const bool delivered = flush(until);
    shut_down_ = true;
    if (channel_ && channel_->spool()) channel_->spool()->close();
    return delivered;
  }
  /// When the oldest batch of the spool is to be tried again.
  deadline idle_at() const noexcept {
    return channel_ && channel_->spool() && !shut_down_ ? channel_->spool()->idle_at() : deadline::max();
  }
  void idle() noexcept try {
    if (!channel_ || !channel_->spool() || shut_down_) return;
    channel_->begin();
    channel_->replay(until());
  } catch (...) {
    detail::log(log_level::error, "otlp_http: out of memory; a batch stays in the spool");
    if (channel_) channel_->spool()->not_answered();
  }
  bool keeps_undelivered() const noexcept { return channel_ && channel_->spool(); }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    if (channel_) channel_->interrupt();
  }
  /// From now on a batch gets one attempt, and an `export_spans` that waits for another stops waiting; from any thread.
  void hurry() noexcept {
    if (channel_) channel_->hurry();
  }

  /// In the child of a fork: a connection of its own.
  void after_fork() noexcept try {
    if (!channel_) return;
    auto spool = channel_->spool() ? channel_->spool()->for_child() : nullptr;
    auto fresh = std::make_unique<detail::otlp_channel>(channel_->options(), std::move(spool));
    detail::leave_behind(std::exchange(channel_, std::move(fresh)));
  } catch (...) {
    detail::log(log_level::error, "otlp_http: no memory in the child of a fork");
  }

  exporter_stats stats() const noexcept {
    if (!channel_) return {};
    exporter_stats sum = channel_->stats();
    if (channel_->spool()) detail::add_spool(sum, *channel_->spool());
    return sum;
  }
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
    if (problem_.empty() && options.client_certificate.empty() != options.client_key.empty())
      problem_ = options.client_key.empty() ? "the client's certificate has no key: client_key is empty"
                                            : "the client's key has no certificate: client_certificate is empty";
    if (!problem_.empty())
      return detail::log(log_level::error, "otlp_http: " + problem_ + "; no span will be delivered");
    channel.headers = std::move(options.headers);
    channel.gzip = options.gzip;
    channel.tls = {std::move(options.ca_file), std::move(options.client_certificate), std::move(options.client_key)};
    channel.delivery = options.delivery;
    std::shared_ptr<detail::spooled_delivery> spool;
    if (!options.delivery.spool.empty())
      spool = std::make_shared<detail::spooled_delivery>(
          options.delivery, detail::spool_destination("otlp_http", channel.endpoint.to_text()));
    channel_ = std::make_unique<detail::otlp_channel>(std::move(channel), std::move(spool));
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
