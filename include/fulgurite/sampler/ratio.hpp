// The sampler that keeps a share of the traces, by their ids alone.
//
// Every process decides alike about a trace, without talking: its low 56 bits are random, and those at or above a
// threshold are kept. A trace that a smaller ratio keeps is kept by every larger one (OpenTelemetry, trace/sdk.md,
// TraceIdRatioBased, with the threshold of tracestate-probability-sampling.md).
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/sampler/sampler.hpp>

#include <cstdint>
#include <string>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {

/// Keeps the given share of all traces, by their ids: every service with this ratio keeps the same ones.
class ratio_sampler {
 public:
  /// Of 2^56 possible ids.
  static constexpr std::uint64_t id_count = std::uint64_t{1} << 56;

  /// The share to keep, 0 to 1. One outside is brought to the nearer end, not-a-number to 0, and the log says so.
  explicit constexpr ratio_sampler(double ratio) noexcept : ratio_(clamped(ratio)), threshold_(threshold_of(ratio_)) {
    if (!(ratio >= 0 && ratio <= 1) && !std::is_constant_evaluated())
      detail::log(log_level::warn, "ratio_sampler: the ratio must be from 0 to 1; it was brought into that range");
  }

  sampling_result sample(sampling_input const& input) const noexcept {
    return keeps(input.trace_id) ? sampling_decision::record_and_sample : sampling_decision::drop;
  }
  constexpr bool keeps(trace_id const& id) const noexcept { return id.randomness() >= threshold_; }

  constexpr double ratio() const noexcept { return ratio_; }
  /// The least value of an id's low 56 bits that is kept: round((1 - ratio) * 2^56).
  constexpr std::uint64_t threshold() const noexcept { return threshold_; }
  /// See detail::root_threshold in sampler/sampler.hpp.
  constexpr std::uint64_t root_threshold() const noexcept { return threshold_; }
  /// `TraceIdRatioBased{0.000100}`, in every locale.
  std::string description() const {
    const auto millionths = static_cast<std::uint32_t>(ratio_ * 1e6 + 0.5);
    const std::string digits = std::to_string(millionths % 1'000'000);
    return "TraceIdRatioBased{" + std::to_string(millionths / 1'000'000) + "." + std::string(6 - digits.size(), '0') +
           digits + "}";
  }

 private:
  static constexpr double clamped(double ratio) noexcept { return ratio >= 1 ? 1 : ratio > 0 ? ratio : 0; }

  /// `1 - ratio` would lose the low bits of a small ratio, `ratio * 2^56` is exact.
  static constexpr std::uint64_t threshold_of(double ratio) noexcept {
    const double kept = ratio * static_cast<double>(id_count);
    const auto whole = static_cast<std::uint64_t>(kept);
    return id_count - whole - (kept - static_cast<double>(whole) > 0.5 ? 1 : 0);
  }

  double ratio_;
  std::uint64_t threshold_;
};

}  // namespace v1
}  // namespace fulgurite
