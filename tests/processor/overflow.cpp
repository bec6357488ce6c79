#include <fulgurite/processor/overflow.hpp>

#include <doctest/doctest.h>

TEST_CASE("drop_newest never waits") {
  static_assert(fulgurite::overflow<fulgurite::drop_newest>);
  static_assert(!fulgurite::overflow<int>);
  CHECK_FALSE(fulgurite::drop_newest::blocks);
}
