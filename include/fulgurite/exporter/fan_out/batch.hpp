// A batch on its way to several exporters, and what becomes of it as a whole.
//
// Records are valid only during `export_spans`, so they are copied, once, and every destination reads the same copy. A
// span has been exported when every destination has taken it, and is lost when one has lost it, for the reason that the
// first one had; until the last one has said so it waits. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/record/record_chunk.hpp>
#include <fulgurite/record/span_batch.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What became of a batch at one destination.
enum class fan_out_fate : std::uint8_t { delivered, failed, queue_full, shutdown };
inline constexpr std::size_t fan_out_fates = 4;

/// Of spans: sent round, waiting for a destination, and what became of the others. taken == waiting + all fates.
struct fan_out_counts {
  std::uint64_t taken = 0, waiting = 0;
  std::array<std::uint64_t, fan_out_fates> by_fate{};
  std::uint64_t with(fan_out_fate fate) const noexcept { return by_fate[static_cast<std::size_t>(fate)]; }
};

/// The account of all destinations together. From any thread.
class fan_out_account {
 public:
  void take(std::uint64_t spans) noexcept {
    const std::lock_guard lock(mutex_);
    counts_.taken += spans;
    counts_.waiting += spans;
  }
  /// Nobody took them after all.
  void give_back(std::uint64_t spans) noexcept {
    const std::lock_guard lock(mutex_);
    counts_.taken -= spans;
    counts_.waiting -= spans;
  }
  void settle(std::uint64_t spans, fan_out_fate fate) noexcept {
    const std::lock_guard lock(mutex_);
    counts_.waiting -= spans;
    counts_.by_fate[static_cast<std::size_t>(fate)] += spans;
  }
  fan_out_counts counts() const noexcept {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

 private:
  mutable std::mutex mutex_;
  fan_out_counts counts_;
};

class shared_batch {
 public:
  /// Throws std::bad_alloc.
  shared_batch(span_batch const& batch, std::shared_ptr<fan_out_account> account, std::size_t destinations)
      : of_(batch.shared_resource()),
        scope_(batch.shared_scope()),
        account_(std::move(account)),
        undecided_(destinations) {
    batch.for_each([this](record_view const& record) { records_.append(record); });
  }

  span_batch view() const { return {records_.records(), records_.spans(), of_, scope_}; }
  std::size_t spans() const noexcept { return records_.spans(); }
  std::size_t bytes() const noexcept { return records_.records().size(); }

  /// Once for each destination, from any thread; the last one closes the account.
  void settle(fan_out_fate fate) noexcept {
    fan_out_fate none = fan_out_fate::delivered;
    if (fate != fan_out_fate::delivered) first_loss_.compare_exchange_strong(none, fate);
    if (undecided_.fetch_sub(1) == 1) account_->settle(spans(), first_loss_.load());
  }

 private:
  record_chunk records_;
  std::shared_ptr<const resource> of_;
  std::shared_ptr<const instrumentation_scope> scope_;
  std::shared_ptr<fan_out_account> account_;
  std::atomic<std::size_t> undecided_;
  std::atomic<fan_out_fate> first_loss_{fan_out_fate::delivered};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
