// A bounded queue and the thread that delivers from it: wherever something waits for a destination that may be slow.
//
// The thread starts with the first item and sleeps while there is none. It delivers one item after the other, flushes
// its destination when somebody asks, gives it time for work of its own when there is nothing to deliver, and shuts it
// down at the end. A destination that hangs holds up this thread alone: the queue fills, and a flush or a shutdown
// returns at its deadline; the lane lives on with its thread.
//
// `Self` is the class that derives from it. It has, called on the lane's thread and without the lock:
//
//   batch_outcome deliver(Item&) noexcept
//   bool flush_destination(deadline) noexcept
//   bool shut_down_destination(deadline) noexcept
//   deadline idle_at() const noexcept             when `idle` wants to be called; with the lock
//   void idle() noexcept                          work of the destination's own, for about one request
//
// and, called with the lock:
//
//   std::size_t spans_of(Item const&), bytes_of(Item const&)
//   bool is_full(Item const&)                     it goes out before its delay is over
//   void taken(Item&) noexcept                    it has left the queue
//   void settled(Item&, batch_outcome const&) noexcept
//   void lost(Item&) noexcept                     given up at shutdown, in the queue
//   bool abandon(Item&) noexcept                  the process ends while it is in `deliver`; false: it is settled soon
//   void recycle(Item&) noexcept                  nobody needs it any more
//   auto finished() noexcept                      the thread has nothing to do any more; the lane destroys the result
//                                                 without the lock
//
// and, called from any thread:
//
//   void interrupt() noexcept                     makes the `deliver` that is under way give up
//   bool keeps_undelivered() const noexcept       what it cannot deliver at shutdown it can still put somewhere
//   std::string in_log() const                    what the log calls it: a prefix
#pragma once

#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/engine/worker_thread.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct lane_options {
  /// Of the thread; 15 characters at most.
  const char* thread_name = "fulgurite-lane";
  /// How long an item that is not full waits for more.
  std::chrono::milliseconds delay{0};
  /// How long one delivery may take before it is interrupted; 0 is no limit.
  std::chrono::milliseconds longest{0};
};

/// When a shutdown interrupts the delivery that is under way: at its end, or before it where the destination needs time
/// to keep what it cannot deliver.
inline deadline interrupt_at(deadline until, bool keeps_undelivered) noexcept {
  if (!keeps_undelivered) return until;
  const auto left = std::max(until - std::chrono::steady_clock::now(), deadline::duration::zero());
  return until - std::min<deadline::duration>(left / 4, std::chrono::seconds(2));
}

template <class Self, class Item>
class lane : public std::enable_shared_from_this<Self> {
 public:
  bool is_started() const noexcept { return started_.load(std::memory_order_relaxed); }
  /// Spans that wait, those being delivered included.
  std::uint64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  std::size_t queued_bytes() const noexcept { return queued_bytes_.load(std::memory_order_relaxed); }

