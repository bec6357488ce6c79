// Sends until it is delivered, refused or too late: what every network exporter does around its own protocol.
//
// The protocol says what an attempt came to (`attempt`), the schedule when the next one is (delivery/retry.hpp); here
// is the waiting, which another thread can cut short: `interrupt` gives one request up, `hurry` means that the program
// ends and nothing is waited for any more.
#pragma once

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/delivery/retry.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What one attempt came to.
struct attempt {
  enum class outcome { delivered, retry, refused };

  outcome result = outcome::refused;
  /// In words, unless it was delivered.
  std::string reason = {};
  failure_kind kind = failure_kind::none;
  /// What the backend asked for.
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;
  /// The next attempt need not wait: a kept connection had gone stale.
  bool at_once = false;
  /// It says nothing about the request itself, which another day may bring through: it is worth keeping in a spool.
  /// True of every `retry`.
  bool later = false;
  /// Of a request that was delivered: spans that the backend did not take, and what it had to say.
  std::uint64_t rejected = 0;
  std::string message = {};
  /// Why it may not have been taken by a backend at all.
  std::string doubt = {};
};

class delivery {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit delivery(delivery_options const& options) : options_(options) {}

  /// Starts over: an interruption from before counts no more.
  void begin() noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = false;
  }

  /// Calls `send() -> attempt` until it succeeds, is refused, or must not be tried again; returns the last.
  template <class Send>
  attempt run(time_point deadline, Send&& send) {
    retry_schedule schedule(options_, static_cast<std::uint64_t>(deadline.time_since_epoch().count()) ^
                                          reinterpret_cast<std::uintptr_t>(this));
    for (bool was_stale = false;;) {
      const bool is_last = is_hurried();
      attempt last = send();
      if (last.result != attempt::outcome::retry) return last;
      if (last.at_once && !was_stale && !is_interrupted()) {
        was_stale = true;
      } else {
        const auto pause = schedule.next(deadline - std::chrono::steady_clock::now(), last.retry_after);
        if (!pause) return last;
        // One that was waiting when the end began has an attempt left, unless the backend asked for this pause.
        if (is_last || !wait(*pause, last.retry_after.has_value())) {
          last.reason += is_hurried() ? " (the program ended, or shut its tracer down, before the next attempt)"
                                      : " (given up before the next attempt)";
          return last;
        }
      }
      count_retry();
    }
  }

  /// One attempt, and another at once where a kept connection had gone stale: where a spool does the waiting.
  template <class Send>
  attempt run_once(Send&& send) {
    attempt last = send();
    if (last.result != attempt::outcome::retry || !last.at_once || is_interrupted()) return last;
    count_retry();
    return send();
  }
  /// A request is sent again that had been put aside.
  void count_retry() noexcept { retried_.fetch_add(1, std::memory_order_relaxed); }

  /// Makes `run` return after the attempt that is under way. From any thread.
  void interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  /// From now on a request gets one attempt, and another at once where a kept connection had gone stale. A pause that
  /// is under way ends, with at most one attempt after it. For good, and from any thread.
  void hurry() noexcept {
    const std::lock_guard lock(mutex_);
    hurried_ = true;
    changed_.notify_all();
  }
  bool is_interrupted() const noexcept {
    const std::lock_guard lock(mutex_);
    return interrupted_;
  }
  bool is_hurried() const noexcept {
    const std::lock_guard lock(mutex_);
    return hurried_;
  }
  /// How many attempts were not the first.
  std::uint64_t retried() const noexcept { return retried_.load(std::memory_order_relaxed); }

 private:
  /// Whether there may be another attempt.
  bool wait(std::chrono::nanoseconds pause, bool asked_for) {
    std::unique_lock lock(mutex_);
    const bool cut_short = changed_.wait_until(lock, std::chrono::steady_clock::now() + pause,
                                               [this] { return interrupted_ || hurried_; });
    return !cut_short || (!interrupted_ && !asked_for);
  }

  delivery_options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false, hurried_ = false;
  std::atomic<std::uint64_t> retried_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
