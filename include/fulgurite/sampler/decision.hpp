// What a sampler may decide. Apart from sampler.hpp, so that the NoOp build can name it at little cost.
#pragma once

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// OpenTelemetry, trace/sdk.md, ShouldSample.
enum class sampling_decision : std::uint8_t {
  drop,              ///< not recorded; context travels on with the sampled flag off
  record_only,       ///< recorded for this process's processors; not sampled, not exported
  record_and_sample  ///< recorded, sampled, exported
};

struct sampling_input;
struct sampling_result;

}  // namespace v1
}  // namespace fulgurite
