// The default processor: a bounded queue and a thread that exports from it in batches.
//
// The thread starts with the first span and sleeps while there is none. A batch goes out when it is full, when
// `schedule_delay` has passed since its first span was collected, or at a flush (OpenTelemetry, trace/sdk.md, Batching
// processor). An exporter that hangs holds up this thread alone: the queue fills, what finds no room is counted, and
// flush and shutdown return at their deadline.
#pragma once

#include <fulgurite/delivery/lane.hpp>
#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/platform/left_behind.hpp>
#include <fulgurite/processor/overflow.hpp>
#include <fulgurite/processor/processor.hpp>
#include <fulgurite/record/record_chunk.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// When a batch goes out, and how much may wait for it.
struct batch_options {
  /// Spans that may wait; what comes on top is dropped and counted as queue_full.
  std::size_t max_queue_size = 65'536;
  /// Spans in one export.
  std::size_t max_batch_size = 4'096;
  /// How long a span waits for others at the most.
  std::chrono::milliseconds schedule_delay{1'000};
  /// How long one export may take before it is told to give up; 0 is no limit.
  std::chrono::milliseconds export_timeout{30'000};
  /// Bytes of packed records that may wait.
  std::size_t max_queue_bytes = std::size_t{64} << 20;
  /// Bytes of packed records in one export; a batch is closed when it has reached them.
  std::size_t max_batch_bytes = std::size_t{2} << 20;
};

namespace detail {

/// The records that wait, in batches. It outlives the processor when the exporter never returns.
///
/// The collector holds the lock from the first record of a round to the round's end, or to the first record for another
/// queue: one lock a round, not one a record, and never two at a time, which would look like a deadlock to
/// ThreadSanitizer.
class batch_queue final : public lane<batch_queue, record_chunk> {
 public:
  batch_queue(batch_options options, std::shared_ptr<export_target> target, bool blocks = false)
      : lane({"fulgurite-out", options.schedule_delay, options.export_timeout}),
        options_(options),
        blocks_(blocks),
        target_(std::move(target)) {
    if (options_.max_queue_size == 0) options_.max_queue_size = 1;
    if (options_.max_batch_size == 0) options_.max_batch_size = 1;
    if (options_.max_batch_size > options_.max_queue_size) options_.max_batch_size = options_.max_queue_size;
  }
  ~batch_queue() {
    if (collecting == this) collecting = nullptr;
  }

  void process(record_view const& record) noexcept try {
    if (collecting != this) open_round();
    if (!record.sampled()) return;
    if (is_stopping()) return target_->count_dropped(drop_cause::shutdown, 1);
    const auto size = static_cast<std::size_t>(record.end() - record.begin());
    if (!blocks_ && (queued() >= options_.max_queue_size || queued_bytes() + size > options_.max_queue_bytes))
      return target_->count_dropped(drop_cause::queue_full, 1);
    if (!filling_) filling_ = &append();
    filling_->append(record);
    add(1, size);
    if (is_full(*filling_)) {
      filling_ = nullptr;
      commit();  // it may go while the round goes on
    }
  } catch (...) {
    target_->count_dropped(drop_cause::queue_full, 1);
  }

  /// Whether the collector should leave the next record where it is; the export that makes room then wakes it.
  bool would_block() noexcept {
    if (!blocks_ || (queued() < options_.max_queue_size && queued_bytes() < options_.max_queue_bytes)) return false;
    collector_waits_ = true;
    return true;
  }

  void commit() noexcept {
    if (collecting != this) {
      if (!paused_) return;
      open_round();
    }
    collecting = nullptr;
    if (!is_empty()) start_thread();
    mutex_.unlock();
    notify_work();
  }

  bool flush(deadline until) noexcept {
    target()->collect();
    const flush_ticket ticket = ask_flush(until);
    return wait_flushed(ticket, until) && has_delivered(ticket);
  }

  /// A second call waits as the first does.
  bool shutdown(deadline until) noexcept {
    const std::shared_ptr<export_target> to = target();
    to->collect();
    if (!begin_shutdown(until, true)) return shut_down_unstarted(to, until);
    // The thread may be in an export that waits for its next attempt.
    to->hurry_exporter();
    if (!wait_finished(interrupt_at(until, to->keeps_undelivered()))) {
      give_up();
      // An exporter that heeds this returns at once; one that does not must not hold up the program.
      wait_finished(std::max(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(20)));
    }
    leave_behind();
    return has_shut_down();
  }

  void before_fork() noexcept { mutex_.lock(); }
  void after_fork() noexcept { mutex_.unlock(); }
  /// A queue for the child of a fork: with the same exporter, without the spans, and without the thread.
  std::shared_ptr<batch_queue> for_child() const {
    auto fresh = std::make_shared<batch_queue>(options_, target_, blocks_);
    if (is_stopping()) fresh->stay_stopped();
    return fresh;
  }

 private:
  friend lane;

  batch_outcome deliver(record_chunk& batch) noexcept {
    return target_->export_records(batch.records(), batch.spans());
  }
  bool flush_destination(deadline until) noexcept { return target_->flush_exporter(until); }
  bool shut_down_destination(deadline until) noexcept { return target_->shut_down_exporter(until); }
  deadline idle_at() const noexcept { return target_->idle_at(); }
  void idle() noexcept { target_->idle_exporter(); }
  void interrupt() noexcept { target()->interrupt_exporter(); }
  bool keeps_undelivered() noexcept { return target()->keeps_undelivered(); }
  static std::string in_log() { return {}; }

  static std::size_t spans_of(record_chunk const& batch) noexcept { return batch.spans(); }
  static std::size_t bytes_of(record_chunk const& batch) noexcept { return batch.records().size(); }
  bool is_full(record_chunk const& batch) const noexcept {
    return batch.spans() >= options_.max_batch_size || batch.records().size() >= options_.max_batch_bytes;
  }
  void taken(record_chunk& batch) noexcept {
    if (filling_ == &batch) filling_ = nullptr;
  }
  void settled(record_chunk&, batch_outcome const&) noexcept {}
  void lost(record_chunk& batch) noexcept { target_->count_dropped(drop_cause::shutdown, batch.spans()); }
  bool abandon(record_chunk&) noexcept { return target_->abandon_export() != 0; }
  void recycle(record_chunk& batch) noexcept {
    batch.clear();
    if (collector_waits_.exchange(false)) target_->wake_collector();
  }
  /// The exporter and the tracer's resource go with the last reference; nobody needs them here any more.
  std::shared_ptr<export_target> finished() noexcept { return std::exchange(target_, no_target()); }

  std::shared_ptr<export_target> target() {
    const std::lock_guard lock(mutex_);
    return target_;
  }

  bool shut_down_unstarted(std::shared_ptr<export_target> const& to, deadline until) noexcept {
    {
      const std::lock_guard lock(mutex_);
      if (is_finished()) return true;
      finish_unstarted();
      target_ = no_target();  // the tracer keeps the processor, which must not keep the tracer
    }
    return to->shut_down_exporter(until);
  }

  /// The collector turns to this queue.
  void open_round() noexcept {
    if (batch_queue* const other = std::exchange(collecting, this)) {
      other->paused_ = true;
      other->mutex_.unlock();
    }
    mutex_.lock();
    paused_ = false;
  }

  struct nowhere final : export_target {
    batch_outcome export_records(std::span<const std::byte>, std::size_t spans) noexcept override {
      return {.failed = spans};
    }
    bool flush_exporter(deadline) noexcept override { return false; }
    bool shut_down_exporter(deadline) noexcept override { return true; }
    void interrupt_exporter() noexcept override {}
    void count_dropped(drop_cause, std::uint64_t) noexcept override {}
    void collect() noexcept override {}
  };

  /// It is immortal and owned by nobody.
  static std::shared_ptr<export_target> no_target() noexcept {
    static nowhere& instance = *new nowhere;
    return {std::shared_ptr<export_target>(), &instance};
  }

  batch_options options_;
  const bool blocks_;
  std::shared_ptr<export_target> target_;
  /// The queue whose lock the collector, which is this thread, holds.
  static inline thread_local batch_queue* collecting = nullptr;
  bool paused_ = false;              // in a round that goes on in another queue; the collector's alone
  record_chunk* filling_ = nullptr;  // the queue's last one, where there is room in it
  std::atomic<bool> collector_waits_{false};
};

}  // namespace detail

/// `Clock` is what spans read; `Overflow` what happens when the queue is full.
template <class Clock = tsc_clock, class Overflow = drop_newest>
class batch_processor {
  static_assert(fulgurite::clock<Clock>, "the first parameter of batch_processor must be a clock, such as tsc_clock");
  static_assert(overflow<Overflow>, "the second parameter of batch_processor must be drop_newest or block");

 public:
  using clock = Clock;
  static constexpr bool exports_inline = false;

  batch_processor() = default;
  explicit batch_processor(batch_options options) : options_(options) {}

  void start(std::shared_ptr<export_target> target) {
    queue_ = std::make_shared<detail::batch_queue>(options_, std::move(target), Overflow::blocks);
    queue_->start_idling();
  }
  void process(record_view const& record) noexcept { queue_->process(record); }
  void commit() noexcept { queue_->commit(); }
  bool flush(deadline until) noexcept { return !queue_ || queue_->flush(until); }
  bool shutdown(deadline until) noexcept { return !queue_ || queue_->shutdown(until); }
  std::uint64_t queued() const noexcept { return queue_ ? queue_->queued() : 0; }
  void poll() noexcept {
    if (queue_) queue_->interrupt_overtime();
  }
  static constexpr bool blocks() noexcept { return Overflow::blocks; }
  bool would_block() noexcept { return queue_ && queue_->would_block(); }
  void before_fork() noexcept {
    if (queue_) queue_->before_fork();
  }
  void after_fork(bool in_child) noexcept {
    if (!queue_) return;
    queue_->after_fork();
    if (!in_child) return;
    try {
      // The old one is left behind: its thread, which waits on it for ever as far as its condition variable knows, is
      // not in this process.
      detail::leave_behind(queue_);
      queue_ = queue_->for_child();
    } catch (...) {
      detail::log(log_level::error, "no memory for a tracer in the child of a fork");
    }
  }

 private:
  batch_options options_;
  std::shared_ptr<detail::batch_queue> queue_;
};

batch_processor() -> batch_processor<>;
batch_processor(batch_options) -> batch_processor<>;

}  // namespace v1
}  // namespace fulgurite
