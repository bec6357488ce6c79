// expect: sample() must be noexcept: it runs inside the traced program
#include <fulgurite/sampler/sampler.hpp>

#include <string>

struct throwing_sampler {
  std::string description() const { return "throwing_sampler"; }
#ifdef MISTAKE
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) { return {}; }
#else
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) noexcept { return {}; }
#endif
};
static_assert(fulgurite::check_sampler<throwing_sampler>());
