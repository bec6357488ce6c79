// The sampler that keeps every trace.
#pragma once

#include <fulgurite/sampler/decision.hpp>

namespace fulgurite {
inline namespace v1 {

class always_on_sampler {
 public:
  template <class Input, class Result = sampling_result>
  constexpr Result sample(Input const&) const noexcept {
    return Result(sampling_decision::record_and_sample);
  }
  static constexpr const char* description() noexcept { return "AlwaysOnSampler"; }
};

}  // namespace v1
}  // namespace fulgurite
