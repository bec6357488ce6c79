// One OTLP/HTTP address and everything between a batch and it: encoding, gzip, the connection, retries, the answer.
//
// `otlp_http_exporter` is one channel; `agentops_exporter` makes a channel to whatever server it found.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/delivery/spooled_delivery.hpp>
#include <fulgurite/diagnostics/ascii.hpp>
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
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Largest request, in bytes before compression (opentelemetry-proto, docs/specification.md).
inline constexpr std::size_t max_otlp_request = 64 * 1024 * 1024;

inline constexpr std::string_view otlp_content_type = "application/x-protobuf";

inline std::string user_agent() {
  return std::string("fulgurite/") + library_version + " OTel-OTLP-Exporter-Cpp/" + library_version;
}

inline void add_spool(exporter_stats& to, spooled_delivery const& spool) noexcept {
  const spool_counts counts = spool.counts();
  to.spooled += counts.waiting;
  to.failed += counts.failed;
  to.replayed += counts.replayed;
  to.set_aside += counts.set_aside;
}

struct otlp_channel_options {
  http_endpoint endpoint = {};
  http_headers headers = {};
  bool gzip = true;
  tls_options tls = {};
  delivery_options delivery = {};
  /// What the log calls it.
  std::string name = "otlp_http";
  /// Whoever calls `send` may try again elsewhere, and says itself what is lost in the end (`say_lost`).
  bool caller_says_lost = false;
};

/// `send` and `check` come from one thread, `interrupt`, `hurry` and the counters from any.
class otlp_channel {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// With a spool, `send` is a success also when a batch is kept there.
  explicit otlp_channel(otlp_channel_options options, std::shared_ptr<spooled_delivery> spool = nullptr)
      : options_(std::move(options)),
        spool_(std::move(spool)),
        delivery_(options_.delivery),
        client_(options_.endpoint, options_.tls) {
    headers_ = options_.headers;
    const auto add = [this](const char* name, std::string value) {
      const auto same = [name](auto const& header) { return equal_ignoring_case(header.first, name); };
      if (std::none_of(headers_.begin(), headers_.end(), same)) headers_.emplace_back(name, std::move(value));
    };
    add("User-Agent", user_agent());
    add("Content-Type", std::string(otlp_content_type));
  }

  otlp_channel_options const& options() const noexcept { return options_; }
  http_endpoint const& endpoint() const noexcept { return options_.endpoint; }
  std::shared_ptr<spooled_delivery> const& spool() const noexcept { return spool_; }
  /// The status of the last answer since `begin`, 0 when there was none; why there was none.
  int last_status() const noexcept { return last_status_; }
  http_answer::failure last_failure() const noexcept { return last_failure_; }

