// The sampler that keeps every trace.
#pragma once

#include <fulgurite/sampler/decision.hpp>

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// Keeps every trace.
class always_on_sampler {
 public:
  template <class Input, class Result = sampling_result>
  constexpr Result sample(Input const&) const noexcept {
    return Result(sampling_decision::record_and_sample);
  }
  /// Every trace is at or above it: see detail::root_threshold in sampler/sampler.hpp.
  static constexpr std::uint64_t root_threshold() noexcept { return 0; }
  static constexpr const char* description() noexcept { return "AlwaysOnSampler"; }
};

}  // namespace v1
}  // namespace fulgurite
