#include <fulgurite/context/trace_flags.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

static_assert(sizeof(fg::trace_flags) == 1);

TEST_CASE("flags are tested bit by bit") {
  CHECK_FALSE(fg::trace_flags().sampled());
  CHECK_FALSE(fg::trace_flags().random());
  CHECK(fg::trace_flags(0x01).sampled());
  CHECK_FALSE(fg::trace_flags(0x01).random());
  CHECK(fg::trace_flags(0x02).random());
  CHECK_FALSE(fg::trace_flags(0x02).sampled());
  CHECK(fg::trace_flags(0xff).sampled());
  CHECK_FALSE(fg::trace_flags(0xfe).sampled());
}

TEST_CASE("with_sampled leaves the other bits alone") {
  CHECK(fg::trace_flags(0x02).with_sampled(true).bits() == 0x03);
  CHECK(fg::trace_flags(0x03).with_sampled(false).bits() == 0x02);
  CHECK(fg::trace_flags(0x83).with_sampled(true) == fg::trace_flags(0x83));
}
