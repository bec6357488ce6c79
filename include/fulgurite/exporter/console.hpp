// Prints each trace as a tree: for the first look, for debugging, for programs whose log is their output.
//
// Spans are kept until the local root of their trace has arrived, then the tree (encoder/text_tree.hpp) goes out in one
// piece. What is incomplete is printed by `flush` and `shutdown`, with lost parents marked. Needs fmt.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/text_tree.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/stream_writer.hpp>
#include <fulgurite/platform/terminal.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <list>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// When the tree is coloured.
enum class console_colours {
  automatic,  ///< on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`
  always,
  never
};

/// Where the tree is printed, and how.
struct console_options {
  /// Standard output, as of OpenTelemetry's console exporters. It is not closed, and must outlive the tracer.
  std::FILE* stream = stdout;
  console_colours colours = console_colours::automatic;
  /// Columns; 0: the terminal's, or 100 where there is none.
  std::size_t width = 0;
  /// The longest value shown whole, in columns.
  std::size_t max_value_width = 120;
  /// Spans that wait for their roots; beyond it the oldest trace is printed as it is. 0: every batch is printed at
  /// once.
  std::size_t max_buffered_spans = 10'000;
};

/// An exporter for one stream. It never raises SIGPIPE, and gives up on a reader that takes nothing for ten seconds;
/// what could not be printed has failed.
class console_exporter {
 public:
  explicit console_exporter(console_options const& options = {}) : options_(options) {
    tree_.colours = options.colours == console_colours::always ||
                    (options.colours == console_colours::automatic && detail::shows_colours(options.stream));
    tree_.max_value_width = options.max_value_width;
  }
  console_exporter(console_exporter&&) = default;
  console_exporter& operator=(console_exporter&&) = default;

  /// Prints the traces whose local root is in the batch, or was printed lately: children may end after their root. The
  /// other spans wait.
  batch_outcome export_spans(span_batch const& batch) noexcept try {
    for (trace& known : waiting_) known.earlier = known.spans.size();
    collect(batch);
    const deadline until = std::chrono::steady_clock::now() + patience;
    batch_outcome outcome;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto next = std::next(at);
      if (at->complete) print(at, until, outcome);
      at = next;
    }
    while (buffered_ > options_.max_buffered_spans) print(waiting_.begin(), until, outcome);
    outcome.waiting = batch.size() - outcome.exported - outcome.failed;
    return outcome;
  } catch (...) {
    return {.failed = batch.size()};
  }

  /// Prints what waits for its root, oldest first. False when something could not be printed; that is lost.
  bool flush(deadline until) noexcept try {
    bool printed = true;
    while (!waiting_.empty()) {
      waiting_.front().earlier = waiting_.front().spans.size();
      batch_outcome none;
      printed = print(waiting_.begin(), until, none) && printed;
    }
    return printed;
  } catch (...) {
    return false;
  }
  bool shutdown(deadline until) noexcept { return flush(until); }
  /// No library is needed that exit() takes down.
  static constexpr bool is_exit_safe() noexcept { return true; }

  /// In the child of a fork: what waits is the parent's to print. Another thread may have been changing it, so that it
  /// is neither used nor destroyed here.
  void after_fork() noexcept {
    ::new (static_cast<void*>(&waiting_)) std::list<trace>;
    ::new (static_cast<void*>(&index_)) std::map<trace_id, place>;
    buffered_ = next_lately_ = 0;
    lately_ = {};
    printed_late_ = lost_late_ = 0;
  }
  /// From any thread.
  exporter_stats stats() const noexcept {
    return {.settled = {.exported = std::atomic_ref(printed_late_).load(std::memory_order_relaxed),
                        .failed = std::atomic_ref(lost_late_).load(std::memory_order_relaxed)}};
  }

 private:
  static constexpr std::chrono::seconds patience{10};

  struct trace {
    trace_id id;
    std::vector<span_data> spans = {};
    /// Of `spans`, those of earlier batches, which have been said to wait.
    std::size_t earlier = 0;
    bool complete = false;
  };
  using place = std::list<trace>::iterator;

  /// All of the batch, or nothing of it. Throws std::bad_alloc.
  void collect(span_batch const& batch) {
    try {
      batch.for_each([&](record_view const& record) {
        trace& of = trace_of(record.trace_id());
        of.spans.push_back(to_span_data(record, batch.shared_resource(), batch.shared_scope()));
        of.complete = of.complete || record.is_local_root();
        ++buffered_;
      });
    } catch (...) {
      for (auto at = waiting_.begin(); at != waiting_.end();) {
        const auto next = std::next(at);
        buffered_ -= at->spans.size() - at->earlier;
        at->spans.erase(at->spans.begin() + static_cast<std::ptrdiff_t>(at->earlier), at->spans.end());
        if (at->spans.empty()) take(at);
        at = next;
      }
      throw;
    }
  }

  trace& trace_of(trace_id const& id) {
    const auto [entry, fresh] = index_.try_emplace(id, waiting_.end());
    if (fresh) {
      try {
        entry->second = waiting_.insert(waiting_.end(), trace{id});
      } catch (...) {
        index_.erase(entry);
        throw;
      }
      for (trace_id const& printed : lately_) entry->second->complete = entry->second->complete || printed == id;
    }
    return *entry->second;
  }

  /// Prints one trace and forgets it, whether that succeeds or not. `outcome`: of the batch that is being exported.
  bool print(place at, deadline until, batch_outcome& outcome) {
    const std::list<trace> taken = take(at);
    trace const& of = taken.front();
    std::string problem = "out of memory";
    try {
      tree_.width = options_.width > 0 ? options_.width : detail::columns_of(options_.stream);
      problem = detail::write_to_stream(options_.stream, to_text_tree(of.spans, tree_) + "\n", until);
    } catch (std::bad_alloc const&) {
    }
    const bool printed = problem.empty();
    (printed ? outcome.exported : outcome.failed) += of.spans.size() - of.earlier;
    std::atomic_ref(printed ? printed_late_ : lost_late_).fetch_add(of.earlier, std::memory_order_relaxed);
    if (printed) return true;
    const detail::sigpipe_blocked quiet;  // the log may go to what was closed
    detail::log(log_level::warn, "console: a trace cannot be printed: " + problem);
    outcome.reason = "a trace cannot be printed: " + problem;
    outcome.said = true;
    return false;
  }

  std::list<trace> take(place at) noexcept {
    std::list<trace> taken;
    index_.erase(at->id);
    if (at->complete) lately_[next_lately_++ % lately_.size()] = at->id;
    buffered_ -= at->spans.size();
    taken.splice(taken.begin(), waiting_, at);
    return taken;
  }

  console_options options_;
  text_tree_options tree_;
  std::list<trace> waiting_;  // the oldest first
  std::map<trace_id, place> index_;
  std::size_t buffered_ = 0;
  std::array<trace_id, 32> lately_ = {};
  std::size_t next_lately_ = 0;
  /// Spans of earlier batches.
  alignas(std::atomic_ref<std::uint64_t>::required_alignment) mutable std::uint64_t printed_late_ = 0;
  alignas(std::atomic_ref<std::uint64_t>::required_alignment) mutable std::uint64_t lost_late_ = 0;
};

static_assert(check_exporter<console_exporter>());

}  // namespace v1
}  // namespace fulgurite
