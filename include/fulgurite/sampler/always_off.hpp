// The null sampler: no trace is kept.
//
// Light, for fulgurite/noop.hpp: input and result are only named here, and `sample` needs them whole where it is
// called.
#pragma once

#include <fulgurite/sampler/decision.hpp>

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// Drops every trace.
class always_off_sampler {
 public:
  template <class Input, class Result = sampling_result>
  constexpr Result sample(Input const&) const noexcept {
    return Result(sampling_decision::drop);
  }
  /// No trace is at or above it: see detail::root_threshold in sampler/sampler.hpp.
  static constexpr std::uint64_t root_threshold() noexcept { return std::uint64_t{1} << 56; }
  static constexpr const char* description() noexcept { return "AlwaysOffSampler"; }
};

}  // namespace v1
}  // namespace fulgurite
