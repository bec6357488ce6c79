// What the samplers' tests share: a question to ask.
#pragma once

#include <fulgurite/sampler/sampler.hpp>

/// What a sampler decides about a span with this parent, in the parent's trace or in the given one.
template <class Sampler>
fulgurite::sampling_decision asked(Sampler& sampler, fulgurite::context const& parent = {},
                                   fulgurite::trace_id trace = fulgurite::trace_id::from_numbers(1, 2)) {
  const fulgurite::sampling_input input{.parent = parent, .trace_id = trace, .name = "name"};
  const fulgurite::sampling_result result = sampler.sample(input);
  return result.decision;
}

/// A context whose span is sampled or not, in this process or another.
inline fulgurite::context parent(bool sampled, bool remote) {
  return fulgurite::context(fulgurite::span_context(fulgurite::trace_id::from_numbers(1, 2),
                                                    fulgurite::span_id::from_number(3),
                                                    fulgurite::trace_flags().with_sampled(sampled), remote));
}
