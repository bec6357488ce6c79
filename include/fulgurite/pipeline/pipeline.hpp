// A tracer's pipeline as spans and the engine see it: its sampler's answer, where its records go, its accounts.
//
// What depends on the policies is in tracer.hpp, behind these few virtual functions; none of them is on the hot path.
#pragma once

#include <fulgurite/engine/engine.hpp>
#include <fulgurite/pipeline/last_trace.hpp>
#include <fulgurite/processor/processor.hpp>
#include <fulgurite/record/limits.hpp>
#include <fulgurite/sampler/sampler.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Counts since the tracer was made. After a flush: sampled == exported + failed + dropped + discarded + queued.
struct tracer_stats {
  /// Spans started, recorded or not.
  std::uint64_t started = 0;
  /// Sampled spans that have ended.
  std::uint64_t sampled = 0;
  /// Spans that the backend has taken.
  std::uint64_t exported = 0;
  /// Spans that the backend did not take: dropped_by(export_failed) and dropped_by(rejected).
  std::uint64_t failed = 0;
  /// Requests sent again.
  std::uint64_t retried = 0;
  /// Spans collected and not yet exported, in memory or in the spool.
  std::uint64_t queued = 0;
  /// Sampled spans that were decided against afterwards: by tail sampling, which is not built yet.
  std::uint64_t discarded = 0;
  /// Spans lost before they were offered to the backend, by any cause but those two.
  std::uint64_t dropped = 0;
  std::uint64_t dropped_by(drop_cause cause) const { return by_cause[static_cast<std::size_t>(cause)]; }

  std::array<std::uint64_t, drop_causes> by_cause{};

  /// Of `queued`: those in the spool, which the end of the process does not lose.
  std::uint64_t spooled = 0;
  /// Spans of earlier processes that were delivered from the spool. Not in the sum above, nor in any other count.
  std::uint64_t replayed = 0;
  /// Files of the spool that could not be read.
  std::uint64_t set_aside = 0;
};

namespace detail {

class pipeline : public record_sink, public export_target {
 public:
  pipeline(std::shared_ptr<const resource> of, std::shared_ptr<const instrumentation_scope> scope,
           std::size_t last_limit)
      : resource_(std::move(of)), scope_(std::move(scope)), last_trace_(last_limit) {}

  virtual sampling_result sample(sampling_input const& input) noexcept = 0;

  std::uint32_t key() const noexcept { return key_; }
  /// Set before the first span: none of it changes later.
  bool asks_children() const noexcept { return asks_children_; }
  bool is_inline() const noexcept { return is_inline_; }
  /// The clock's ticks cannot be used: spans read steady_clock, on the slow path.
  bool falls_back() const noexcept { return falls_back_; }
  /// Children may take the fast path.
  bool is_fast() const noexcept { return !asks_children_ && !is_inline_ && !falls_back_; }
  /// A root without a parent is decided by the randomness of its trace id alone, and its children may be fast.
  bool has_simple_roots() const noexcept { return simple_roots_.load(std::memory_order_relaxed); }
  /// Such a root is sampled when its trace id's randomness is at least this.
  std::uint64_t root_threshold() const noexcept { return root_threshold_; }
  /// The marks that this clock's times carry.
  std::uint8_t clock_marks() const noexcept { return clock_marks_; }
  bool is_open() const noexcept { return open_.load(std::memory_order_relaxed); }

  void collect() noexcept final { engine::instance().collect(); }

  void count_dropped(drop_cause cause, std::uint64_t spans) noexcept final { lose(cause, spans, {}, false); }

 protected:
  /// What became of a batch.
  void count(batch_outcome const& outcome) noexcept {
    add_to(exported_, outcome.exported);
    add_to(kept_, outcome.spooled + outcome.waiting);
    const std::string_view reason = outcome.reason;
    lose(drop_cause::export_failed, outcome.failed, reason, outcome.said);
    lose(drop_cause::rejected, outcome.rejected, outcome.failed == 0 ? reason : std::string_view(), outcome.said);
    lose(drop_cause::too_large, outcome.too_large, {}, outcome.said);
  }
  static void add_to(std::atomic<std::uint64_t>& count, std::uint64_t spans) noexcept {
    count.fetch_add(spans, std::memory_order_relaxed);
  }
  /// Counts them, and logs it unless the exporter has: in the exporter's own words, where there are any.
  void lose(drop_cause cause, std::uint64_t spans, std::string_view reason, bool is_logged) noexcept {
    if (spans == 0) return;
    add_to(dropped_[static_cast<std::size_t>(cause)], spans);
    static constexpr std::array<const char*, drop_causes> texts{
        "spans are dropped: the queue is full",
        "spans are dropped: they are too large to be sent",
        "spans were rejected by the backend",
        "spans could not be exported",
        "spans are dropped: the tracer was shut down before they were exported",
        "spans made in a signal handler are dropped"};
    // At the end of the process the sum is logged once (say_what_was_lost): by then objects that a log handler needs
    // may be gone.
    if (ended_with_process_ || is_logged) return;
    const char* const text = texts[static_cast<std::size_t>(cause)];
    if (reason.empty()) return log(log_level::warn, text);
    try {
      log(log_level::warn, std::string(text).append(": ").append(reason), text);
    } catch (...) {
      log(log_level::warn, text);
    }
  }
  /// In the child of a fork, whose accounts begin with nothing.
  void forget_accounts() noexcept {
    collected_ = exported_ = kept_ = 0;
    for (auto& count : dropped_) count = 0;
  }

