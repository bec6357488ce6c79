// One OTLP/HTTP address and everything between a batch and it: encoding, gzip, the connection, retries, the answer.
//
// `otlp_http_exporter` is one channel; `agentops_exporter` makes a channel to whatever server it found.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/transport/gzip.hpp>
#include <fulgurite/transport/http.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Largest request, in bytes before compression (opentelemetry-proto, docs/specification.md).
inline constexpr std::size_t max_otlp_request = 64 * 1024 * 1024;

inline std::string user_agent() {
  return std::string("fulgurite/") + library_version + " OTel-OTLP-Exporter-Cpp/" + library_version;
}

struct otlp_channel_options {
  http_endpoint endpoint = {};
  http_headers headers = {};
  bool gzip = true;
  tls_options tls = {};
  delivery_options delivery = {};
  /// What the log calls it.
  std::string name = "otlp_http";
};

/// `send` and `check` come from one thread, `interrupt` and the counters from any.
class otlp_channel {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit otlp_channel(otlp_channel_options options)
      : options_(std::move(options)), delivery_(options_.delivery), client_(options_.endpoint, options_.tls) {
    headers_ = options_.headers;
    const auto add = [this](const char* name, std::string value) {
      const auto same = [name](auto const& header) { return equal_ignoring_case(header.first, name); };
      if (std::none_of(headers_.begin(), headers_.end(), same)) headers_.emplace_back(name, std::move(value));
    };
    add("User-Agent", user_agent());
    add("Content-Type", "application/x-protobuf");
  }

  http_endpoint const& endpoint() const noexcept { return options_.endpoint; }
  /// The status of the last answer, 0 when there was none; why there was none.
  int last_status() const noexcept { return last_status_; }
  http_answer::failure last_failure() const noexcept { return last_failure_; }

  /// Delivers a batch, in several requests where one would be too large. Success when any of its spans was taken; what
  /// was not is then counted as rejected.
  export_result send(span_batch const& batch, time_point deadline, std::size_t limit = max_otlp_request) {
    std::size_t in_request = 0, delivered = 0, failed = 0, too_large = 0;
    const auto flush = [&] {
      (deliver(encoder_.finish(), deadline) ? delivered : failed) += in_request;
      in_request = 0;
      encoder_.begin(batch);
    };
    encoder_.begin(batch);
    batch.for_each([&](record_view const& record) {
      const std::size_t before = encoder_.size();
      encoder_.add(record);
      if (encoder_.size() <= limit) return void(++in_request);
      encoder_.cut(before);
      if (in_request > 0) {
        flush();
        const std::size_t empty = encoder_.size();
        encoder_.add(record);
        if (encoder_.size() <= limit) return void(++in_request);
        encoder_.cut(empty);
      }
      ++too_large;
    });
    if (in_request > 0) flush();
    encoder_.shrink(4 * 1024 * 1024);
    if (too_large > 0)
      say(log_level::error, std::to_string(too_large) + " spans are larger than a request may be", "too large");
    if (failed > 0 && delivered == 0) return export_result::failure;
    rejected_.fetch_add(failed, std::memory_order_relaxed);
    too_large_.fetch_add(too_large, std::memory_order_relaxed);
    return export_result::success;
  }

  /// Asks the backend with an empty request, over a connection of its own: from any thread.
  health_report check(time_point deadline) const {
    health_report report{.reachable = false, .endpoint = options_.endpoint.to_text(), .reason = {}, .latency = {}};
    http_client client(options_.endpoint, options_.tls);
    const time_point start = std::chrono::steady_clock::now();
    const http_answer answer = client.send({"POST", options_.endpoint.path, headers_, {}}, deadline);
    report.latency = std::chrono::steady_clock::now() - start;
    report.reachable = answer.status >= 200 && answer.status < 300;
    report.reason = answer.status == 0 ? answer.error : words(answer);
    return report;
  }

  /// An interruption from before counts no more.
  void begin() noexcept { delivery_.begin(); }
  /// Makes `send` give up.
  void interrupt() noexcept {
    delivery_.interrupt();
    client_.interrupt();
  }
  bool is_interrupted() const noexcept { return delivery_.is_interrupted(); }

  exporter_stats stats() const noexcept {
    return {delivery_.retried(), rejected_.load(std::memory_order_relaxed), too_large_.load(std::memory_order_relaxed)};
  }

 private:
  static bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
      const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
      return lower(x) == lower(y);
    });
  }
  static std::string words(http_answer const& answer) {
    std::string text = "HTTP " + std::to_string(answer.status);
    if (answer.status >= 200 && answer.status < 300) return text;
    const std::string said = parse_error_body(answer.body, answer.content_type);
    return said.empty() ? text : text + ": " + said;
  }

  bool deliver(std::span<const std::byte> request, time_point deadline) {
    http_headers const* headers = &headers_;
    http_headers with_encoding;
    if (options_.gzip && compressor_.compress(request, compressed_)) {
      with_encoding = headers_;
      with_encoding.emplace_back("Content-Encoding", "gzip");
      headers = &with_encoding;
      request = std::as_bytes(std::span(compressed_));
    }
    http_answer answer;
    const attempt last = delivery_.run(deadline, [&]() -> attempt {
      if (delivery_.is_interrupted()) return {attempt::outcome::refused, "interrupted"};
      answer = client_.send({"POST", options_.endpoint.path, *headers, request}, deadline);
      return judge(answer);
    });
    last_status_ = answer.status;
    last_failure_ = answer.why;
    if (last.result != attempt::outcome::delivered) {
      say(log_level::error, "a batch was not delivered: " + last.reason,
          "failed " + std::to_string(answer.status) + " " + std::to_string(static_cast<int>(answer.why)));
      return false;
    }
    if (answer.content_type.find("json") == std::string::npos) {
      const otlp_response response = parse_otlp_response(answer.body);
      rejected_.fetch_add(response.rejected, std::memory_order_relaxed);
      if (response.rejected > 0)
        say(log_level::warn,
            "the backend rejected " + std::to_string(response.rejected) + " spans: " + response.message, "rejected");
      else if (!response.message.empty())
        say(log_level::warn, "the backend says: " + response.message, "says");
    }
    return true;
  }

  attempt judge(http_answer const& answer) const {
    using outcome = attempt::outcome;
    using failure = http_answer::failure;
    if (answer.status >= 200 && answer.status < 300) return {outcome::delivered};
    if (answer.status != 0) {
      std::string reason = options_.endpoint.to_text() + " answered " + words(answer);
      if (!is_retryable_status(answer.status)) return {outcome::refused, std::move(reason)};
      return {outcome::retry, std::move(reason), parse_retry_after(answer.retry_after, std::time(nullptr))};
    }
    const bool final = answer.why == failure::tls || answer.why == failure::too_large ||
                       answer.why == failure::interrupted || answer.why == failure::timed_out;
    if (final) return {outcome::refused, answer.error};
    return {outcome::retry, answer.error, std::nullopt, answer.reused && answer.why == failure::disconnected};
  }

  void say(log_level level, std::string const& what, std::string const& key) const {
    log(level, options_.name + ": " + what, options_.name + options_.endpoint.to_text() + key);
  }

  otlp_channel_options options_;
  http_headers headers_;
  otlp_protobuf_encoder encoder_;
  gzip_compressor compressor_;
  std::string compressed_;
  delivery delivery_;
  http_client client_;
  int last_status_ = 0;
  http_answer::failure last_failure_ = http_answer::failure::none;
  std::atomic<std::uint64_t> rejected_{0}, too_large_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
