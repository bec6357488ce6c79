// Everything between a batch and its backend's answer that is the same for every protocol: encoding, limits, gzip, the
// spool, retries.
//
// What differs is in two classes. An *encoder* (encoder/otlp_protobuf.hpp is one) makes a request's bytes:
// `begin(batch)`, `add(record)`, `size()`, `cut(size)`, `finish()`, `shrink(size)`. A *wire* (exporter/http_wire.hpp,
// exporter/ grpc_wire.hpp) makes one attempt at a request and says what it came to:
//
//   explicit Wire(Wire::options)
//   Wire::options settings_for_child() const       of a fork
//   attempt post(spooled_request const&, time_point deadline)
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
};

inline void add_spool(exporter_stats& to, spooled_delivery const& spool) noexcept {
  const spool_counts counts = spool.counts();
  to.settled.exported += counts.exported;
  to.settled.rejected += counts.rejected;
  to.settled.failed += counts.failed;
  to.spooled += counts.waiting;
  to.replayed += counts.replayed;
  to.set_aside += counts.set_aside;
}

/// `send` and `flush` come from one thread, `check`, `interrupt`, `hurry` and the counters from any.
template <class Encoder, class Wire>
class batch_channel {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using wire_options = typename Wire::options;

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

  /// Delivers a batch, in several requests where one would be too large, or keeps it in the spool. The caller logs what
  /// failed (`say_failed`): it may try again elsewhere.
  batch_outcome send(span_batch const& batch, time_point deadline) { return send(batch, deadline, false); }
  /// Into the spool without an attempt: there is nobody to send to.
  batch_outcome keep(span_batch const& batch) { return send(batch, time_point::max(), true); }
  /// Logs why spans were not delivered, if any were not; gives the outcome back. `send` has logged what else was lost.
  batch_outcome say_failed(batch_outcome outcome) const {
    if (outcome.failed > 0) say_failed(outcome.reason, outcome.kind);
    outcome.said = true;
    return outcome;
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
  void begin() noexcept { delivery_.begin(); }
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

  /// How many requests were sent again.
  std::uint64_t retried() const noexcept { return delivery_.retried(); }

 private:
  batch_outcome send(span_batch const& batch, time_point deadline, bool only_keep) {
    request_limits const& limits = options_.limits;
    std::size_t in_request = 0;
    batch_outcome sum;
    const auto flush = [&] {
      sum += deliver(encoder_.finish(), static_cast<std::uint32_t>(in_request), deadline, only_keep);
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
      if (added)
        ++in_request;
      else
        ++sum.too_large;
    });
    if (in_request > 0) flush();
    encoder_.shrink(4 * 1024 * 1024);
    if (sum.too_large > 0) {
      std::string text = std::to_string(sum.too_large) + " spans are larger than a request may be";
      say(log_level::error, text, "too large");
      if (sum.kind == failure_kind::none) sum.reason = std::move(text), sum.kind = failure_kind::too_large;
    }
    return sum;
  }

  batch_outcome deliver(std::span<const std::byte> body, std::uint32_t spans, time_point deadline, bool only_keep) {
    spooled_request request{body, wire_.content_type(), {}, spans};
    if (options_.gzip && compressor_.compress(body, compressed_)) {
      request.content_encoding = "gzip";
      request.body = std::as_bytes(std::span(compressed_));
    }
    if (spool_)
      if (std::optional<batch_outcome> done = deliver_or_keep(request, deadline, only_keep)) return *std::move(done);
    attempt last = delivery_.run(deadline, [&] { return post(request, deadline); });
    if (last.result != attempt::outcome::delivered) return all_failed(spans, last.kind, std::move(last.reason));
    if (spool_) spool_->answered();
    return taken(last, spans);
  }

  /// Nothing where the spool cannot take it and it goes on as without one.
  std::optional<batch_outcome> deliver_or_keep(spooled_request const& request, time_point deadline, bool only_keep) {
    using outcome = spooled_delivery::outcome;
    if (only_keep || gave_up_) {
      if (spool_->keep(request)) return batch_outcome{.spooled = request.spans};
      return all_failed(request.spans, failure_kind::given_up, "the spool has not taken it");
    }
    spooled_delivery::result done = spool_->deliver(request, delivery_.is_hurried(), resending{this, deadline, false});
    switch (done.what) {
      case outcome::delivered:
        return taken(done.last, request.spans);
      case outcome::kept:
        if (!done.last.reason.empty())
          say(log_level::warn, "batches are kept in the spool until they can be delivered: " + done.last.reason,
              "kept");
        return batch_outcome{.spooled = request.spans, .reason = std::move(done.last.reason), .kind = done.last.kind};
      case outcome::refused:
        return all_failed(request.spans, done.last.kind, std::move(done.last.reason));
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
    if (origin != batch_origin::fresh) delivery_.count_retry();
    const auto send = [&] { return post(request, how.deadline); };
    attempt last = how.patiently ? delivery_.run(how.deadline, send) : delivery_.run_once(send);
    if (origin == batch_origin::fresh) return last;  // it is the caller's to say
    if (last.result == attempt::outcome::delivered)
      say_taken(last);
    else if (last.result == attempt::outcome::refused && !last.later)
      say_failed(last.reason, last.kind);
    return last;
  }

  /// One attempt.
  attempt post(spooled_request const& request, time_point deadline) {
    if (delivery_.is_interrupted() || gave_up_)
      return {.reason = std::string("given up before it was sent") + at_the_end(),
              .kind = failure_kind::given_up,
              .later = true};
    attempt made = wire_.post(request, deadline);
    if (made.kind == failure_kind::given_up) made.reason += at_the_end();
    return made;
  }

  /// Of a batch that the backend took: how many spans of it it did not, and says what it has to say.
  batch_outcome taken(attempt const& made, std::uint64_t spans) const {
    say_taken(made);
    const std::uint64_t rejected = std::min(made.rejected, spans);
    batch_outcome outcome{.exported = spans - rejected, .rejected = rejected};
    if (rejected > 0) outcome.kind = failure_kind::refused, outcome.reason = made.message;
    return outcome;
  }
  void say_taken(attempt const& made) const {
    if (made.rejected > 0)
      say(log_level::warn, "the backend rejected " + std::to_string(made.rejected) + " spans: " + made.message,
          "rejected");
    else if (!made.message.empty())
      say(log_level::warn, "the backend says: " + made.message, "says");
    if (!made.doubt.empty()) say(log_level::warn, made.doubt, "doubt");
  }
  void say_failed(std::string const& reason, failure_kind kind) const {
    say(log_level::error, "a batch was not delivered: " + reason,
        "failed " + std::to_string(static_cast<unsigned>(kind)));
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
  std::atomic<bool> gave_up_{false};
  Encoder encoder_;
  gzip_compressor compressor_;
  std::string compressed_;
  delivery delivery_;
  Wire wire_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
