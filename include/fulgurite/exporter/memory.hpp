// Keeps finished spans in memory, for tests and for programs that look at their own traces.
#pragma once

#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// An exporter whose copies share one store: give one to the tracer and ask the other. Every member may be called from
/// any thread. Nothing bounds the store but `clear()`.
class memory_exporter {
 public:
  memory_exporter() : store_(std::make_shared<store>()) {}
  // Declared, so that a move is a copy and no exporter is ever without a store.
  memory_exporter(memory_exporter const&) = default;
  memory_exporter& operator=(memory_exporter const&) = default;

  /// Fails only when memory does.
  export_result export_spans(span_batch const& batch) noexcept try {
    std::vector<span_data> fresh = batch.spans();
    const std::lock_guard lock(store_->mutex);
    store_->spans.insert(store_->spans.end(), std::make_move_iterator(fresh.begin()),
                         std::make_move_iterator(fresh.end()));
    return export_result::success;
  } catch (...) {
    return export_result::failure;
  }
  bool flush(deadline) noexcept { return true; }
  /// No library is needed that exit() takes down.
  static constexpr bool is_exit_safe() noexcept { return true; }
  /// What was kept stays readable.
  bool shutdown(deadline) noexcept { return true; }

  /// In the child of a fork the store begins empty, as its tracer's accounts do.
  void after_fork() noexcept {
    if (store_->mutex.try_lock()) {
      store_->spans.clear();
      store_->mutex.unlock();
    } else  // half changed by a thread that is not here: neither used nor destroyed
      ::new (static_cast<void*>(store_.get())) store;
  }

  /// A copy of what has arrived, in the order it did. A tracer's `force_flush` comes first where the last spans matter.
  std::vector<span_data> spans() const {
    const std::lock_guard lock(store_->mutex);
    return store_->spans;
  }
  void clear() noexcept {
    const std::lock_guard lock(store_->mutex);
    store_->spans.clear();
  }

 private:
  struct store {
    std::mutex mutex;
    std::vector<span_data> spans;
  };

  std::shared_ptr<store> store_;
};

static_assert(check_exporter<memory_exporter>());

}  // namespace v1
}  // namespace fulgurite