  /// Where the destination has something to do before the first item.
  void start_idling() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (!stopping_ && self().idle_at() != deadline::max()) start_thread();
  }

  // ---------------------------------------------------------------------------------------------------------- flush

  struct flush_ticket {
    std::uint64_t number = 0, undelivered = 0;
  };
  flush_ticket ask_flush(deadline until) noexcept {
    const std::lock_guard lock(mutex_);
    if (!is_started() || finished_ || has_called_exit()) return {};
    flush_until_ = until;
    flush_mark_ = appended_;
    work_.notify_one();
    return {++flushes_asked_, undelivered_};
  }
  /// Whether what had been there before was dealt with; waits for it.
  bool wait_flushed(flush_ticket const& ticket, deadline until) noexcept {
    std::unique_lock lock(mutex_);
    return done_.wait_until(lock, until, [&] { return flushes_done_ >= ticket.number || finished_; });
  }
  /// Whether it was delivered, too.
  bool has_delivered(flush_ticket const& ticket) noexcept {
    const std::lock_guard lock(mutex_);
    if (ticket.number == 0) return !front_ && !has_called_exit();
    // A shutdown that came in between has delivered it, too.
    const bool flushed = flushes_done_ >= ticket.number ? destination_flushed_ : finished_ && shut_down_;
    return flushed && undelivered_ == ticket.undelivered;
  }

  // -------------------------------------------------------------------------------------------------------- shutdown

  /// What waits is delivered until `until`, then the destination is shut down: by the thread, and this returns at once.
  /// The thread is started for it, unless `only_if_needed` and there is nothing to deliver; false where it then does
  /// not run. A second call may only bring the end forward.
  bool begin_shutdown(deadline until, bool only_if_needed = false) noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (stopping_.exchange(true)) {
      stop_until_ = std::min(stop_until_, until);
    } else {
      stop_until_ = until;
      undelivered_before_ = undelivered_;
      if (!only_if_needed || front_) start_thread();
    }
    work_.notify_one();
    return is_started();
  }
  /// Not for a thread that has called exit() from inside the destination: it waits for everybody else. When the process
  /// has delivered what it could, the thread has stopped for good.
  bool wait_finished(deadline until) noexcept {
    std::unique_lock lock(mutex_);
    return done_.wait_until(lock, until,
                            [this] { return finished_ || has_called_exit() || process_end::instance().parks; });
  }
  /// The time is up: the delivery that is under way gives up, and unless the destination can keep them no others begin.
  void give_up() noexcept {
    const bool keeps = self().keeps_undelivered();
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      gave_up_ = gave_up_ || !keeps;
    }
    self().interrupt();
  }
  /// What waits is lost where the destination has not returned; its thread is left behind.
  void leave_behind() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    drop_queue();
    if (!process_end::instance().has_begun()) return say_left_behind();
    if (!delivering_ || abandoned_ || !self().abandon(delivering_->item)) return;
    abandoned_ = true;
    subtract(delivering_->item);
  }
  bool has_shut_down() noexcept {
    const std::lock_guard lock(mutex_);
    return finished_ && shut_down_ && undelivered_ == undelivered_before_;
  }

  // --------------------------------------------------------------------------------------- deliveries that hang

  /// When a delivery will have taken too long; deadline::max() where there is none.
  deadline overtime_at() noexcept {
    const std::lock_guard lock(mutex_);
    if (options_.longest.count() <= 0 || interrupted_) return deadline::max();
    if (delivering_) return delivery_started_ + options_.longest;
    return front_ ? std::chrono::steady_clock::now() + options_.longest : deadline::max();
  }
  void interrupt_overtime() noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (options_.longest.count() <= 0 || !delivering_ || interrupted_) return;
      if (std::chrono::steady_clock::now() - delivery_started_ < options_.longest) return;
      interrupted_ = true;
    }
    say(log_level::warn, "an export took longer than export_timeout and is interrupted", "overtime");
    self().interrupt();
  }

 protected:
  // All of these with the lock.

  /// A new item at the end of the queue. Throws std::bad_alloc.
  Item& append() {
    node* const fresh = spare_ ? std::exchange(spare_, nullptr) : new node;
    if (!front_) first_queued_ = std::chrono::steady_clock::now();
    (front_ ? back_->next : front_) = fresh;
    back_ = fresh;
    ++appended_;
    ++waiting_items_;
    return fresh->item;
  }
  void add(std::size_t spans, std::size_t bytes) noexcept {
    queued_.store(queued() + spans, std::memory_order_relaxed);
    queued_bytes_.store(queued_bytes() + bytes, std::memory_order_relaxed);
  }
  bool is_empty() const noexcept { return front_ == nullptr; }
  /// That being delivered included.
  std::size_t items() const noexcept { return waiting_items_ + (delivering_ ? 1 : 0); }
  bool is_stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
  bool is_finished() const noexcept { return finished_; }
  /// In a queue for the child of a fork: nothing is taken.
  void stay_stopped() noexcept { stopping_ = finished_ = true; }
  void finish_unstarted() noexcept { finished_ = true; }
  void notify_work() noexcept { work_.notify_one(); }

  void start_thread() noexcept {
    if (is_started()) return;
    started_ = true;
    try {
      start_worker_thread(options_.thread_name, [own = this->shared_from_this()]() noexcept { own->work(); });
    } catch (...) {
      stopping_ = finished_ = true;
      drop_queue();
      say(log_level::error, "the exporting thread cannot be started; its spans are dropped", "no thread");
    }
  }
  /// The thread has called exit() from inside the destination, and waits for everybody else.
  bool has_called_exit() const noexcept { return process_end::instance().is_ending_thread(thread_id_); }

  mutable std::mutex mutex_;

 private:
  friend Self;  // and nobody else derives from it

  explicit lane(lane_options const& options) noexcept : options_(options) {}
  lane(lane const&) = delete;
  lane& operator=(lane const&) = delete;
  ~lane() {
    while (front_) delete take_front();
    delete spare_;
  }

  using lock_type = std::unique_lock<std::mutex>;
  struct node {
    Item item;
    node* next = nullptr;
  };

  Self& self() noexcept { return static_cast<Self&>(*this); }
  Self const& self() const noexcept { return static_cast<Self const&>(*this); }

  node* take_front() noexcept {
    node* const taken = front_;
    front_ = std::exchange(taken->next, nullptr);
    --waiting_items_;
    return taken;
  }
  void subtract(Item const& item) noexcept {
    queued_.store(queued() - self().spans_of(item), std::memory_order_relaxed);
  }
  void give_back(node* used) noexcept {
    queued_bytes_.store(queued_bytes() - self().bytes_of(used->item), std::memory_order_relaxed);
    self().recycle(used->item);
    if (spare_)
      delete used;
    else
      spare_ = used;
  }

  void work() noexcept {
    lock_type lock(mutex_);
    thread_id_ = thread_id();
    while (!stopping_) {
      wait(lock);
      // A flush is about what was there when it was asked for: it ends also while items keep coming.
      const std::uint64_t ticket = flushes_asked_, mark = flush_mark_;
      const bool asked = ticket != flushes_done_;
      while (front_ && !stopping_ && (asked ? begun_ < mark : flushes_asked_ == ticket)) deliver_front(lock);
      if (!asked || stopping_) continue;
      const deadline until = flush_until_;
      lock.unlock();
      const bool flushed = self().flush_destination(until);
      lock.lock();
      destination_flushed_ = flushed;
      flushes_done_ = ticket;
      done_.notify_all();
    }
    while (front_ && !gave_up_ && std::chrono::steady_clock::now() < stop_until_) deliver_front(lock);
    deadline until{};
    {
      const delayed_log later;
      drop_queue();
      until = stop_until_;
      lock.unlock();
    }
    const bool shut_down = self().shut_down_destination(until);
    lock.lock();
    shut_down_ = shut_down;
    finished_ = true;
    [[maybe_unused]] const auto last = self().finished();
    done_.notify_all();
    lock.unlock();
  }

  /// Until an item is full or has waited long enough, or somebody asks. With nothing to deliver the destination gets
  /// time for its own.
  void wait(lock_type& lock) {
    const auto asked = [this] { return stopping_ || flushes_asked_ != flushes_done_; };
    const auto needed = [&] { return asked() || front_; };
    while (!needed()) {
      const deadline idle_at = self().idle_at();
      if (idle_at == deadline::max()) {
        work_.wait(lock, needed);
      } else if (!work_.wait_until(lock, idle_at, needed)) {
        lock.unlock();
        self().idle();
        lock.lock();
      }
    }
    if (options_.delay.count() > 0)
      work_.wait_until(lock, first_queued_ + options_.delay,
                       [&] { return asked() || !front_ || self().is_full(front_->item); });
  }

  void deliver_front(lock_type& lock) noexcept {
    delivering_ = take_front();
    Item& item = delivering_->item;
    self().taken(item);
    ++begun_;
    first_queued_ = delivery_started_ = std::chrono::steady_clock::now();
    lock.unlock();
    const batch_outcome outcome = self().deliver(item);
    lock.lock();
    interrupted_ = false;
    undelivered_ += outcome.lost();
    if (!std::exchange(abandoned_, false)) {
      subtract(item);
      self().settled(item, outcome);
    }
    give_back(std::exchange(delivering_, nullptr));
  }

  void drop_queue() noexcept {
    while (front_) {
      node* const dropped = take_front();
      self().taken(dropped->item);
      undelivered_ += self().spans_of(dropped->item);
      subtract(dropped->item);
      self().lost(dropped->item);
      give_back(dropped);
    }
  }

  void say(log_level level, const char* what, const char* key) const noexcept try {
    log(level, self().in_log() + what, self().in_log() + key);
  } catch (...) {
    log(level, what);
  }
  void say_left_behind() const noexcept try {
    log(log_level::error,
        self().in_log() + "the exporter did not return before the end of shutdown; its thread is left behind, with " +
            std::to_string(queued()) + " spans",
        self().in_log() + "left behind");
  } catch (...) {
    log(log_level::error, "the exporter did not return before the end of shutdown");
  }

  const lane_options options_;
  std::condition_variable work_, done_;
  node *front_ = nullptr, *back_ = nullptr;  // the queue
  node* delivering_ = nullptr;
  node* spare_ = nullptr;
  std::size_t waiting_items_ = 0;
  std::atomic<std::uint64_t> queued_{0};
  std::atomic<std::size_t> queued_bytes_{0};
  std::uint64_t undelivered_ = 0, undelivered_before_ = 0;
  pid_t thread_id_ = 0;
  deadline first_queued_{}, delivery_started_{}, flush_until_{}, stop_until_{};
  std::uint64_t appended_ = 0, begun_ = 0;  // items, since the beginning
  std::uint64_t flushes_asked_ = 0, flushes_done_ = 0, flush_mark_ = 0;
  std::atomic<bool> started_{false}, stopping_{false};
  bool interrupted_ = false, abandoned_ = false, gave_up_ = false, finished_ = false, shut_down_ = false;
  bool destination_flushed_ = true;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
