// expect: a sampler needs a member function: sampling_result sample(sampling_input const&) const noexcept
#include <fulgurite/sampler/sampler.hpp>

#include <string>

struct only_payments_sampler {
  std::string description() const { return "only_payments_sampler"; }
#ifdef MISTAKE
  fulgurite::sampling_result sampled(const fulgurite::sampling_input&) const noexcept { return {}; }
#else
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) const noexcept { return {}; }
#endif
};
static_assert(fulgurite::check_sampler<only_payments_sampler>());
