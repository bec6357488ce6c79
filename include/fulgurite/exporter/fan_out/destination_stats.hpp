// The account of one destination of a fan-out. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/fan_out/batch.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// What one destination has done. offered == exported + failed + dropped + queued.
struct destination_stats {
  std::string name = {};
  /// Spans of all batches sent round.
  std::uint64_t offered = 0;
  /// Spans that this destination has taken.
  std::uint64_t exported = 0;
  /// Spans that it did not take, or refused.
  std::uint64_t failed = 0;
  /// Spans that its queue had no room for, that were given up at shutdown, or are too large.
  std::uint64_t dropped = 0;
  /// Spans that wait for it, in memory or in its spool.
  std::uint64_t queued = 0;
  /// What its exporter counts by itself; it is in the numbers above.
  exporter_stats exporter = {};
};

namespace detail {

/// Takes from what is left, and says how much that was: an exporter counts before its batch has been counted.
constexpr std::uint64_t take_part(std::uint64_t& left, std::uint64_t wanted) noexcept {
  const std::uint64_t part = std::min(left, wanted);
  left -= part;
  return part;
}

/// From what became of the batches, of spans that are not decided, and from what the exporter says of those it took.
inline destination_stats account_of(std::string name, std::array<std::uint64_t, fan_out_fates> const& by_fate,
                                    std::uint64_t queued, exporter_stats const& own) {
  const auto with = [&](fan_out_fate fate) { return by_fate[static_cast<std::size_t>(fate)]; };
  destination_stats sum{.name = std::move(name), .exporter = own};
  for (const std::uint64_t spans : by_fate) sum.offered += spans;
  sum.offered += queued;
  sum.exported = with(fan_out_fate::delivered);
  sum.failed = with(fan_out_fate::failed) + take_part(sum.exported, own.rejected) + take_part(sum.exported, own.failed);
  sum.dropped = with(fan_out_fate::queue_full) + with(fan_out_fate::shutdown) + take_part(sum.exported, own.too_large) +
                take_part(sum.exported, own.queue_full) + take_part(sum.exported, own.shutdown);
  sum.queued = queued + take_part(sum.exported, own.spooled) + take_part(sum.exported, own.waiting);
  return sum;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
