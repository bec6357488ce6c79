#include <fulgurite/sampler/decision.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

TEST_CASE("not deciding is dropping") { CHECK(fg::sampling_decision{} == fg::sampling_decision::drop); }
