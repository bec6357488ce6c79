#include <fulgurite/record/plain_list.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using fulgurite::detail::byte_list;
using fulgurite::detail::plain_list;

TEST_CASE("bytes are appended, and stay when there must be more memory") {
  byte_list list;
  CHECK(list.empty());
  std::vector<std::byte> expected;
  for (int i = 0; i < 1000; ++i) {
    const std::vector<std::byte> some(static_cast<std::size_t>(i % 7), static_cast<std::byte>(i));
    list.append(some.data(), some.data() + some.size());
    expected.insert(expected.end(), some.begin(), some.end());
  }
  REQUIRE(list.size() == expected.size());
  CHECK(std::vector<std::byte>(list.data(), list.data() + list.size()) == expected);
  list.truncate(3);
  list.shrink();
  CHECK(std::vector<std::byte>(list.data(), list.data() + list.size()) ==
        std::vector<std::byte>(expected.begin(), expected.begin() + 3));
  byte_list other(std::move(list));
  CHECK(list.empty());
  CHECK(other.size() == 3);
}

TEST_CASE("a plain list does what a vector does") {
  struct pair {
    std::uint64_t a;
    std::uint32_t b;
  };
  plain_list<pair> list;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto at = static_cast<std::size_t>(i * 7919 % (expected.size() + 1));
    list.insert(at, {i, 1});
    expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), i);
  }
  for (int i = 0; i < 100; ++i) {
    CHECK(list.take_front().a == expected.front());
    expected.erase(expected.begin());
  }
  for (std::size_t i = 0; i < 50; ++i) {
    list.push_back(list[i]);  // of this list, which grows meanwhile
    expected.push_back(expected[i]);
  }
  REQUIRE(list.size() == expected.size());
  std::size_t at = 0;
  bool same = true;
  for (pair const& one : list) same = same && one.a == expected[at++] && one.b == 1;
  CHECK(same);
  list.assign(5, list[2]);
  CHECK(list.size() == 5);
  CHECK(list[4].a == expected[2]);
}
