// Everything between a batch and its backend's answer that is the same for every protocol: encoding, limits, gzip, the
// spool, retries, accounts.
//
// What differs is in two classes. An *encoder* (encoder/otlp_protobuf.hpp is one) makes a request's bytes:
// `begin(batch)`, `add(record)`, `size()`, `cut(size)`, `finish()`, `shrink(size)`. A *wire* (exporter/http_wire.hpp,
// exporter/ grpc_wire.hpp) makes one attempt at a request and says what it came to:
//
//   explicit Wire(Wire::options)
//   Wire::options settings_for_child() const       of a fork
//   void begin() noexcept                         a new batch
//   wire_reply post(spooled_request const&, time_point deadline)
//   health_report check(time_point deadline) const     from any thread, over a connection of its own
//   void interrupt() noexcept                          from any thread: the attempt that is under way fails
//   bool is_exit_safe() const noexcept                 as of an exporter (exporter/exporter.hpp)
//   void close() noexcept                              between requests: the connection is not needed for a while
//   std::string address() const                        the endpoint, without secrets
//   std::string_view content_type() const
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/delivery/spooled_delivery.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/transport/gzip.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What one attempt at a request came to.
struct wire_reply {
  attempt last = {};
  /// Of a request that was delivered: spans that the backend did not take, and what it had to say.
  std::uint64_t rejected = 0;
  std::string message = {};
  /// Why it may not have been taken by a backend at all.
  std::string doubt = {};
  /// It was given up by `interrupt`.
  bool interrupted = false;
  /// What kind of failure it is: one line a minute of each kind is logged.
  std::string kind = {};
};

/// What a backend takes in one request, before compression.
struct request_limits {
  std::size_t bytes = 64 * 1024 * 1024;  // OTLP's (opentelemetry-proto, docs/specification.md)
  std::size_t spans = std::size_t(-1);
  std::size_t bytes_of_a_span = std::size_t(-1);
};

struct channel_options {
  bool gzip = true;
  delivery_options delivery = {};
  request_limits limits = {};
  /// What the log calls it.
  std::string name = "exporter";
  /// Whoever calls `send` may try again elsewhere, and says itself what is lost in the end (`say_lost`).
  bool caller_says_lost = false;
};

inline void add_spool(exporter_stats& to, spooled_delivery const& spool) noexcept {
  const spool_counts counts = spool.counts();
  to.spooled += counts.waiting;
  to.failed += counts.failed;
  to.replayed += counts.replayed;
  to.set_aside += counts.set_aside;
}

/// `send` and `flush` come from one thread, `check`, `interrupt`, `hurry` and the counters from any.
template <class Encoder, class Wire>
class batch_channel {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using wire_options = typename Wire::options;

  /// With a spool, `send` is a success also when a batch is kept there.
  batch_channel(channel_options options, wire_options to, std::shared_ptr<spooled_delivery> spool = nullptr)
      : options_(std::move(options)), spool_(std::move(spool)), delivery_(options_.delivery), wire_(std::move(to)) {}

  channel_options const& options() const noexcept { return options_; }
  Wire const& wire() const noexcept { return wire_; }
  std::shared_ptr<spooled_delivery> const& spool() const noexcept { return spool_; }
  /// For the child of a fork: a connection and accounts of its own.
  std::unique_ptr<batch_channel> for_child() {
    return std::make_unique<batch_channel>(options_, wire_.settings_for_child(),
                                           spool_ ? spool_->for_child() : nullptr);
  }