  std::shared_ptr<const resource> resource_;
  std::shared_ptr<const instrumentation_scope> scope_;
  last_trace last_trace_;
  std::uint32_t key_ = 0;
  bool asks_children_ = false, is_inline_ = false, falls_back_ = false;
  std::uint8_t clock_marks_ = 0;
  std::atomic<bool> simple_roots_{false};
  std::uint64_t root_threshold_ = 0;
  std::atomic<bool> open_{true};
  /// Spans are recorded on and counted; none is delivered any more.
  std::atomic<bool> ended_with_process_{false};
  std::atomic<std::uint64_t> collected_{0}, exported_{0};
  /// Spans that the exporter keeps, or kept: in its spool, or in a queue of its own.
  std::atomic<std::uint64_t> kept_{0};
  std::array<std::atomic<std::uint64_t>, drop_causes> dropped_{};
};

/// What a tracer's calls need of its pipeline: the key for the fast path, the rest behind the pointer. Both zero: off.
struct pipeline_handle {
  std::uint32_t key = 0;
  detail::pipeline* pipeline = nullptr;
};

/// A piece of the thread's own pages. A signal handler may come here while the thread itself is here.
inline void* thread_memory(thread_state& thread, std::size_t size) noexcept {
  for (std::uintptr_t at = thread.free_memory.load();;) {
    if (at != 0 && at % thread_page_size != 0 && at % thread_page_size + size <= thread_page_size) {
      if (thread.free_memory.compare_exchange_weak(at, at + size)) return reinterpret_cast<void*>(at);
      continue;
    }
    void* const page = allocate_pages(thread_page_size);
    if (!page) return nullptr;
    if (thread.free_memory.compare_exchange_strong(at, reinterpret_cast<std::uintptr_t>(page) + size)) return page;
    free_pages(page, thread_page_size);
  }
}

/// The counters of a pipeline on this thread; made on first use. Null when there is no memory.
inline thread_counts* counts_of(thread_state& thread, std::uint32_t pipeline) noexcept {
  thread_counts* const first = thread.counts.load(std::memory_order_relaxed);
  for (thread_counts* counts = first; counts; counts = counts->next) {
    const std::uint32_t of = counts->pipeline.load(std::memory_order_relaxed);
    if (of == pipeline) return counts;
    if (engine::same_slot(of, pipeline)) {  // of a tracer that is gone, whose place this one has
      counts->forget();
      counts->pipeline.store(pipeline, std::memory_order_relaxed);
      return counts;
    }
  }
  void* const place = thread_memory(thread, sizeof(thread_counts));
  if (!place) return nullptr;
  auto* const fresh = ::new (place) thread_counts;
  fresh->pipeline.store(pipeline, std::memory_order_relaxed);
  fresh->next = first;
  while (!thread.counts.compare_exchange_weak(fresh->next, fresh, std::memory_order_release)) {
  }
  return fresh;
}

/// While it lives nothing is traced on this thread: what an exporter's libraries trace would be exported, and so on.
class suppression {
 public:
  suppression() noexcept : thread_(own_thread()) {
    if (!thread_) return;
    before_ = std::exchange(thread_->suppressed, true);
    fast_before_ = std::exchange(thread_->current.fast_pipeline, no_pipeline);
  }
  suppression(suppression const&) = delete;
  suppression& operator=(suppression const&) = delete;
  ~suppression() {
    if (!thread_) return;
    thread_->suppressed = before_;
    thread_->current.fast_pipeline = fast_before_;
  }

 private:
  thread_state* thread_;
  bool before_ = false;
  std::uint32_t fast_before_ = no_pipeline;
};

/// Calls `visit` with the pipeline's counters on every thread.
template <class F>
void for_each_count(std::uint32_t pipeline, F&& visit) {
  for (thread_state* thread = process().threads.load(std::memory_order_acquire); thread; thread = thread->next)
    for (thread_counts* counts = thread->counts.load(std::memory_order_acquire); counts; counts = counts->next)
      if (counts->pipeline == pipeline) visit(*counts);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
