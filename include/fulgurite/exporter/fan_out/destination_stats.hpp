// The account of one destination of a fan-out. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/exporter/exporter.hpp>

#include <algorithm>
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

/// From what became of the batches that were dealt with, of spans that are not, and from what the exporter counts
/// itself.
inline destination_stats account_of(std::string name, settled_spans const& batches, std::uint64_t kept,
                                    std::uint64_t queued, exporter_stats const& own) {
  const settled_spans& late = own.settled;
  destination_stats sum{.name = std::move(name), .exporter = own};
  sum.offered = batches.spans() + kept + queued;
  sum.exported = batches.exported + late.exported;
  sum.failed = batches.failed + batches.rejected + late.failed + late.rejected;
  sum.dropped =
      batches.queue_full + batches.shutdown + batches.too_large + late.queue_full + late.shutdown + late.too_large;
  // An exporter may settle what its batch's outcome has not said yet.
  sum.queued = queued + kept - std::min(kept, late.spans());
  return sum;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
