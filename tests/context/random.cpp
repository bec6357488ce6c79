#include <fulgurite/context/random.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <set>

namespace detail = fulgurite::detail;

TEST_CASE("a stream repeats itself from the same state, and not from another") {
  std::uint64_t a = 1, b = 1, c = 2;
  const std::uint64_t first = detail::next_random(a);
  CHECK(first == detail::next_random(b));
  CHECK(first != detail::next_random(c));
  CHECK(first != detail::next_random(a));
}

TEST_CASE("numbers do not repeat, and each bit is set half of the time") {
  constexpr int count = 100'000;
  std::uint64_t state = 42;
  std::set<std::uint64_t> seen;
  int ones[64] = {};
  for (int i = 0; i < count; ++i) {
    const std::uint64_t number = detail::next_random(state);
    seen.insert(number);
    for (int bit = 0; bit < 64; ++bit) ones[bit] += static_cast<int>(number >> bit & 1);
  }
  CHECK(seen.size() == count);
  // Six standard deviations of a binomial distribution: sqrt(count) / 2 each.
  for (int bit = 0; bit < 64; ++bit) {
    CAPTURE(bit);
    CHECK(ones[bit] > count / 2 - 950);
    CHECK(ones[bit] < count / 2 + 950);
  }
}

TEST_CASE("an id is never zero") {
  std::uint64_t state = 0, same = 0;  // the state that makes the product zero
  CHECK(detail::next_random(same) == 0);
  CHECK(detail::next_random_id(state) != 0);
}

TEST_CASE("seeds differ") {
  const int here = 0;
  CHECK(detail::random_seed(&here) != detail::random_seed(&here));
}