  /// Delivers a batch, in several requests where one would be too large. Success when any of its spans was taken; what
  /// was not is then counted as rejected.
  export_result send(span_batch const& batch, time_point deadline) {
    request_limits const& limits = options_.limits;
    std::size_t in_request = 0, delivered = 0, failed = 0, too_large = 0;
    reason_.clear();
    const auto flush = [&] {
      (deliver(encoder_.finish(), static_cast<std::uint32_t>(in_request), deadline) ? delivered : failed) += in_request;
      in_request = 0;
      encoder_.begin(batch);
    };
    const auto add = [&](record_view const& record) {
      const std::size_t before = encoder_.size();
      encoder_.add(record);
      if (encoder_.size() <= limits.bytes && encoder_.size() - before <= limits.bytes_of_a_span) return true;
      encoder_.cut(before);
      return false;
    };
    encoder_.begin(batch);
    batch.for_each([&](record_view const& record) {
      if (in_request == limits.spans) flush();
      bool added = add(record);
      if (!added && in_request > 0) {
        flush();
        added = add(record);
      }
      added ? ++in_request : ++too_large;
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

  health_report check(time_point deadline) const { return wire_.check(deadline); }

  /// An interruption from before counts no more.
  void begin() noexcept {
    delivery_.begin();
    wire_.begin();
  }
  /// Makes `send` give up. At the end of the program for good: what is left is for the spool, in the time that is left.
  void interrupt() noexcept {
    if (delivery_.is_hurried()) gave_up_ = true;
    delivery_.interrupt();
    wire_.interrupt();
  }
  /// Closes the connection; a later `send` opens another.
  void close() noexcept { wire_.close(); }
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
  bool deliver(std::span<const std::byte> body, std::uint32_t spans, time_point deadline) {
    spooled_request request{body, wire_.content_type(), {}, spans};
    if (options_.gzip && compressor_.compress(body, compressed_)) {
      request.content_encoding = "gzip";
      request.body = std::as_bytes(std::span(compressed_));
    }
    if (spool_)
      if (const std::optional<bool> done = deliver_or_keep(request, deadline)) return *done;
    wire_reply reply;
    const attempt last = delivery_.run(deadline, [&] { return post(request, deadline, reply); });
    if (last.result == attempt::outcome::delivered) {
      if (spool_) spool_->answered();
      count_rejected(taken(reply, spans));
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
    batch_channel* self;
    time_point deadline;
    /// Somebody waits for it.
    bool patiently;
    attempt operator()(spooled_request const& request, batch_origin origin) const {
      return self->send_spooled(request, origin, *this);
    }
  };
  attempt send_spooled(spooled_request const& request, batch_origin origin, resending const& how) {
    wire_reply reply;
    if (origin != batch_origin::fresh) delivery_.count_retry();
    const auto send = [&] { return post(request, how.deadline, reply); };
    attempt last = how.patiently ? delivery_.run(how.deadline, send) : delivery_.run_once(send);
    if (last.result == attempt::outcome::delivered) {
      const std::uint64_t rejected = taken(reply, request.spans);
      // Another process's spans are in nobody's accounts any more.
      if (origin != batch_origin::left_by_another) count_rejected(rejected);
    } else if (origin != batch_origin::fresh && last.result == attempt::outcome::refused && !last.later)
      say_failed(last.reason);
    return last;
  }

  /// One attempt.
  attempt post(spooled_request const& request, time_point deadline, wire_reply& reply) {
    if (delivery_.is_interrupted() || gave_up_)
      return {.reason = std::string("given up before it was sent") + at_the_end(), .later = true};
    reply = wire_.post(request, deadline);
    if (reply.interrupted) reply.last.reason += at_the_end();
    kind_ = reply.kind;
    return reply.last;
  }

  /// Says what the backend has to say about a batch that it took; how many spans of it it did not take.
  std::uint64_t taken(wire_reply const& reply, std::uint64_t spans) const {
    if (reply.rejected > 0)
      say(log_level::warn, "the backend rejected " + std::to_string(reply.rejected) + " spans: " + reply.message,
          "rejected");
    else if (!reply.message.empty())
      say(log_level::warn, "the backend says: " + reply.message, "says");
    if (!reply.doubt.empty()) say(log_level::warn, reply.doubt, "doubt");
    return std::min(reply.rejected, spans);
  }
  void count_rejected(std::uint64_t spans) noexcept { rejected_.fetch_add(spans, std::memory_order_relaxed); }
  void say_failed(std::string const& reason) const {
    say(log_level::error, "a batch was not delivered: " + reason, "failed " + kind_);
  }

  /// Why something was given up.
  const char* at_the_end() const noexcept {
    return delivery_.is_hurried() ? ": the program ended, or shut its tracer down" : "";
  }

  void say(log_level level, std::string const& what, std::string const& key) const {
    log(level, options_.name + ": " + what, options_.name + wire_.address() + key);
  }

  channel_options options_;
  std::shared_ptr<spooled_delivery> spool_;
  bool only_keeps_ = false;
  std::atomic<bool> gave_up_{false};
  Encoder encoder_;
  gzip_compressor compressor_;
  std::string compressed_, reason_, kind_;
  delivery delivery_;
  Wire wire_;
  std::atomic<std::uint64_t> rejected_{0}, too_large_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
