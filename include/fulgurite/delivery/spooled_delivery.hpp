// When a batch goes to the spool, and when one comes out of it: what an exporter with a spool does around its requests.
//
// While the backend answers and the spool is empty a batch is sent at once. An attempt that fails for now puts it into
// the spool, and from then on every batch goes there, behind the others, so that they arrive in order. The oldest is
// tried again after a pause that doubles (delivery/retry.hpp; `Retry-After` goes before it); when it is taken the rest
// follows without pauses. The exporter's thread is never held up by a pause. Only a batch that the spool cannot take, a
// full disk, goes past it as if there were none.
//
// The exporter gives each call its `send(spooled_request const&, batch_origin) -> attempt`.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/delivery/options.hpp>
#include <fulgurite/delivery/retry.hpp>
#include <fulgurite/delivery/spool.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Which batch an attempt is about: one that has not been in the spool, or one out of it, of this process or another.
enum class batch_origin { fresh, own, left_by_another };

class spooled_delivery {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  enum class outcome {
    delivered,
    kept,     ///< in the spool
    refused,  ///< and would be again
    not_kept  ///< the spool cannot take it
  };
  struct result {
    outcome what = outcome::not_kept;
    /// Where something was tried.
    attempt last = {};
  };

  spooled_delivery(delivery_options const& options, std::string destination, bool look_now = true)
      : options_(options),
        destination_(std::move(destination)),
        spool_(options_.spool, destination_, options_.spool_max_bytes, look_now),
        pauses_(make_pauses()) {
    set_next();
  }
  /// For the child of a fork: nothing of the parent's, and nothing read from the disk yet.
  std::shared_ptr<spooled_delivery> for_child() {
    spool_.leave_to_parent();
    return std::make_shared<spooled_delivery>(options_, destination_, false);
  }

  /// Sends a new batch or keeps it. `hurried`: the program ends, and nothing old is tried before it.
  template <class Send>
  result deliver(spooled_request const& request, bool hurried, Send&& send) {
    // More than one for each that comes: so the spool empties also while there is always something new.
    for (int i = 0; i < 4 && !hurried && is_due() && !spool_.empty(); ++i)
      if (!replay_front(send)) break;
    if (!spool_.empty() || !is_due()) return {keep(request) ? outcome::kept : outcome::not_kept};
    attempt last = send(request, batch_origin::fresh);
    if (last.result == attempt::outcome::delivered) {
      answered();
      return {outcome::delivered, std::move(last)};
    }
    if (!may_come_through(last)) {
      answered();
      return {outcome::refused, std::move(last)};
    }
    not_answered(last.kind, last.retry_after);
    return {keep(request) ? outcome::kept : outcome::not_kept, std::move(last)};
  }

  /// Into the spool without an attempt.
  bool keep(spooled_request const& request) {
    const bool kept = spool_.append(request);
    set_next();
    return kept;
  }

  /// Tries the oldest batch when it is due. False when it was not taken; then there is a pause.
  template <class Send>
  bool replay(Send&& send) {
    return is_due() && (spool_.empty() || replay_front(send));
  }

  /// Delivers what it can until the deadline, now rather than after the next pause, unless the backend asked for that
  /// pause. True when of this process nothing is left, and nothing was refused since the last flush.
  template <class Send>
  bool flush(time_point until, Send&& send) {
    if (!asked_for_) not_before_ = {};
    while (!spool_.empty() && std::chrono::steady_clock::now() < until && replay(send)) {
    }
    const spool_counts now = spool_.counts();
    const bool none_failed = std::exchange(failed_at_flush_, now.failed) == now.failed;
    return now.waiting == 0 && none_failed;
  }

  bool is_due() const noexcept { return std::chrono::steady_clock::now() >= not_before_; }
  /// The backend answers: what waits may go at once.
  void answered() noexcept {
    pauses_ = make_pauses();
    not_before_ = {};
    asked_for_ = false;
    why_ = failure_kind::none;
    set_next();
  }
  /// The next attempt comes after a pause.
  void not_answered(failure_kind why, std::optional<std::chrono::nanoseconds> retry_after = std::nullopt) noexcept {
    why_ = why;
    constexpr std::chrono::hours longest(1);
    const auto pause = pauses_.next(std::chrono::hours(24), retry_after).value_or(longest);
    not_before_ = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(pause, longest);
    asked_for_ = retry_after.has_value();
    set_next();
  }
  /// Why the last attempt failed; none when the backend has answered since.
  failure_kind why() const noexcept { return why_; }
  /// Gives up what waits to the next process, which may have it at once.
  void close() noexcept {
    spool_.close();
    set_next();
  }

  /// When `replay` wants to be called; never while nothing waits. From any thread, as the next.
  time_point idle_at() const noexcept {
    return time_point(time_point::duration(next_.load(std::memory_order_relaxed)));
  }
  spool_counts counts() const noexcept { return spool_.counts(); }

 private:
  static bool may_come_through(attempt const& last) noexcept {
    return last.later || last.result == attempt::outcome::retry;
  }

  /// As between the attempts at one request, but without an end.
  retry_schedule make_pauses() const noexcept {
    delivery_options endless;
    endless.initial_backoff = options_.initial_backoff;
    endless.max_backoff = options_.max_backoff;
    endless.jitter = options_.jitter;
    endless.max_attempts = std::numeric_limits<int>::max();
    return retry_schedule(endless,
                          static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));
  }

  template <class Send>
  bool replay_front(Send&& send) {
    spool::batch const* const oldest = spool_.front();
    if (!oldest) {  // it was damaged and is gone, or there is no descriptor to open it with
      if (spool_.empty())
        set_next();
      else
        not_answered(failure_kind::other);
      return spool_.empty();
    }
    const attempt last = send(oldest->request, oldest->own ? batch_origin::own : batch_origin::left_by_another);
    const bool delivered = last.result == attempt::outcome::delivered;
    if (!delivered && may_come_through(last)) {
      not_answered(last.kind, last.retry_after);
      return false;
    }
    spool_.drop_front(delivered, last.rejected);
    answered();
    return true;
  }

  void set_next() noexcept {
    const time_point next = spool_.empty() ? time_point::max() : not_before_;
    next_.store(next.time_since_epoch().count(), std::memory_order_relaxed);
  }

  delivery_options options_;
  std::string destination_;
  spool spool_;
  retry_schedule pauses_;
  time_point not_before_{};
  /// The backend asked for the pause.
  bool asked_for_ = false;
  failure_kind why_ = failure_kind::none;
  std::uint64_t failed_at_flush_ = 0;
  std::atomic<time_point::rep> next_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
