// The default processor: a bounded queue and a thread that exports from it in batches.
//
// The thread starts with the first span and sleeps while there is none. A batch goes out when it is full, when
// `schedule_delay` has passed since its first span was collected, or at a flush (OpenTelemetry, trace/sdk.md, Batching
// processor). An exporter that hangs holds up this thread alone: the queue fills, what finds no room is counted, and
// flush and shutdown return at their deadline.
#pragma once

#include <fulgurite/context/library_thread.hpp>
#include <fulgurite/context/thread_state.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/platform/left_behind.hpp>
#include <fulgurite/processor/overflow.hpp>
#include <fulgurite/processor/processor.hpp>
#include <fulgurite/record/record_chunk.hpp>

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

/// What a batch processor and its thread share. It outlives the processor when the exporter never returns.
///
/// The collector holds the lock from the first record of a round to the round's end, or to the first record for another
/// queue: one lock a round, not one a record, and never two at a time, which would look like a deadlock to
/// ThreadSanitizer.
class batch_queue : public std::enable_shared_from_this<batch_queue> {
 public:
  batch_queue(batch_options options, std::shared_ptr<export_target> target, bool blocks = false)
      : options_(options), blocks_(blocks), target_(std::move(target)) {
    if (options_.max_queue_size == 0) options_.max_queue_size = 1;
    if (options_.max_batch_size == 0) options_.max_batch_size = 1;
    if (options_.max_batch_size > options_.max_queue_size) options_.max_batch_size = options_.max_queue_size;
  }
  batch_queue(batch_queue const&) = delete;
  batch_queue& operator=(batch_queue const&) = delete;
  ~batch_queue() {
    if (collecting == this) collecting = nullptr;
    while (front_) delete take_front();
    delete spare_;
  }

