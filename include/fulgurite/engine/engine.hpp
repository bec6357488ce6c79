// The engine: one per process, never destroyed. It knows the tracers' pipelines and every thread's ring, and owns the
// worker that empties the rings.
//
// A tracer is a handle to its pipeline, which is registered here under a key that is never used again; each record
// carries the key, so several tracers share a thread's ring and a record that comes after its tracer's end is told
// apart. `collect()` empties all rings into the pipelines. The worker calls it when it is woken and several times a
// second; a flush calls it on its own thread. What a pipeline does with its records is its processor's affair and never
// happens under the collector's lock.
//
// At the end of the process the engine has every pipeline deliver (engine/exit_delivery.hpp). exit() calls handlers and
// destructors last first, so there are two moments. `deliver_before_end` is registered late, by the worker and after an
// exporter's first delivery: it comes first, while everything else is still there. `end_process` is registered with
// every pipeline, right after its exporter was constructed: it is the last moment at which the exporter's libraries are
// sure to be there. Both have the same deadline, and what comes after the second is counted.
#pragma once

#include <fulgurite/context/clock.hpp>
#include <fulgurite/context/library_thread.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/engine/clock_converter.hpp>
#include <fulgurite/engine/exit_delivery.hpp>
#include <fulgurite/engine/fork.hpp>
#include <fulgurite/engine/pieces.hpp>
#include <fulgurite/engine/record_sink.hpp>
#include <fulgurite/engine/ring.hpp>
#include <fulgurite/platform/last_threads.hpp>
#include <fulgurite/record/plain_list.hpp>

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class engine {
 public:
  /// How many pipelines may exist at a time.
  static constexpr std::uint32_t max_pipelines = 4096;
  /// How long the worker sleeps at the most, nanoseconds.
  static constexpr std::int64_t poll_interval = 200'000'000;

  static engine& instance() { return one_in_process<engine, process_part::engine>(); }

  /// The account once more, after every destructor and handler of the program: those of what was made before the first
  /// tracer run after the engine's last handler, and may trace.
  [[gnu::cold]] static void say_after_all() noexcept {
    engine* const self = one_of_process<engine, process_part::engine>::known.load(std::memory_order_acquire);
    if (!self || !process_end::instance().has_begun()) return;
    leave_log_handler();
    self->say_at_last();
  }

  /// Whether two keys are of the same place, one after the other.
  static bool same_slot(std::uint32_t a, std::uint32_t b) noexcept { return ((a ^ b) & slot_mask) == 0; }

  /// Registers a pipeline and starts the worker. `key` becomes the pipeline's, or 0 when there are too many; it is
  /// written before the worker sees the pipeline, which may read it.
  [[gnu::cold]] void add(std::shared_ptr<record_sink> sink, std::uint32_t& key) {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    register_at_exit([] { instance().end_process(); });
    std::uint32_t slot = slots_;
    if (slot < max_pipelines) {
      if (!sinks_[slot / chunk_size]) sinks_[slot / chunk_size] = new entry[chunk_size];
      // So that collecting cannot fail between a record and its commit, and forgetting a pipeline not at all.
      touched_.reserve(slots_ + 1);
      free_.reserve(slots_ + 1);
      ++slots_;
    } else if (!free_.empty()) {
      slot = free_.take_front();  // the one that has been free for longest, so that its key's generation lasts
    } else {
      key = 0;
      return;
    }
    entry& place = at(slot);
    place.generation = place.generation % max_generation + 1;
    place.sink = std::move(sink);
    place.key = place.generation << slot_bits | slot;
    place.blocks = place.sink->blocks();
    any_blocks_ = any_blocks_ || place.blocks;
    key = place.key;
    ++added_;
    start_worker();
    // A static tracer's destructor is registered when its constructor has returned; the worker and the first record
    // come after that.
    registrations_due_.store(2, std::memory_order_relaxed);
    wake();
  }

  /// Forgets a pipeline. Records of it that come later are counted as lost after shutdown. Once the process ends the
  /// pipeline is kept: it is a static tracer's then, and threads that do not stop may be about to use it.
  [[gnu::cold]] void remove(std::uint32_t key) {
    std::shared_ptr<record_sink> last;  // destroyed after the lock is given up
    const std::lock_guard lock(mutex_);
    entry& place = at(key & slot_mask);
    if (place.key != key || process_ends_) return;
    last = std::move(place.sink);
    place.key = 0;
    free_.push_back(key & slot_mask);
  }

  /// Collects, and exports on this thread what a pipeline with such a processor then holds.
  [[gnu::cold]] void collect_and_export_inline(std::uint32_t key) noexcept {
    collect();
    std::shared_ptr<record_sink> sink;
    {
      const std::lock_guard lock(mutex_);
      entry& place = at(key & slot_mask);
      if (place.key == key) sink = place.sink;
    }
    if (sink) sink->export_inline();
  }

  /// Calls `f` while no round is under way.
  template <class F>
  auto between_rounds(F&& f) {
    const std::lock_guard lock(mutex_);
    return f();
  }

  /// Empties every thread's ring into the pipelines.
  void collect() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    collect_locked();
  }

  /// Has the worker register the first delivery at exit() once more: what an exporter's libraries have made by now is
  /// there when it comes. Takes no lock.
  [[gnu::cold]] void deliver_early_at_exit() noexcept {
    registrations_due_.fetch_add(1, std::memory_order_relaxed);
    wake();
  }

  /// Wakes the worker. From the traced thread: one system call at the most, and none while a wake-up is under way.
  void wake() noexcept {
    if (!wake_pending_.exchange(true, std::memory_order_relaxed)) sem_post(&wake_up_);
  }

  /// Called where a thread's ring is made or grows. Starts the worker where it does not run: in the child of a fork,
  /// which has none until its first record. A process may end before its worker has run at all, so that the first
  /// delivery at exit() is registered here, too.
  [[gnu::cold]] void ensure_worker() noexcept {
    if (!worker_started_.load(std::memory_order_relaxed)) restart_worker();
    if (registrations_due_.load(std::memory_order_relaxed) <= 0) return;
    // Not for long: this thread may be in a processor that the lock's holder waits for.
    if (const std::unique_lock lock = lock_in_time(20'000'000); lock) register_due_delivery();
  }

  /// Whether the last round left records of this pipeline where they were.
  [[gnu::cold]] bool is_stuck(std::uint32_t key) {
    const std::lock_guard lock(mutex_);
    entry const& place = at(key & slot_mask);
    return place.key == key && place.stuck;
  }
  /// Whether a thread may wait for room for this pipeline's records: somebody will make it.
  [[gnu::cold]] bool may_wait_for(std::uint32_t key) {
    const std::lock_guard lock(mutex_);
    entry const& place = at(key & slot_mask);
    return place.key == key && place.blocks && place.sink->blocks() && worker_started_ && !worker_failed_;
  }

  /// Spans that ended after their tracer was gone.
  std::uint64_t lost_after_shutdown() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  template <class, process_part>
  friend struct one_of_process;

  static constexpr std::uint32_t slot_bits = 12;
  static constexpr std::uint32_t slot_mask = max_pipelines - 1;
  static constexpr std::uint32_t max_generation =
      (1U << (31 - slot_bits)) - 2;  // leaves unrecorded_bit and no_pipeline

  struct entry {
    std::shared_ptr<record_sink> sink;
    std::uint32_t key = 0;
    std::uint32_t generation = 0;
    bool touched = false;
    bool blocks = false, stuck = false;
  };

  [[gnu::cold]] engine() noexcept {
    sinks_[0] = new entry[chunk_size];  // slot 0 is nobody's: key 0 means "off"
    // Here, and not wherever a thread asks for them first: what a thread pays is then the same in every run.
    process();
    process_end::instance();
    sem_init(&wake_up_, 0, 0);
    pthread_atfork([] { instance().before_fork(); }, [] { instance().after_fork(false); },
                   [] { instance().after_fork(true); });
    // The last of all: what is lost while static objects are destroyed is logged, too.
    std::atexit([] { instance().say_at_last(); });
    the_logger().at_end = [] { instance().say_what_was_lost(); };
    std::at_quick_exit([] { instance().say_at_last(); });
    std::at_quick_exit([] { instance().end_process(); });
  }

  entry& at(std::uint32_t slot) noexcept { return sinks_[slot / chunk_size][slot % chunk_size]; }

  /// Called with the lock held, in a round.
  void collect_locked() noexcept {
    if (any_blocks_)
      for (std::uint32_t i = 0; i < slots_; ++i) at(i).stuck = false;
    try {
      clock_.refresh();
      drain_all();
      // A span that moved between threads may have its end in a ring that was read before the one with its pieces: what
      // was published before that end is visible now.
      if (!deferred_.empty()) {
        byte_list late;
        late.swap(deferred_);
        drain_all();
        for (const std::byte *record = late.data(), *end = record + late.size(); record != end;) {
          deliver(pieces_.join(record));
          record += reinterpret_cast<const record_header*>(record)->size;
        }
      }
    } catch (...) {
      log(log_level::error, "no memory to collect finished spans; some may be lost", "collect");
    }
    // Whatever happened above: a processor may hold a lock from its first record to here.
    for (const std::uint32_t slot : touched_)
      if (entry& place = at(slot); std::exchange(place.touched, false)) place.sink->commit();
    touched_.clear();
  }

  /// The lock, unless the calling thread holds it itself, or it cannot be had in this time, nanoseconds.
  [[gnu::cold]] std::unique_lock<std::mutex> lock_in_time(std::int64_t longest = 1'000'000'000) noexcept {
    std::unique_lock lock(mutex_, std::defer_lock);
    wait_until(monotonic_now() + longest, [&] { return lock.try_lock(); });
    return lock;
  }

  /// Under the lock, which is held across a fork: the C library's own lock of its list is not, and a child that
  /// inherited it locked would hang in exit().
  [[gnu::cold]] void register_at_exit(void (*handler)()) noexcept {
    // Tracers that come and go must not fill the C library's list.
    constexpr int most = 4096;
    if (registered_ < most && std::atexit(handler) == 0) ++registered_;
  }

  /// Under the lock.
  [[gnu::cold]] void register_due_delivery() noexcept {
    if (registrations_due_.load(std::memory_order_relaxed) <= 0) return;
    registrations_due_.fetch_sub(1, std::memory_order_relaxed);
    register_at_exit([] { instance().deliver_before_end(); });
  }

  [[gnu::cold]] void deliver_before_end() noexcept {
    process_end::instance().ending_thread.store(thread_id());
    deliver_everything(delivered_, &record_sink::deliver_before_end);
  }
  /// Has every pipeline end, and then holds the library's threads where they can do no harm.
  [[gnu::cold]] void end_process() noexcept {
    process_end& end = process_end::instance();
    end.ending_thread.store(thread_id());
    deliver_everything(ended_, &record_sink::end_with_process);
    end.parks.store(true);
    wait_for_exporters(end.until + 2 * end_grace);  // of the whole end, however many handlers there are
    say_what_was_lost();
  }
  /// Once for all the pipelines that there are; `done` is how many there were when it was done last. Returns the
  /// deadline; 0 when there was nothing to do. Of several threads of the program that have called exit() one delivers,
  /// and the others wait for it: what is behind this ends the process.
  [[gnu::cold]] std::int64_t deliver_everything(std::uint64_t& done, sink_delivery how) noexcept {
    const pid_t own = thread_id();
    if (exporter_calls_here != 0 || on_library_thread || delivering_thread_ == own) return deliver_now(done, how);
    const std::int64_t begun = monotonic_now();
    bool is_the_one = false;
    wait_until(std::numeric_limits<std::int64_t>::max(), [&] {
      pid_t nobody = 0;
      is_the_one = delivering_thread_.compare_exchange_strong(nobody, own);
      return is_the_one || monotonic_now() > std::max(begun, process_end::instance().until.load()) + 2 * end_grace;
    });
    const std::int64_t until = deliver_now(done, how);
    if (is_the_one) delivering_thread_ = 0;
    return until;
  }
  [[gnu::cold]] std::int64_t deliver_now(std::uint64_t& done, sink_delivery how) noexcept try {
    std::vector<std::shared_ptr<record_sink>> open;
    std::int64_t longest = 0;
    {
      const delayed_log later;
      const std::unique_lock lock = lock_in_time();
      if (!lock || done == added_) return 0;
      process_ends_ = true;
      collect_locked();
      for (std::uint32_t i = 0; i < slots_; ++i)
        if (std::shared_ptr<record_sink> const& sink = at(i).sink) {
          const std::int64_t timeout = sink->end_timeout();
          if (timeout < 0) continue;
          open.push_back(sink);
          longest = std::max(longest, timeout);
        }
      done = added_;
    }
    if (open.empty()) return 0;
    process_end& end = process_end::instance();
    std::int64_t until = 0;
    if (end.until.compare_exchange_strong(until, monotonic_now() + longest)) until = end.until;
    end.parks.store(false);
    deliver_all(open, how, until);
    return until;
  } catch (...) {
    log(log_level::error, "no memory to deliver at the end of the process; spans are lost");
    return 0;
  }

  /// The program has ended by pthread_exit() of its main thread, and only the library's threads are left: they deliver
  /// and end, and the C library calls exit(0) with the last of them.
  [[gnu::cold]] void end_without_main() noexcept {
    // There is nobody else any more whom a signal could end.
    pthread_sigmask(SIG_SETMASK, &mask_of_program_, nullptr);
    process_end::instance().ending_thread.store(thread_id());
    const std::int64_t until = deliver_everything(ended_, &record_sink::end_with_process);
    if (!wait_for_library_threads(std::max(until, monotonic_now()) + end_grace)) std::exit(0);
  }

  /// Nothing is delivered from here on: what is left is lost.
  [[gnu::cold]] void say_at_last() noexcept {
    if (!process_end::instance().has_begun()) return;
    process_end::instance().parks = true;
    say_what_was_lost();
  }
  /// A second account, if the first was not the last.
  [[gnu::cold]] void say_what_was_lost() noexcept {
    if (!process_end::instance().has_begun()) return;
    const delayed_log later;
    std::unique_lock lock = lock_in_time();
    if (!lock) return;
    collect_locked();
    for (std::uint32_t i = 0; i < slots_; ++i)
      if (const std::shared_ptr<record_sink> sink = at(i).sink) {
        lock.unlock();
        sink->say_what_was_lost();
        lock = lock_in_time();
        if (!lock) return;
      }
  }

  [[gnu::cold]] void before_fork() noexcept {
    mutex_.lock();
    pthread_mutex_lock(&the_process_wide().making);
    for (std::uint32_t i = 0; i < slots_; ++i)
      if (record_sink* const sink = at(i).sink.get()) sink->before_fork();
    hold_log();
  }
  [[gnu::cold]] void after_fork(bool in_child) noexcept {
    release_log();
    if (in_child) {
      the_process_wide().making = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;  // its owner has another number here
      forget_library_threads();
      begin_generation();
      generation_ = generation_of(process().generation_bits);
      pieces_.clear();
      deferred_.clear();
      lost_.store(0, std::memory_order_relaxed);
      worker_started_.store(false, std::memory_order_relaxed);  // most children only call exec
      wake_pending_.store(false, std::memory_order_relaxed);
      delivering_thread_ = 0;
      sem_init(&wake_up_, 0, 0);
    } else {
      pthread_mutex_unlock(&the_process_wide().making);
    }
    for (std::uint32_t i = 0; i < slots_; ++i)
      if (record_sink* const sink = at(i).sink.get()) sink->after_fork(in_child);
    mutex_.unlock();
  }

  [[gnu::noinline, gnu::cold]] void restart_worker() noexcept {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    for (std::uint32_t i = 0; i < slots_; ++i)
      if (at(i).sink) return start_worker();
  }

  void drain_all() {
    for (thread_state* thread = process().threads.load(std::memory_order_acquire); thread; thread = thread->next) {
      const bool closed = thread->closed.load(std::memory_order_acquire);
      drain(*thread, [this](std::byte* record) { return take(record); });
      // Its thread has ended and its ring is empty: another thread may have it.
      if (closed && thread->in_use.load(std::memory_order_relaxed) && is_empty(*thread)) {
        thread->closed.store(false, std::memory_order_relaxed);
        thread->in_use.store(false, std::memory_order_release);
      }
    }
  }

  /// False when there is no room for it and its pipeline blocks.
  bool take(std::byte* record) {
    auto& header = *reinterpret_cast<record_header*>(record);
    if (process_generation(header) != generation_) [[unlikely]]
      return true;  // the parent's
    if ((header.marks & mark_piece) != 0) return pieces_.add(record), true;
    if (any_blocks_) {
      entry& place = at(header.pipeline & slot_mask);
      if (place.blocks && place.key == header.pipeline && place.sink->would_block()) {
        place.stuck = true;
        return false;
      }
    }
    header.kind = kind_alone(header.kind);
    const bool activated = (header.marks & mark_activated) != 0;
    if (header.pieces != 0 || activated || (!pieces_.empty() && pieces_.contains(header.span_id))) [[unlikely]] {
      if (activated || pieces_.count(header.span_id) < header.pieces)
        deferred_.append(record, record + header.size);
      else
        deliver(pieces_.join(record));
      return true;
    }
    deliver(record);
    return true;
  }

  void deliver(std::byte* record) {
    const std::uint32_t key = reinterpret_cast<const record_header*>(record)->pipeline;
    const std::uint32_t slot = key & slot_mask;
    entry& place = at(slot);
    if (place.key != key) {
      lost_.fetch_add(1, std::memory_order_relaxed);
      return log(log_level::warn, "a span ended after its tracer was destroyed and is lost", "after shutdown");
    }
    if (!std::exchange(place.touched, true)) touched_.push_back(slot);
    place.sink->accept(record, clock_);
  }

  [[gnu::cold]] void start_worker() noexcept {
    if (worker_started_.exchange(true, std::memory_order_relaxed)) return;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_of_program_);
    const auto work = [](void* self) -> void* {
      static_cast<engine*>(self)->work();
      return nullptr;
    };
    if (start_library_thread("fulgurite", work, this)) return;
    worker_failed_ = true;
    log(log_level::error, "the collecting thread cannot be started; spans are collected by force_flush only");
  }

  [[gnu::cold]] void work() noexcept {
    for (;;) {
      timespec until{};
      clock_gettime(CLOCK_MONOTONIC, &until);
      until.tv_nsec += poll_interval;
      if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
      }
      sem_clockwait(&wake_up_, CLOCK_MONOTONIC, &until);
      wake_pending_.store(false, std::memory_order_relaxed);
      if (registrations_due_.load(std::memory_order_relaxed) > 0) {
        const std::lock_guard lock(mutex_);
        register_due_delivery();
      }
      collect();
      if (process_end::instance().has_begun()) continue;  // static objects that a log handler needs may be gone
      if (main_thread_is_gone() && only_library_threads_left()) return end_without_main();
      const delayed_log later;
      const std::lock_guard lock(mutex_);
      for (std::uint32_t i = 0; i < slots_; ++i)
        if (record_sink* const sink = at(i).sink.get()) sink->poll();
    }
  }

  std::mutex mutex_;
  static constexpr std::uint32_t chunk_size = 64;
  entry* sinks_[max_pipelines / chunk_size] = {};  // made as they are needed; they stay
  std::uint32_t slots_ = 1;
  plain_list<std::uint32_t> free_, touched_;
  open_pieces pieces_;
  byte_list deferred_;
  clock_converter clock_;
  std::atomic<std::uint64_t> lost_{0};
  std::uint8_t generation_ = 0;
  std::atomic<bool> worker_started_{false}, worker_failed_{false};
  bool any_blocks_ = false, process_ends_ = false;
  std::uint64_t added_ = 0;                  // pipelines so far
  std::uint64_t delivered_ = 0, ended_ = 0;  // how many there were when exit() had them deliver, and end
  std::atomic<pid_t> delivering_thread_{0};  // of the threads that have called exit()
  int registered_ = 0;
  std::atomic<int> registrations_due_{0};
  sigset_t mask_of_program_{};
  std::atomic<bool> wake_pending_{false};
  sem_t wake_up_{};
};

/// The loader calls it when exit() has run all handlers, once for each object file.
[[gnu::destructor, gnu::used]] inline void fulgurite_say_after_all() noexcept { engine::say_after_all(); }

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
