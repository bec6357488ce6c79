// One destination of a fan-out: its queue, its thread, its account.
//
// The thread starts with the first batch and does for its exporter what a batch processor's does (processor/batch.hpp):
// exports, flushes, gives it time of its own, shuts it down. Nothing here waits for another destination. An exporter
// that blocks for ever holds its thread and nothing else; the lane lives on with that thread. Part of
// exporter/fan_out.hpp.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/engine/worker_thread.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/fan_out/batch.hpp>
#include <fulgurite/exporter/fan_out/destination_stats.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// How much may wait for each of several exporters.
struct fan_out_options {
  /// Bytes of packed records that may wait for one destination, the batch that it is exporting included. One batch is
  /// always taken when nothing waits.
  std::size_t max_queue_bytes = std::size_t{32} << 20;
  /// Batches that may wait for one destination.
  std::size_t max_queue_batches = 1'024;
  /// How long one export may take before it is told to give up; 0 is no limit.
  std::chrono::milliseconds export_timeout{30'000};
  /// What logs and statistics call the destinations, in their order; one without is called by its type.
  std::vector<std::string> names = {};
};

namespace detail {

class fan_out_lane : public std::enable_shared_from_this<fan_out_lane> {
 public:
  /// Why a batch is not taken into the queue.
  enum class refusal { queue_full, shutdown };

  fan_out_lane(std::string name, std::shared_ptr<any_exporter> exporter, fan_out_options const& options)
      : name_(std::move(name)),
        exporter_(std::move(exporter)),
        max_bytes_(options.max_queue_bytes),
        max_batches_(std::max<std::size_t>(options.max_queue_batches, 1)),
        export_timeout_(options.export_timeout) {}

  std::string const& name() const noexcept { return name_; }
  std::shared_ptr<any_exporter> const& exporter() const noexcept { return exporter_; }
  /// How often the exporter is being asked for its health just now.
  std::shared_ptr<std::atomic<int>> const& questions() const noexcept { return questions_; }

  /// Takes a batch into the queue; nothing is answered then. Else why not, and the batch is not settled here.
  std::optional<refusal> offer(std::shared_ptr<shared_batch> const& batch) noexcept try {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (stopping_) return refusal::shutdown;
    const std::size_t after = queued_bytes_ + batch->bytes();
    if (waiting_batches() >= max_batches_ || (queued_spans_ > 0 && after > max_bytes_)) {
      log(log_level::warn, "fan_out: " + name_ + ": spans are dropped: its queue is full", "fan_out full " + name_);
      return refusal::queue_full;
    }
    queue_.push_back(batch);
    queued_spans_ += batch->spans();
    queued_bytes_ = after;
    ++accepted_;
    start_thread();
    work_.notify_one();
    return std::nullopt;
  } catch (...) {
    return refusal::queue_full;
  }
  /// A batch that was not taken counts here when another destination has taken it.
  void count_refused(refusal why, shared_batch& batch) noexcept {
    const std::lock_guard lock(mutex_);
    const std::uint64_t spans = batch.spans();
    settle(batch, why == refusal::shutdown ? settled_spans{.shutdown = spans} : settled_spans{.queue_full = spans});
  }

  /// Where the exporter has something to do before the first batch.
  void start() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (!stopping_) start_thread();
  }
  bool is_started() const noexcept { return started_.load(std::memory_order_relaxed); }

  // -------------------------------------------------------------------------------------------------------- flushing

  struct flush_ticket {
    std::uint64_t number = 0, undelivered = 0;
  };
  flush_ticket ask_flush(deadline until) noexcept {
    const std::lock_guard lock(mutex_);
    if (!is_started() || finished_ || has_called_exit()) return {};
    flush_until_ = until;
    flush_mark_ = accepted_;
    work_.notify_one();
    return {++flushes_asked_, undelivered_};
  }
  /// Whether what had been offered before was dealt with; waits for it.
  bool wait_flushed(flush_ticket const& ticket, deadline until) noexcept {
    std::unique_lock lock(mutex_);
    return done_.wait_until(lock, until, [&] { return flushes_done_ >= ticket.number || finished_; });
  }
  /// Whether it was delivered, too.
  bool has_delivered(flush_ticket const& ticket) noexcept {
    const std::lock_guard lock(mutex_);
    if (ticket.number == 0) return queue_.empty();
    return flushes_done_ >= ticket.number && exporter_flushed_ && undelivered_ == ticket.undelivered;
  }

  // -------------------------------------------------------------------------------------------------------- shutdown

