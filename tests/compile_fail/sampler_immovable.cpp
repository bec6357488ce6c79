// expect: a sampler must be movable: the tracer keeps it
#include <fulgurite/sampler/sampler.hpp>

#include <string>

struct rooted_sampler {
  rooted_sampler() = default;
#ifdef MISTAKE
  rooted_sampler(const rooted_sampler&) = delete;
#endif
  fulgurite::sampling_result sample(const fulgurite::sampling_input&) noexcept { return {}; }
  std::string description() const { return "rooted_sampler"; }
};
static_assert(fulgurite::check_sampler<rooted_sampler>());