  /// Delivers a batch, in several requests where one would be too large. Success when any of its spans was taken; what
  /// was not is then counted as rejected.
  export_result send(span_batch const& batch, time_point deadline, std::size_t limit = max_otlp_request) {
    std::size_t in_request = 0, delivered = 0, failed = 0, too_large = 0;
    reason_.clear();
    const auto flush = [&] {
      (deliver(encoder_.finish(), static_cast<std::uint32_t>(in_request), deadline) ? delivered : failed) += in_request;
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
    if (delivered > 0 || !options_.caller_says_lost) say_lost();
    if (failed > 0 && delivered == 0) return export_result::failure;
    rejected_.fetch_add(failed, std::memory_order_relaxed);
    too_large_.fetch_add(too_large, std::memory_order_relaxed);
    return export_result::success;
  }

  /// Why the last `send` did not deliver all; empty when it did.
  std::string const& reason() const noexcept { return reason_; }
  /// Says so, if there is something to say.
  void say_lost() const {
    if (!reason_.empty()) say_failed(reason_);
  }

  /// Into the spool without an attempt: there is nobody to send to. Success when it is there.
  export_result keep(span_batch const& batch) {
    only_keeps_ = true;
    const export_result result = send(batch, time_point::max());
    only_keeps_ = false;
    return result;
  }
  /// Tries the oldest batch of the spool when it is due; false when it was not taken.
  bool replay(time_point deadline) { return spool_->replay(resending{this, deadline, false}); }
  /// Delivers what is in the spool, each batch with the attempts and pauses of a new one. True when there is none of
  /// this process left.
  bool flush(time_point deadline, time_point per_request) {
    return spool_->flush(deadline, resending{this, std::min(deadline, per_request), true});
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
  void begin() noexcept {
    delivery_.begin();
    last_status_ = 0;
    last_failure_ = http_answer::failure::none;
  }
  /// Makes `send` give up. At the end of the program for good: what is left is for the spool, in the time that is left.
  void interrupt() noexcept {
    if (delivery_.is_hurried()) gave_up_ = true;
    delivery_.interrupt();
    client_.interrupt();
  }
  /// From now on a request gets one attempt: the program ends.
  void hurry() noexcept { delivery_.hurry(); }
  bool is_interrupted() const noexcept { return delivery_.is_interrupted(); }

  exporter_stats stats() const noexcept {
    exporter_stats own;
    own.retried = delivery_.retried();
    own.rejected = rejected_.load(std::memory_order_relaxed);
    own.too_large = too_large_.load(std::memory_order_relaxed);
    return own;
  }

 private:
  static std::string words(http_answer const& answer) {
    std::string text = "HTTP " + std::to_string(answer.status);
    if (answer.status >= 200 && answer.status < 300) return text;
    const std::string said = parse_error_body(answer.body, answer.content_type);
    return said.empty() ? text : text + ": " + said;
  }

  bool deliver(std::span<const std::byte> body, std::uint32_t spans, time_point deadline) {
    spooled_request request{body, otlp_content_type, {}, spans};
    if (options_.gzip && compressor_.compress(body, compressed_)) {
      request.content_encoding = "gzip";
      request.body = std::as_bytes(std::span(compressed_));
    }
    if (spool_)
      if (const std::optional<bool> done = deliver_or_keep(request, deadline)) return *done;
    http_answer answer;
    const attempt last = delivery_.run(deadline, [&] { return post(request, deadline, answer); });
    if (last.result == attempt::outcome::delivered) {
      if (spool_) spool_->answered();
      count_rejected(taken(answer, spans));
      return true;
    }
    reason_ = last.reason;
    return false;
  }

  /// Nothing where the spool cannot take it and it goes on as without one.
  std::optional<bool> deliver_or_keep(spooled_request const& request, time_point deadline) {
    using outcome = spooled_delivery::outcome;
    if (only_keeps_ || gave_up_) return spool_->keep(request);
    const spooled_delivery::result done =
        spool_->deliver(request, delivery_.is_hurried(), resending{this, deadline, false});
    switch (done.what) {
      case outcome::delivered:
        return true;
      case outcome::kept:
        if (!done.reason.empty())
          say(log_level::warn, "batches are kept in the spool until they can be delivered: " + done.reason, "kept");
        return true;
      case outcome::refused:
        reason_ = done.reason;
        return false;
      case outcome::not_kept:
        break;
    }
    return std::nullopt;
  }

  /// How the spool sends.
  struct resending {
    otlp_channel* self;
    time_point deadline;
    /// Somebody waits for it.
    bool patiently;
    attempt operator()(spooled_request const& request, batch_origin origin) const {
      return self->send_spooled(request, origin, *this);
    }
  };
  attempt send_spooled(spooled_request const& request, batch_origin origin, resending const& how) {
    http_answer answer;
    if (origin != batch_origin::fresh) delivery_.count_retry();
    const auto send = [&] { return post(request, how.deadline, answer); };
    attempt last = how.patiently ? delivery_.run(how.deadline, send) : delivery_.run_once(send);
    if (last.result == attempt::outcome::delivered) {
      const std::uint64_t rejected = taken(answer, request.spans);
      // Another process's spans are in nobody's accounts any more.
      if (origin != batch_origin::left_by_another) count_rejected(rejected);
    } else if (origin != batch_origin::fresh && last.result == attempt::outcome::refused && !last.later)
      say_failed(last.reason);
    return last;
  }

  /// One attempt.
  attempt post(spooled_request const& request, time_point deadline, http_answer& answer) {
    if (delivery_.is_interrupted() || gave_up_)
      return {.reason = std::string("given up before it was sent") + at_the_end(), .later = true};
    http_headers const* headers = &headers_;
    http_headers changed;
    if (!request.content_encoding.empty() || request.content_type != otlp_content_type) {
      changed = headers_;
      for (auto& [name, value] : changed)
        if (request.content_type != otlp_content_type && equal_ignoring_case(name, "Content-Type"))
          value = request.content_type;
      if (!request.content_encoding.empty()) changed.emplace_back("Content-Encoding", request.content_encoding);
      headers = &changed;
    }
    answer = client_.send({"POST", options_.endpoint.path, *headers, request.body}, deadline);
    last_status_ = answer.status;
    last_failure_ = answer.why;
    return judge(answer);
  }

  /// Says what the backend has to say about a batch that it took; how many spans of it it did not take.
  std::uint64_t taken(http_answer const& answer, std::uint64_t spans) {
    if (answer.content_type.find("json") != std::string::npos) return 0;
    const otlp_response response = parse_otlp_response(answer.body);
    if (response.rejected > 0)
      say(log_level::warn, "the backend rejected " + std::to_string(response.rejected) + " spans: " + response.message,
          "rejected");
    else if (!response.message.empty())
      say(log_level::warn, "the backend says: " + response.message, "says");
    return std::min(response.rejected, spans);
  }
  void count_rejected(std::uint64_t spans) noexcept { rejected_.fetch_add(spans, std::memory_order_relaxed); }
  void say_failed(std::string const& reason) const {
    say(log_level::error, "a batch was not delivered: " + reason,
        "failed " + std::to_string(last_status_) + " " + std::to_string(static_cast<int>(last_failure_)));
  }

  attempt judge(http_answer const& answer) const {
    using outcome = attempt::outcome;
    using failure = http_answer::failure;
    if (answer.status >= 200 && answer.status < 300) return {outcome::delivered};
    if (answer.status != 0) {
      std::string reason = options_.endpoint.to_text() + " answered " + words(answer);
      if (!is_retryable_status(answer.status))
        return {.result = outcome::refused, .reason = std::move(reason), .later = is_about_access(answer.status)};
      return {outcome::retry, std::move(reason), parse_retry_after(answer.retry_after, std::time(nullptr))};
    }
    const bool final = answer.why == failure::tls || answer.why == failure::too_large ||
                       answer.why == failure::interrupted || answer.why == failure::timed_out;
    std::string reason = options_.endpoint.to_text() + ": " + answer.error;
    if (answer.why == failure::interrupted) reason += at_the_end();
    if (final)
      return {.result = outcome::refused, .reason = std::move(reason), .later = answer.why != failure::too_large};
    return {outcome::retry, std::move(reason), std::nullopt, answer.reused && answer.why == failure::disconnected};
  }

  /// Statuses that speak of the key, the address or a proxy, not of the batch: it may be delivered when that is put
  /// right, and a wrong key must not empty a spool.
  static constexpr bool is_about_access(int status) noexcept {
    return status == 401 || status == 403 || status == 404 || status == 407 || status == 408;
  }

  /// Why something was given up.
  const char* at_the_end() const noexcept {
    return delivery_.is_hurried() ? ": the program ended, or shut its tracer down" : "";
  }

  void say(log_level level, std::string const& what, std::string const& key) const {
    log(level, options_.name + ": " + what, options_.name + options_.endpoint.to_text() + key);
  }

  otlp_channel_options options_;
  std::shared_ptr<spooled_delivery> spool_;
  bool only_keeps_ = false;
  std::atomic<bool> gave_up_{false};
  http_headers headers_;
  otlp_protobuf_encoder encoder_;
  gzip_compressor compressor_;
  std::string compressed_, reason_;
  delivery delivery_;
  http_client client_;
  int last_status_ = 0;
  http_answer::failure last_failure_ = http_answer::failure::none;
  std::atomic<std::uint64_t> rejected_{0}, too_large_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
