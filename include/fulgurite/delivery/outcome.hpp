// What became of a batch: the one answer that goes from the wire back to a tracer's accounts.
//
// An exporter returns it from `export_spans`; every span of the batch is in one of its counts. What it says of spans
// that wait is not the last word: what becomes of them later stands in `settled_spans`, which only grows.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// When something must be done: never `now + timeout` computed twice.
using deadline = std::chrono::steady_clock::time_point;

/// What became of a batch as a whole, after all retries: what a simple exporter returns instead of a `batch_outcome`.
enum class export_result { success, failure };

/// What kind of failure it was. Of each kind one line a minute is logged.
enum class failure_kind : std::uint8_t {
  none,
  unreachable,   ///< nobody listens there, or the host's name is unknown
  disconnected,  ///< the connection ended before there was a whole answer
  timed_out,
  tls,          ///< the other side is not trusted, or speaks no TLS
  access,       ///< the credentials are missing, wrong or not enough
  address,      ///< nothing takes spans at this address, or a proxy does not let them through
  unavailable,  ///< the backend cannot take them now, and says so
  refused,      ///< the backend does not take the request, or has failed at it
  too_large,    ///< the request, a span of it or the answer is larger than may be
  given_up,     ///< the program ended, shut its tracer down, or would wait no longer
  other
};

/// Of the spans of one batch. exported + rejected + too_large + failed + spooled + waiting is the batch's size; of what
/// an exporter returns with another sum, the remainder counts as failed, and an excess is cut.
struct batch_outcome {
  /// The backend has taken them.
  std::uint64_t exported = 0;
  /// The backend took the request and refused these spans (OTLP partial success).
  std::uint64_t rejected = 0;
  /// Larger than what may be sent.
  std::uint64_t too_large = 0;
  /// Not delivered, and given up.
  std::uint64_t failed = 0;
  /// Kept on the disk, where the end of the process does not lose them; settled later.
  std::uint64_t spooled = 0;
  /// Kept in memory by an exporter with a queue of its own; settled later.
  std::uint64_t waiting = 0;
  /// In words, without secrets: why what was not exported was not.
  std::string reason = {};
  failure_kind kind = failure_kind::none;
  /// The exporter has logged what is lost here: the tracer does not log it again.
  bool said = false;

  std::uint64_t spans() const noexcept { return exported + rejected + too_large + failed + spooled + waiting; }
  /// Those that are lost.
  std::uint64_t lost() const noexcept { return rejected + too_large + failed; }
  /// Nothing is lost.
  bool is_success() const noexcept { return lost() == 0; }

  /// Of two parts of a batch together; the later failure's words stay.
  batch_outcome& operator+=(batch_outcome more) noexcept {
    exported += more.exported;
    rejected += more.rejected;
    too_large += more.too_large;
    failed += more.failed;
    spooled += more.spooled;
    waiting += more.waiting;
    if (more.kind != failure_kind::none || !more.reason.empty()) {
      reason = std::move(more.reason);
      kind = more.kind;
    }
    return *this;
  }
};

/// What became, so far, of spans that an outcome had called `spooled` or `waiting`.
struct settled_spans {
  std::uint64_t exported = 0, rejected = 0, too_large = 0, failed = 0;
  /// They found no room in the exporter's own queue, or were given up there at shutdown.
  std::uint64_t queue_full = 0, shutdown = 0;

  std::uint64_t lost() const noexcept { return rejected + too_large + failed + queue_full + shutdown; }
  std::uint64_t spans() const noexcept { return exported + lost(); }

  settled_spans& operator+=(settled_spans const& more) noexcept {
    exported += more.exported;
    rejected += more.rejected;
    too_large += more.too_large;
    failed += more.failed;
    queue_full += more.queue_full;
    shutdown += more.shutdown;
    return *this;
  }
};

namespace detail {

inline batch_outcome all_exported(std::size_t spans) noexcept { return {.exported = spans}; }
inline batch_outcome all_failed(std::size_t spans, failure_kind kind = failure_kind::other, std::string reason = {}) {
  return {.failed = spans, .reason = std::move(reason), .kind = kind};
}
/// Of an exporter that was shut down before.
inline batch_outcome failed_after_shutdown(std::size_t spans) {
  return all_failed(spans, failure_kind::given_up, "the exporter was shut down");
}

inline batch_outcome outcome_of(export_result result, std::size_t spans) noexcept {
  return result == export_result::success ? all_exported(spans) : batch_outcome{.failed = spans};
}
inline batch_outcome outcome_of(batch_outcome given, std::size_t) noexcept { return given; }

/// Makes the sum right. False when there were too many.
inline bool normalise(batch_outcome& outcome, std::size_t spans) noexcept {
  std::uint64_t left = spans;
  bool is_right = true;
  // What is lost comes first: it must not be hidden by what is said to be exported.
  for (std::uint64_t* const count : {&outcome.failed, &outcome.rejected, &outcome.too_large, &outcome.spooled,
                                     &outcome.waiting, &outcome.exported}) {
    is_right = is_right && *count <= left;
    *count = std::min(*count, left);
    left -= *count;
  }
  outcome.failed += left;
  return is_right;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
