// expect: a sampler needs a member function: std::string description() const
#include <fulgurite/sampler/sampler.hpp>

#include <string>

struct nameless_sampler {
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) noexcept { return {}; }
#ifndef MISTAKE
  std::string description() const { return "nameless_sampler"; }
#endif
};
static_assert(fulgurite::check_sampler<nameless_sampler>());
