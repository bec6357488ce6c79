// Exports each span on the thread that ends it, before `end()` returns: for tests and small tools.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/platform/left_behind.hpp>
#include <fulgurite/platform/process_end.hpp>
#include <fulgurite/processor/processor.hpp>
#include <fulgurite/record/record_chunk.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Hands each span to the exporter on the thread that ends it, before the call returns.
class inline_processor {
 public:
  using clock = tsc_clock;
  static constexpr bool exports_inline = true;

  void start(std::shared_ptr<export_target> const& target) {
    // Not kept alive from here: the tracer's pipeline owns both.
    state_ = std::make_unique<state>(target.get());
  }

  void process(record_view const& record) noexcept try {
    if (!record.sampled()) return;
    const std::lock_guard lock(state_->pending_mutex);
    state_->pending.append(record);
  } catch (...) {
    state_->target->count_dropped(drop_cause::queue_full, 1);
  }
  void commit() noexcept {}

  /// Exports what is pending on the calling thread, and flushes the exporter.
  bool flush(deadline until) noexcept {
    if (!state_) return true;
    const bool exported = export_pending(until);
    const exclusive lock(*state_, until);
    return lock && state_->target->flush_exporter(until) && exported;
  }
  /// The first half of it: what the end of a span does.
  bool export_pending(deadline until) noexcept {
    if (!state_) return true;
    // An exporter that traces would come back here while it holds this lock: its own spans are suppressed before that.
    const exclusive lock(*state_, until);
    if (!lock) return false;
    detail::record_chunk batch;
    {
      const std::lock_guard pending(state_->pending_mutex);
      std::swap(batch, state_->pending);
    }
    if (batch.spans() == 0) return true;
    return state_->target->export_records(batch.records(), batch.spans()).is_success();
  }
  bool shutdown(deadline until) noexcept {
    if (!state_) return true;
    state_->target->hurry_exporter();
    const bool flushed = flush(until);
    if (!flushed) state_->target->interrupt_exporter();
    const exclusive lock(*state_, until);
    // It never comes back to where it is counted, or too late.
    if (!lock && (detail::process_end::instance().has_begun() || lock.is_here())) state_->target->abandon_export();
    const bool shut_down = lock && state_->target->shut_down_exporter(until);
    return flushed && shut_down;
  }
  std::uint64_t queued() const noexcept {
    if (!state_) return 0;
    const std::lock_guard lock(state_->pending_mutex);
    return state_->pending.spans();
  }

  void before_fork() noexcept {
    if (state_) state_->pending_mutex.lock();
  }
  void after_fork(bool in_child) noexcept {
    if (!state_) return;
    state_->pending_mutex.unlock();
    if (!in_child) return;
    try {
      // Another thread may have been exporting: its lock is never given up in this process.
      auto fresh = std::make_unique<state>(state_->target);
      detail::leave_behind(std::exchange(state_, std::move(fresh)));
    } catch (...) {
      detail::log(log_level::error, "no memory for a tracer in the child of a fork");
    }
  }

 private:
  struct state {
    explicit state(export_target* to) : target(to) {}

    export_target* target;
    std::timed_mutex export_mutex;
    /// Who holds it.
    std::atomic<pid_t> exporting_thread{0};
    mutable std::mutex pending_mutex;
    detail::record_chunk pending;
  };
  /// The exporter for one thread. Not to be had, and not waited for, where the thread that has it has called exit(), or
  /// is this one.
  class exclusive {
   public:
    exclusive(state& of, deadline until) noexcept : of_(of) {
      const pid_t holder = of.exporting_thread;
      if (holder != 0 && (detail::process_end::instance().is_ending_thread(holder) || holder == detail::thread_id()))
        return;
      if (!of.export_mutex.try_lock_until(until)) return;
      of.exporting_thread = detail::thread_id();
      has_ = true;
    }
    exclusive(exclusive const&) = delete;
    exclusive& operator=(exclusive const&) = delete;
    ~exclusive() {
      if (!has_) return;
      of_.exporting_thread = 0;
      of_.export_mutex.unlock();
    }
    explicit operator bool() const noexcept { return has_; }
    /// The exporter is at work on this thread, below.
    bool is_here() const noexcept { return !has_ && of_.exporting_thread == detail::thread_id(); }

   private:
    state& of_;
    bool has_ = false;
  };

  std::unique_ptr<state> state_;
};

}  // namespace v1
}  // namespace fulgurite
