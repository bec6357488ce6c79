#include <fulgurite/record/growing_bytes.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>

using fulgurite::detail::growing_bytes;

TEST_CASE("room is made behind a place, and what lies before it stays") {
  growing_bytes memory;
  CHECK(memory.capacity() == 0);
  std::byte* at = memory.begin();
  for (int i = 0; i < 100'000; ++i) {
    at = memory.room(at, 3);
    *at++ = static_cast<std::byte>(i);
  }
  REQUIRE(at - memory.begin() == 100'000);
  bool same = true;
  for (int i = 0; i < 100'000; ++i) same = same && memory.begin()[i] == static_cast<std::byte>(i);
  CHECK(same);
  const std::byte* const before = memory.begin();
  CHECK(memory.room(memory.begin(), memory.capacity()) == before);
}

TEST_CASE("memory moves with its owner, and is given back where it is much") {
  growing_bytes one;
  one.room(one.begin(), 1000);
  const std::byte* const where = one.begin();
  growing_bytes other(std::move(one));
  CHECK(other.begin() == where);
  other.shrink(1'000'000);
  CHECK(other.begin() == where);
  other.shrink(100);
  CHECK(other.capacity() == 0);
}
