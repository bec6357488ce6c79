// Sends until it is delivered, refused or too late: what every network exporter does around its own protocol.
//
// The protocol says what an attempt came to (`attempt`), the schedule when the next one is (delivery/retry.hpp); here
// is the waiting, which another thread can cut short.
#pragma once

#include <fulgurite/delivery/options.hpp>
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
  /// What the backend asked for.
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;
  /// The next attempt need not wait: a kept connection had gone stale.
  bool at_once = false;
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
      attempt last = send();
      if (last.result != attempt::outcome::retry) return last;
      if (last.at_once && !was_stale && !is_interrupted()) {
        was_stale = true;
      } else {
        const auto pause = schedule.next(deadline - std::chrono::steady_clock::now(), last.retry_after);
        if (!pause) return last;
        if (wait(*pause)) {
          last.reason += " (interrupted before the next attempt)";
          return last;
        }
      }
      retried_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Makes `run` return after the attempt that is under way. From any thread.
  void interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  bool is_interrupted() const noexcept {
    const std::lock_guard lock(mutex_);
    return interrupted_;
  }
  /// How many attempts were not the first.
  std::uint64_t retried() const noexcept { return retried_.load(std::memory_order_relaxed); }

 private:
  /// True when it was interrupted.
  bool wait(std::chrono::nanoseconds pause) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, std::chrono::steady_clock::now() + pause, [this] { return interrupted_; });
  }

  delivery_options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
  std::atomic<std::uint64_t> retried_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