  /// What waits is exported until `until`, then the exporter is shut down; on its own thread, and this returns at once.
  void begin_shutdown(deadline until) noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (stopping_.exchange(true)) return;
    stop_until_ = until;
    undelivered_before_ = undelivered_;
    start_thread();  // also where there was none: an exporter may block in `shutdown`
    work_.notify_one();
  }
  /// Not for a thread that has called exit() from inside the exporter: it waits for everybody else.
  bool wait_finished(deadline until) noexcept {
    std::unique_lock lock(mutex_);
    return done_.wait_until(lock, until, [this] { return finished_ || has_called_exit(); });
  }
  /// The time is up: the export that is under way gives up, and unless the exporter can keep them no others begin.
  void give_up() noexcept {
    const bool keeps = exporter_->keeps_undelivered();
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      gave_up_ = gave_up_ || !keeps;
    }
    exporter_->interrupt();
  }
  /// What waits is lost where the exporter has not returned; its thread is left behind.
  void abandon() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (finished_) return;
    drop_queue();
    if (process_end::instance().has_begun()) {
      if (exporting_now_) count_given_up(*std::exchange(exporting_now_, nullptr));
      return;
    }
    log(log_level::error,
        "fan_out: " + name_ + " did not return before the end of shutdown; its thread is left behind, with " +
            std::to_string(queued_spans_) + " spans",
        "fan_out left " + name_);
  }
  bool has_shut_down() noexcept {
    const std::lock_guard lock(mutex_);
    return finished_ && shut_down_ && undelivered_ == undelivered_before_;
  }

  // --------------------------------------------------------------------------------------------- exports that hang

  /// When an export will have taken too long; deadline::max() where there is none.
  deadline overtime_at() noexcept {
    const std::lock_guard lock(mutex_);
    if (export_timeout_.count() <= 0 || interrupted_) return deadline::max();
    if (exporting_) return export_started_ + export_timeout_;
    return queue_.empty() ? deadline::max() : std::chrono::steady_clock::now() + export_timeout_;
  }
  void interrupt_overtime() noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (export_timeout_.count() <= 0 || !exporting_ || interrupted_) return;
      if (std::chrono::steady_clock::now() - export_started_ < export_timeout_) return;
      interrupted_ = true;
    }
    log(log_level::warn, "fan_out: " + name_ + ": an export took longer than export_timeout and is interrupted",
        "fan_out overtime " + name_);
    exporter_->interrupt();
  }

  /// Spans of batches that were dealt with and still wait in the exporter, whose own account this is.
  std::uint64_t kept(exporter_stats const& own) const {
    const std::lock_guard lock(mutex_);
    return kept_ - std::min(kept_, own.settled.spans());
  }
  destination_stats stats() const {
    const exporter_stats own = exporter_->stats();
    const std::lock_guard lock(mutex_);
    return account_of(name_, batches_, kept_, queued_spans_, own);
  }

  /// A lane for the child of a fork: with the same exporter, without the batches, the thread and the account. Reads
  /// nothing that another thread may have been changing.
  std::shared_ptr<fan_out_lane> for_child(fan_out_options const& options) const {
    auto fresh = std::make_shared<fan_out_lane>(name_, exporter_, options);
    fresh->stopping_ = fresh->finished_ = stopping_;
    return fresh;
  }

 private:
  using lock_type = std::unique_lock<std::mutex>;

  std::size_t waiting_batches() const noexcept { return queue_.size() + (exporting_ ? 1 : 0); }

  /// Called under the lock.
  void start_thread() noexcept {
    if (is_started()) return;
    started_ = true;
    try {
      start_worker_thread("fulgurite-fan", [self = shared_from_this()]() noexcept { self->work(); });
    } catch (...) {
      finished_ = stopping_ = true;
      drop_queue();
      log(log_level::error, "fan_out: " + name_ + ": its thread cannot be started; its spans are dropped");
    }
  }

  void work() noexcept {
    lock_type lock(mutex_);
    thread_id_ = thread_id();
    while (!stopping_) {
      wait(lock);
      // A flush is about what was there when it was asked for: it ends also while batches keep coming.
      const std::uint64_t ticket = flushes_asked_, mark = flush_mark_;
      const bool asked = ticket != flushes_done_;
      while (!queue_.empty() && !stopping_ && (asked ? begun_ < mark : flushes_asked_ == ticket)) export_front(lock);
      if (asked && !stopping_) {
        const deadline until = flush_until_;
        lock.unlock();
        const bool flushed = guarded("flush", [&] { return exporter_->flush(until); });
        lock.lock();
        exporter_flushed_ = flushed;
        flushes_done_ = ticket;
        done_.notify_all();
      }
    }
    while (!queue_.empty() && !gave_up_ && std::chrono::steady_clock::now() < stop_until_) export_front(lock);
    {
      const delayed_log later;
      drop_queue();
      lock.unlock();
    }
    const bool shut_down = guarded("shutdown", [&] { return exporter_->shutdown(stop_until_); });
    lock.lock();
    shut_down_ = shut_down;
    finished_ = true;
    done_.notify_all();
  }

  /// Until there is something to do. With nothing to export, the exporter gets time for its own.
  void wait(lock_type& lock) {
    const auto needed = [this] { return stopping_ || flushes_asked_ != flushes_done_ || !queue_.empty(); };
    while (!needed()) {
      const deadline idle_at = exporter_->idle_at();
      if (idle_at == deadline::max()) {
        work_.wait(lock, needed);
      } else if (!work_.wait_until(lock, idle_at, needed)) {
        lock.unlock();
        {
          const exporter_call call;
          exporter_->idle();
        }
        lock.lock();
      }
    }
  }

  void export_front(lock_type& lock) noexcept {
    const std::shared_ptr<shared_batch> batch = std::move(queue_.front());
    queue_.pop_front();
    ++begun_;
    export_started_ = std::chrono::steady_clock::now();
    exporting_ = true;
    exporting_now_ = batch;
    lock.unlock();
    batch_outcome outcome;
    guarded("export_spans", [&] { return outcome = exporter_->export_spans(batch->view()), true; });
    if (!normalise(outcome, batch->spans()))
      log(log_level::error, "fan_out: " + name_ + " speaks of more spans than its batch has; the excess is not counted",
          "fan_out excess " + name_);
    if (outcome.failed > 0) say_failed(outcome.reason);
    lock.lock();
    exporting_ = interrupted_ = false;
    queued_bytes_ -= batch->bytes();
    if (!std::exchange(exporting_now_, nullptr)) return;  // abandoned, and counted
    count(*batch, outcome);
  }
  void say_failed(std::string const& reason) const noexcept try {
    const std::string text = "fan_out: " + name_ + ": spans could not be exported";
    log(log_level::warn, reason.empty() ? text : text + ": " + reason, "fan_out failed " + name_);
  } catch (...) {
    log(log_level::warn, "fan_out: spans could not be exported");
  }

  template <class F>
  bool guarded(const char* what, F&& call) noexcept {
    const exporter_call inside;
    try {
      return call();
    } catch (...) {
      log(log_level::error, "fan_out: " + name_ + " threw in " + what, "fan_out threw " + name_);
      return false;
    }
  }

  // Called under the lock, of a batch that was taken.

  void count(shared_batch& batch, batch_outcome const& outcome) noexcept {
    queued_spans_ -= batch.spans();
    undelivered_ += outcome.lost();
    kept_ += outcome.spooled + outcome.waiting;
    settle(batch, {.exported = outcome.exported,
                   .rejected = outcome.rejected,
                   .too_large = outcome.too_large,
                   .failed = outcome.failed});
  }
  void count_given_up(shared_batch& batch) noexcept {
    queued_spans_ -= batch.spans();
    undelivered_ += batch.spans();
    settle(batch, {.shutdown = batch.spans()});
  }
  void settle(shared_batch& batch, settled_spans const& of) noexcept {
    batches_ += of;
    batch.settle(of);
  }
  void drop_queue() noexcept {
    if (queue_.empty()) return;
    for (std::shared_ptr<shared_batch> const& batch : queue_) {
      queued_bytes_ -= batch->bytes();
      count_given_up(*batch);
    }
    queue_.clear();
    log(log_level::warn, "fan_out: " + name_ + ": spans are dropped: it was shut down before they were exported",
        "fan_out shutdown " + name_);
  }

  bool has_called_exit() const noexcept { return process_end::instance().is_ending_thread(thread_id_); }

  const std::string name_;
  const std::shared_ptr<any_exporter> exporter_;
  const std::shared_ptr<std::atomic<int>> questions_ = std::make_shared<std::atomic<int>>(0);
  const std::size_t max_bytes_, max_batches_;
  const std::chrono::milliseconds export_timeout_;
  mutable std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::shared_ptr<shared_batch>> queue_;
  std::shared_ptr<shared_batch> exporting_now_;
  pid_t thread_id_ = 0;
  std::uint64_t queued_spans_ = 0;  // with those being exported
  std::size_t queued_bytes_ = 0;
  settled_spans batches_;  // what became of those that were dealt with, but for what the exporter keeps
  std::uint64_t kept_ = 0;
  std::uint64_t undelivered_ = 0, undelivered_before_ = 0;
  std::uint64_t accepted_ = 0, begun_ = 0;  // batches, since the beginning
  std::uint64_t flushes_asked_ = 0, flushes_done_ = 0, flush_mark_ = 0;
  deadline export_started_{}, flush_until_{}, stop_until_{};
  std::atomic<bool> started_{false}, stopping_{false};
  bool exporting_ = false, interrupted_ = false, gave_up_ = false, finished_ = false, shut_down_ = false;
  bool exporter_flushed_ = true;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
