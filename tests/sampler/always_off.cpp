#include <fulgurite/sampler/always_off.hpp>

#include "asked.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

namespace fg = fulgurite;

static_assert(fg::check_sampler<fg::always_off_sampler>());
static_assert(std::is_empty_v<fg::always_off_sampler> && !fg::samples_children<fg::always_off_sampler>);

TEST_CASE("always_off_sampler decides alike whatever the parent is") {
  const fg::always_off_sampler sampler;
  CHECK(asked(sampler) == fg::sampling_decision::drop);
  for (const bool sampled : {false, true})
    for (const bool remote : {false, true})
      CHECK(asked(sampler, parent(sampled, remote)) == fg::sampling_decision::drop);
  CHECK(std::string(sampler.description()) == "AlwaysOffSampler");
}
