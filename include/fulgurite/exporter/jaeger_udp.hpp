// Jaeger's own format over UDP: to an agent, or to a collector that has an agent's ports.
//
// A datagram holds one message `emitBatch` (encoder/jaeger_thrift.hpp) with as many spans as fit; an agent takes up to
// 65,000 bytes. UDP gives no answer, so that spans count as exported when they were sent; only where the system reports
// that nobody listens does it count against them. An agent's socket has room for about three datagrams by Linux's
// default, and what finds none is lost without a word: so they go out at a pace, by which most arrive. Where no
// span may be lost, Jaeger's HTTP port or OTLP is the way. The socket is transport/udp.hpp.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/jaeger_shorten.hpp>
#include <fulgurite/encoder/jaeger_thrift.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/platform/left_behind.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/transport/udp.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Which of an agent's ports it is.
enum class jaeger_udp_protocol {
  compact,  ///< 6831
  binary    ///< 6832
};

/// Where the spans go, and how.
struct jaeger_udp_options {
  /// A name or an address, an IPv6 address without brackets.
  std::string host = "localhost";
  /// 0: the protocol's own.
  std::uint16_t port = 0;
  jaeger_udp_protocol protocol = jaeger_udp_protocol::compact;
  /// The largest datagram, in bytes; at most 65,507, which is IPv4's limit.
  std::size_t max_packet_size = 65'000;
  /// Between datagrams, of which two may go at once: about 13 MB, or 90,000 spans, a second. What comes faster waits in
  /// the processor's queue, where what finds no room is counted. 0: as fast as the system takes them.
  std::chrono::microseconds pause{5'000};
  /// For a batch: to look up the host, and to wait for room in the socket's buffer.
  std::chrono::milliseconds timeout{10'000};
};

/// What a `jaeger_udp_exporter` counts besides spans.
struct jaeger_udp_counts {
  /// Datagrams that were sent.
  std::uint64_t datagrams = 0;
  /// Of these, as far as the system told: nobody listened there.
  std::uint64_t refused = 0;
  /// Spans that were too large for a datagram, and were sent without their largest attributes, events or links.
  std::uint64_t shortened = 0;
};

namespace detail {

/// Everything between a batch and the agent.
class jaeger_udp_channel {
 public:
  explicit jaeger_udp_channel(jaeger_udp_options options)
      : options_(std::move(options)),
        limit_(std::min(options_.max_packet_size, max_datagram)),
        sender_(options_.host, port()) {
    if (options_.protocol == jaeger_udp_protocol::binary)
      encoder_.emplace<jaeger_binary_encoder>(jaeger_form::message);
    else
      encoder_.emplace<jaeger_compact_encoder>(jaeger_form::message);
  }

  jaeger_udp_options const& options() const noexcept { return options_; }
  udp_sender& sender() noexcept { return sender_; }

  batch_outcome send(span_batch const& batch) {
    sender_.begin();
    packed_.clear();
    bytes_.clear();
    tally_ = {};
    tally_.until = until();
    std::visit([&](auto& encoder) { pack(batch, encoder); }, encoder_);
    send_packed();
    return account();
  }

  /// A batch without spans, and whether that is refused.
  health_report check(deadline until) const {
    udp_sender probe(options_.host, port());
    health_report report{.reachable = false, .endpoint = probe.to_text(), .reason = {}, .latency = {}};
    const auto start = std::chrono::steady_clock::now();
    const udp_sender::outcome sent = std::visit(
        [&](auto const& like) {
          std::remove_cvref_t<decltype(like)> encoder(jaeger_form::message);
          encoder.begin(nullptr, nullptr);
          const std::span<const std::byte> datagram = encoder.finish();
          return probe.send({&datagram, 1}, until);
        },
        encoder_);
    // On this machine a refusal is there at once; from elsewhere it takes the way there and back.
    std::string problem = sent.error;
    if (problem.empty() && sent.refused > 0) problem = "nobody listens there";
    if (problem.empty()) problem = probe.wait_for_error(std::min(until, start + std::chrono::milliseconds(200)));
    report.latency = std::chrono::steady_clock::now() - start;
    report.reachable = problem.empty();
    report.reason = problem.empty() ? "UDP gives no answer; nothing refused an empty batch" : problem;
    return report;
  }

  jaeger_udp_counts counts() const noexcept {
    return {datagrams_.load(std::memory_order_relaxed), refused_.load(std::memory_order_relaxed),
            shortened_.load(std::memory_order_relaxed)};
  }

 private:
  /// As many are sent with one call, without a pace and with one.
  static constexpr std::size_t max_packed = 16, max_paced = 2;

  struct packed {
    std::size_t offset, size, spans;
  };
  /// Of one batch.
  struct tally {
    deadline until = {};
    std::size_t delivered = 0, failed = 0, too_large = 0;
    jaeger_cuts cuts = {};
    std::string error = {};
    bool refused = false;
  };

  std::uint16_t port() const noexcept {
    if (options_.port != 0) return options_.port;
    return options_.protocol == jaeger_udp_protocol::binary ? 6832 : 6831;
  }
  deadline until() const noexcept {
    constexpr std::chrono::milliseconds most = std::chrono::hours(24);
    return std::chrono::steady_clock::now() + std::clamp(options_.timeout, std::chrono::milliseconds(0), most);
  }

  template <class Encoder>
  void pack(span_batch const& batch, Encoder& encoder) {
    encoder.begin(batch);
    const auto added = [&](auto const& span) {
      const std::size_t before = encoder.size();
      encoder.add(span);
      if (encoder.size() <= limit_) return true;
      excess_ = encoder.size() - limit_;
      encoder.cut(before);
      return false;
    };
    batch.for_each([&](record_view const& record) {
      if (added(record)) return;
      if (encoder.count() > 0) {
        keep(encoder);
        encoder.begin(batch);
        if (added(record)) return;
      }
      span_data span = to_span_data(record, nullptr, nullptr);
      const jaeger_cuts cuts = shorten_for_jaeger<typename Encoder::protocol>(span, excess_);
      if (!added(span)) return void(++tally_.too_large);
      tally_.cuts.attributes += cuts.attributes;
      tally_.cuts.events += cuts.events;
      tally_.cuts.links += cuts.links;
      shortened_.fetch_add(1, std::memory_order_relaxed);
    });
    if (encoder.count() > 0) keep(encoder);
    encoder.shrink(4 * 1024 * 1024);
  }

  /// A datagram is complete.
  template <class Encoder>
  void keep(Encoder& encoder) {
    const std::span<const std::byte> made = encoder.finish();
    packed_.push_back({bytes_.size(), made.size(), encoder.count()});
    bytes_.insert(bytes_.end(), made.begin(), made.end());
    if (packed_.size() == (options_.pause.count() > 0 ? max_paced : max_packed)) send_packed();
  }
  void send_packed() {
    if (packed_.empty()) return;
    std::this_thread::sleep_until(std::min(next_, tally_.until));
    std::vector<std::span<const std::byte>> datagrams;
    for (packed const& one : packed_) datagrams.push_back(std::span(bytes_).subspan(one.offset, one.size));
    const udp_sender::outcome done = sender_.send(datagrams, tally_.until);
    // A refusal speaks of an earlier datagram; it is counted against these, so that the sum is right.
    const std::size_t lost = std::min(done.refused, done.sent);
    for (std::size_t i = 0; i < packed_.size(); ++i)
      (i >= lost && i < done.sent ? tally_.delivered : tally_.failed) += packed_[i].spans;
    if (!done.error.empty()) tally_.error = done.error;
    tally_.refused = tally_.refused || done.refused > 0;
    datagrams_.fetch_add(done.sent, std::memory_order_relaxed);
    refused_.fetch_add(done.refused, std::memory_order_relaxed);
    constexpr std::chrono::microseconds longest = std::chrono::seconds(1);
    next_ = std::chrono::steady_clock::now() +
            done.sent * std::clamp(options_.pause, std::chrono::microseconds(0), longest);
    packed_.clear();
    bytes_.clear();
  }

  batch_outcome account() {
    const std::string size = std::to_string(limit_) + " bytes, which is all that a datagram may have";
    if (tally_.cuts.all() > 0)
      say(log_level::warn,
          "spans were sent shortened, without " + std::to_string(tally_.cuts.attributes) + " attributes, " +
              std::to_string(tally_.cuts.events) + " events and " + std::to_string(tally_.cuts.links) +
              " links: with them one takes more than " + size,
          "shortened");
    if (tally_.too_large > 0)
      say(log_level::error, std::to_string(tally_.too_large) + " spans take more than " + size, "too large");
    batch_outcome outcome{.exported = tally_.delivered, .too_large = tally_.too_large, .failed = tally_.failed};
    if (!tally_.error.empty()) {
      say(log_level::error, "spans were not sent to " + sender_.to_text() + ": " + tally_.error, "failed");
      outcome.reason = sender_.to_text() + ": " + tally_.error;
      outcome.kind = failure_kind::other;
    } else if (tally_.refused) {
      say(log_level::error, "spans were lost: nobody listens at " + sender_.to_text(), "refused");
      outcome.reason = sender_.to_text() + ": nobody listens there";
      outcome.kind = failure_kind::unreachable;
    }
    outcome.said = true;
    return outcome;
  }
  void say(log_level level, std::string const& what, std::string const& key) const {
    log(level, "jaeger_udp: " + what, "jaeger_udp " + sender_.to_text() + key);
  }

  jaeger_udp_options options_;
  std::size_t limit_;
  std::variant<jaeger_compact_encoder, jaeger_binary_encoder> encoder_;
  udp_sender sender_;
  std::vector<packed> packed_;
  std::vector<std::byte> bytes_;
  /// When others may follow.
  deadline next_ = {};
  std::size_t excess_ = 0;
  tally tally_;
  std::atomic<std::uint64_t> datagrams_{0}, refused_{0}, shortened_{0};
};

}  // namespace detail

/// Sends each batch in as few datagrams as it takes. A span that does not fit into one loses its largest attributes,
/// events and links, which the log says and the span counts as dropped. Construction never throws.
class jaeger_udp_exporter {
 public:
  explicit jaeger_udp_exporter(jaeger_udp_options options = {}) noexcept {
    try {
      channel_ = std::make_unique<detail::jaeger_udp_channel>(std::move(options));
    } catch (...) {
      detail::log(log_level::error, "jaeger_udp: out of memory; no span will be delivered");
    }
  }

  /// What was handed to the system, and not refused, counts as exported.
  batch_outcome export_spans(span_batch const& batch) noexcept try {
    if (!channel_) return {.failed = batch.size()};
    if (shut_down_) return detail::failed_after_shutdown(batch.size());
    if (batch.empty()) return {};
    return channel_->send(batch);
  } catch (...) {
    detail::log(log_level::error, "jaeger_udp: out of memory; a batch was not delivered");
    return {.failed = batch.size()};
  }
  /// Nothing is held back.
  bool flush(deadline) noexcept { return channel_ != nullptr; }
  bool shutdown(deadline) noexcept {
    shut_down_ = true;
    return channel_ != nullptr;
  }
  /// No library is needed that exit() takes down.
  static constexpr bool is_exit_safe() noexcept { return true; }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    if (channel_) channel_->sender().interrupt();
  }
  /// In the child of a fork: a socket of its own.
  void after_fork() noexcept try {
    if (!channel_) return;
    auto fresh = std::make_unique<detail::jaeger_udp_channel>(channel_->options());
    channel_->sender().abandon();
    detail::leave_behind(std::exchange(channel_, std::move(fresh)));
  } catch (...) {
    detail::log(log_level::error, "jaeger_udp: no memory in the child of a fork");
  }

  /// How many datagrams; from any thread.
  jaeger_udp_counts counts() const noexcept { return channel_ ? channel_->counts() : jaeger_udp_counts{}; }
  /// Sends a batch without spans, from a socket of its own. `reachable` means only that nothing refused it: UDP gives
  /// no answer.
  health_report check_health(deadline until) const {
    if (channel_) return channel_->check(until);
    return {.reachable = false, .endpoint = {}, .reason = "out of memory", .latency = {}};
  }

 private:
  std::unique_ptr<detail::jaeger_udp_channel> channel_;
  bool shut_down_ = false;
};

static_assert(check_exporter<jaeger_udp_exporter>());

}  // namespace v1
}  // namespace fulgurite
