// expect: samples_children must be a constant: static constexpr bool samples_children = true
#include <fulgurite/sampler/sampler.hpp>

#include <string>

struct undecided_sampler {
#ifdef MISTAKE
  bool samples_children = true;
#else
  static constexpr bool samples_children = true;
#endif
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) noexcept { return {}; }
  std::string description() const { return "undecided_sampler"; }
};
static_assert(fulgurite::check_sampler<undecided_sampler>());
