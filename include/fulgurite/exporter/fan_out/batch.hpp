// A batch on its way to several exporters, and what becomes of it as a whole.
//
// Records are valid only during `export_spans`, so they are copied, once, and every destination reads the same copy. A
// span has been exported when every destination has taken it, and is lost when one has lost it, for the reason that the
// first one had; until the last one has said so it waits. Which spans of a batch a destination has lost is not told:
// where several have lost some, these are taken to be different ones. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/record/record_chunk.hpp>
#include <fulgurite/record/span_batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The account of all destinations together. From any thread.
class fan_out_account {
 public:
  /// The last destination has settled a batch.
  void settle(settled_spans const& of) noexcept {
    const std::lock_guard lock(mutex_);
    settled_ += of;
  }
  settled_spans settled() const noexcept {
    const std::lock_guard lock(mutex_);
    return settled_;
  }

 private:
  mutable std::mutex mutex_;
  settled_spans settled_;
};

/// Takes from what is left, and says how much that was.
constexpr std::uint64_t take_part(std::uint64_t& left, std::uint64_t wanted) noexcept {
  const std::uint64_t part = std::min(left, wanted);
  left -= part;
  return part;
}

class shared_batch {
 public:
  /// Throws std::bad_alloc.
  shared_batch(span_batch const& batch, std::shared_ptr<fan_out_account> account, std::size_t destinations)
      : of_(batch.shared_resource()),
        scope_(batch.shared_scope()),
        account_(std::move(account)),
        undecided_(destinations) {
    batch.for_each([this](record_view const& record) { records_.append(record); });
    left_ = records_.spans();
  }

  span_batch view() const { return {records_.records(), records_.spans(), of_, scope_}; }
  std::size_t spans() const noexcept { return records_.spans(); }
  std::size_t bytes() const noexcept { return records_.records().size(); }

  /// Once for each destination, from any thread; the last one closes the account. What a destination keeps in its spool
  /// counts as exported there.
  void settle(settled_spans const& there) noexcept {
    const std::lock_guard lock(mutex_);
    sum_.failed += take_part(left_, there.failed);
    sum_.queue_full += take_part(left_, there.queue_full);
    sum_.shutdown += take_part(left_, there.shutdown);
    sum_.rejected += take_part(left_, there.rejected);
    sum_.too_large += take_part(left_, there.too_large);
    if (--undecided_ > 0) return;
    sum_.exported = left_;
    account_->settle(sum_);
  }

 private:
  record_chunk records_;
  std::shared_ptr<const resource> of_;
  std::shared_ptr<const instrumentation_scope> scope_;
  std::shared_ptr<fan_out_account> account_;
  std::mutex mutex_;
  std::size_t undecided_;
  /// Spans that no destination has lost so far; what became of the others.
  std::uint64_t left_ = 0;
  settled_spans sum_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
