// expect: a sampler needs a member function: std::string description() const
#include <fulgurite/sampler/parent_based.hpp>

#include <string>

struct nameless_sampler {
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) noexcept { return {}; }
#ifndef MISTAKE
  std::string description() const { return "nameless_sampler"; }
#endif
};
fulgurite::parent_based sampler{nameless_sampler{}};