  void process(record_view const& record) noexcept try {
    if (collecting != this) open_round();
    if (!record.sampled()) return;
    if (stopping_) return target_->count_dropped(drop_cause::shutdown, 1);
    const auto size = static_cast<std::size_t>(record.end() - record.begin());
    if (!blocks_ && (queued() >= options_.max_queue_size || queued_bytes() + size > options_.max_queue_bytes))
      return target_->count_dropped(drop_cause::queue_full, 1);
    if (!filling_) begin_batch();
    record_chunk& batch = filling_->records;
    batch.append(record);
    queued_.store(queued() + 1, std::memory_order_relaxed);
    ++accepted_;
    queued_bytes_.store(queued_bytes() + size, std::memory_order_relaxed);
    if (is_full(batch)) {
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

  /// Where the exporter has something to do before the first span.
  void start_idling() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (target_->idle_at() != deadline::max()) start_thread();
  }

  void commit() noexcept {
    if (collecting != this) {
      if (!paused_) return;
      open_round();
    }
    collecting = nullptr;
    if (front_ && !started_) start_thread();
    mutex_.unlock();
    work_.notify_one();
  }

  bool flush(deadline until) noexcept {
    target()->collect();
    std::unique_lock lock(mutex_);
    if (!started_ || finished_) return !front_;
    if (has_called_exit()) return false;
    return flush(lock, until);
  }

  /// A second call waits as the first does.
  bool shutdown(deadline until) noexcept {
    const delayed_log later;
    const std::shared_ptr<export_target> to = target();
    to->collect();
    std::unique_lock lock(mutex_);
    const bool is_first = !std::exchange(stopping_, true);
    if (!started_) {
      if (!is_first) return finished_;
      finished_ = true;
      target_ = no_target();  // the tracer keeps the processor, which must not keep the tracer
      lock.unlock();
      return to->shut_down_exporter(until);
    }
    if (is_first) undelivered_before_ = undelivered_;
    stop_until_ = is_first ? until : std::min(stop_until_, until);
    work_.notify_one();
    // The worker may be in an export that waits for its next attempt.
    lock.unlock();
    to->hurry_exporter();
    lock.lock();
    // When the process has delivered what it could, the queue's thread has stopped for good.
    const auto is_over = [this] { return finished_ || has_called_exit() || process_end::instance().parks; };
    if (!done_.wait_until(lock, to->interrupt_at(until), is_over)) {
      lock.unlock();
      to->interrupt_exporter();
      lock.lock();
      // An exporter that heeds this returns at once; one that does not must not hold up the program.
      const deadline last = std::max(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
      done_.wait_until(lock, last, is_over);
    }
    if (!finished_) {
      drop_queue();
      if (process_end::instance().has_begun())
        abandon_export();
      else
        say_left_behind();
    }
    return finished_ && shut_down_ && undelivered_ == undelivered_before_;
  }

  /// Interrupts an export that takes longer than it may.
  void poll() noexcept {
    std::shared_ptr<export_target> to;
    {
      const std::lock_guard lock(mutex_);
      if (!exporting_ || options_.export_timeout.count() <= 0) return;
      if (std::chrono::steady_clock::now() - export_started_ < options_.export_timeout) return;
      exporting_ = false;  // once
      to = target_;
    }
    log(log_level::warn, "an export took longer than export_timeout and is interrupted");
    to->interrupt_exporter();
  }

  std::uint64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }

  void before_fork() noexcept { mutex_.lock(); }
  void after_fork() noexcept { mutex_.unlock(); }
  /// A queue for the child of a fork: with the same exporter, without the spans, and without the thread.
  std::shared_ptr<batch_queue> for_child() const {
    auto fresh = std::make_shared<batch_queue>(options_, target_, blocks_);
    fresh->stopping_ = stopping_;
    fresh->finished_ = stopping_;
    return fresh;
  }

 private:
  using lock_type = std::unique_lock<std::mutex>;

  std::size_t queued_bytes() const noexcept { return queued_bytes_.load(std::memory_order_relaxed); }

  std::shared_ptr<export_target> target() {
    const std::lock_guard lock(mutex_);
    return target_;
  }

  /// A batch in the queue.
  struct node {
    record_chunk records;
    node* next = nullptr;
  };
  /// At the queue's end. Throws std::bad_alloc.
  void begin_batch() {
    node* const fresh = spare_ ? std::exchange(spare_, nullptr) : new node;
    if (!front_) first_queued_ = std::chrono::steady_clock::now();
    (front_ ? back_->next : front_) = fresh;
    back_ = filling_ = fresh;
  }
  node* take_front() noexcept {
    if (filling_ == front_) filling_ = nullptr;
    node* const taken = front_;
    front_ = std::exchange(taken->next, nullptr);
    return taken;
  }

  bool is_full(record_chunk const& batch) const noexcept {
    return batch.spans() >= options_.max_batch_size || batch.records().size() >= options_.max_batch_bytes;
  }

  bool flush(lock_type& lock, deadline until) noexcept {
    const std::uint64_t undelivered = undelivered_;
    const std::uint64_t ticket = ++flushes_asked_;
    flush_until_ = until;
    flush_mark_ = accepted_;
    work_.notify_one();
    if (!done_.wait_until(lock, until, [&] { return flushes_done_ >= ticket || finished_; })) return false;
    return exporter_flushed_ && undelivered_ == undelivered;
  }

  /// Called under the lock.
  void start_thread() noexcept {
    if (started_) return;
    started_ = true;
    const auto work = [](void* given) -> void* {
      const std::shared_ptr<batch_queue> self = std::move(static_cast<batch_queue*>(given)->own_);
      self->work();
      return nullptr;
    };
    own_ = shared_from_this();
    if (start_library_thread("fulgurite-out", work, this)) return;
    own_.reset();
    finished_ = stopping_ = true;
    drop_queue();
    log(log_level::error, "the exporting thread cannot be started; this tracer's spans are dropped");
  }

  void work() noexcept {
    suppress_tracing();
    lock_type lock(mutex_);
    thread_id_ = thread_id();
    while (!stopping_) {
      wait(lock);
      // A flush is about what was there when it was asked for: it ends also while spans keep coming.
      const std::uint64_t ticket = flushes_asked_, mark = flush_mark_;
      const bool asked = ticket != flushes_done_;
      while (front_ && !stopping_ && (asked ? taken_ < mark : flushes_asked_ == ticket)) export_front(lock);
      if (ticket != flushes_done_ && !stopping_) {
        const deadline until = flush_until_;
        lock.unlock();
        const bool flushed = target_->flush_exporter(until);
        lock.lock();
        exporter_flushed_ = flushed;
        flushes_done_ = ticket;
        done_.notify_all();
      }
    }
    while (front_ && std::chrono::steady_clock::now() < stop_until_) export_front(lock);
    {
      const delayed_log later;
      drop_queue();
      lock.unlock();
    }
    const bool shut_down = target_->shut_down_exporter(stop_until_);
    lock.lock();
    shut_down_ = shut_down;
    finished_ = true;
    // The exporter and the tracer's resource go with the last reference; nobody needs them here any more.
    const std::shared_ptr<export_target> last = std::move(target_);
    target_ = no_target();
    done_.notify_all();
    lock.unlock();
  }

  /// Until there is a full batch, the first span has waited long enough, or somebody asks. With nothing to export, the
  /// exporter gets time for its own.
  void wait(lock_type& lock) {
    const auto asked = [this] { return stopping_ || flushes_asked_ != flushes_done_; };
    const auto needed = [&] { return asked() || front_; };
    while (!needed()) {
      const deadline idle_at = target_->idle_at();
      if (idle_at == deadline::max()) {
        work_.wait(lock, needed);
      } else if (!work_.wait_until(lock, idle_at, needed)) {
        lock.unlock();
        target_->idle_exporter();
        lock.lock();
      }
    }
    work_.wait_until(lock, first_queued_ + options_.schedule_delay,
                     [&] { return asked() || !front_ || is_full(front_->records); });
  }

  void export_front(lock_type& lock) noexcept {
    node* const taken = take_front();
    record_chunk& batch = taken->records;
    taken_ += batch.spans();
    first_queued_ = export_started_ = std::chrono::steady_clock::now();
    exporting_ = true;
    lock.unlock();
    const batch_outcome outcome = target_->export_records(batch.records(), batch.spans());
    lock.lock();
    exporting_ = false;
    if (!std::exchange(abandoned_, false)) queued_.store(queued() - batch.spans(), std::memory_order_relaxed);
    queued_bytes_.store(queued_bytes() - batch.records().size(), std::memory_order_relaxed);
    undelivered_ += outcome.lost();
    if (collector_waits_.exchange(false)) target_->wake_collector();
    batch.clear();
    if (spare_)
      delete taken;
    else
      spare_ = taken;
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

  /// The thread has called exit() from inside the exporter, and waits for everybody else.
  bool has_called_exit() const noexcept { return process_end::instance().is_ending_thread(thread_id_); }

  /// The process does not wait for the export that is under way.
  void abandon_export() noexcept {
    const std::uint64_t spans = target_->abandon_export();
    if (spans == 0) return;
    abandoned_ = true;
    queued_.store(queued() - spans, std::memory_order_relaxed);
  }

  void say_left_behind() const noexcept try {
    log(log_level::error,
        "the exporter did not return before the end of shutdown; its thread is left behind, with " +
            std::to_string(queued()) + " spans",
        "exporter left behind");
  } catch (...) {
    log(log_level::error, "the exporter did not return before the end of shutdown");
  }

  void drop_queue() noexcept {
    std::uint64_t spans = 0;
    while (front_) {
      node* const taken = take_front();
      spans += taken->records.spans();
      delete taken;
    }
    if (spans == 0) return;
    queued_.store(queued() - spans, std::memory_order_relaxed);
    undelivered_ += spans;
    target_->count_dropped(drop_cause::shutdown, spans);
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
  std::mutex mutex_;
  std::condition_variable work_, done_;
  /// The queue whose lock the collector, which is this thread, holds.
  static inline thread_local batch_queue* collecting = nullptr;
  bool paused_ = false;                      // in a round that goes on in another queue; the collector's alone
  node *front_ = nullptr, *back_ = nullptr;  // the queue
  node* filling_ = nullptr;                  // its last one, where there is room in it
  node* spare_ = nullptr;
  std::shared_ptr<batch_queue> own_;      // the thread's, until it has begun
  std::atomic<std::uint64_t> queued_{0};  // with those being exported
  std::atomic<std::size_t> queued_bytes_{0};
  std::atomic<bool> collector_waits_{false};
  std::uint64_t undelivered_ = 0, undelivered_before_ = 0;
  pid_t thread_id_ = 0;
  deadline first_queued_{}, export_started_{}, flush_until_{}, stop_until_{};
  std::uint64_t accepted_ = 0, taken_ = 0;  // spans, since the beginning
  std::uint64_t flushes_asked_ = 0, flushes_done_ = 0, flush_mark_ = 0;
  bool exporting_ = false, abandoned_ = false, started_ = false, stopping_ = false, finished_ = false,
       exporter_flushed_ = true, shut_down_ = false;
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
    if (queue_) queue_->poll();
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
