#include <fulgurite/record/packed_value.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
namespace detail = fulgurite::detail;
using fg::attribute_value;

namespace {

/// Packs a value and reads it back; checks that exactly its packed size was written.
attribute_value there_and_back(fg::value_view value) {
  const std::size_t size = detail::packed_size(value);
  CHECK(size % 8 == 0);
  std::vector<std::byte> memory(size + 8, std::byte{0xee});
  const std::byte* end = detail::write_value(memory.data(), value);
  CHECK(end == memory.data() + size);
  for (std::size_t i = size; i < memory.size(); ++i) CHECK(memory[i] == std::byte{0xee});
  return fg::packed_value(detail::packed_type(value), memory.data()).to_owned();
}

attribute_value nested(int depth) {
  attribute_value value = 1;
  for (int i = 0; i < depth; ++i) value = std::vector<attribute_value>{std::move(value)};
  return value;
}
int depth_of(attribute_value const& value) {
  const auto* list = std::get_if<std::vector<attribute_value>>(&value.as_variant());
  return list && !list->empty() ? 1 + depth_of(list->front()) : 0;
}
const attribute_value& innermost(attribute_value const& value) {
  const auto* list = std::get_if<std::vector<attribute_value>>(&value.as_variant());
  return list && !list->empty() ? innermost(list->front()) : value;
}

/// A random value of any kind.
attribute_value random_value(std::mt19937& random, int depth) {
  switch (random() % (depth > 3 ? 6 : 8)) {
    case 0:
      return {};
    case 1:
      return random() % 2 == 0;
    case 2:
      return static_cast<std::int64_t>(random()) - 1'000'000;
    case 3:
      return static_cast<double>(random()) / 3;
    case 4:
      return std::string(random() % 30, static_cast<char>('a' + random() % 26));
    case 5:
      return fg::bytes(random() % 30, static_cast<std::byte>(random()));
    case 6: {
      std::vector<attribute_value> list;
      for (auto n = random() % 4; n > 0; --n) list.push_back(random_value(random, depth + 1));
      return list;
    }
    default: {
      std::vector<fg::attribute> map;
      for (auto n = random() % 4; n > 0; --n)
        map.push_back({std::string(random() % 20, 'k'), random_value(random, depth + 1)});
      return map;
    }
  }
}

}  // namespace

TEST_CASE("every kind of value comes back as it went in") {
  std::mt19937 random(42);
  for (int i = 0; i < 2000; ++i) {
    const attribute_value value = random_value(random, 0);
    CHECK(there_and_back(fg::value_view(value)) == value);
  }
}

TEST_CASE("an unsigned value above 2^63-1 comes back as decimal text, alone and in an array") {
  CHECK(there_and_back(std::numeric_limits<std::uint64_t>::max()) == attribute_value("18446744073709551615"));
  const std::vector<std::uint64_t> list{1, std::uint64_t{1} << 63};
  CHECK(there_and_back(list) == attribute_value(std::vector<attribute_value>{1, "9223372036854775808"}));
}

TEST_CASE("64 levels are kept, a deeper one is empty") {
  CHECK(there_and_back(nested(64)) == nested(64));
  const attribute_value cut = there_and_back(nested(66));
  CHECK(depth_of(cut) == 64);
  CHECK(innermost(cut) == attribute_value());
  attribute_value map = 1;
  for (int i = 0; i < 70; ++i) map = std::vector<fg::attribute>{{"k", std::move(map)}};
  int levels = 0;
  const attribute_value read = there_and_back(map);
  for (const attribute_value* at = &read;; ++levels) {
    const auto* entries = std::get_if<std::vector<fg::attribute>>(&at->as_variant());
    if (!entries) break;
    at = &entries->front().value;
  }
  CHECK(levels == 64);
}

TEST_CASE("a cut halves no character") {
  const std::string_view text = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80z";  // 1, 2, 3, 4 and 1 octets
  const std::size_t boundaries[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t i = 0; i < std::size(boundaries); ++i) CHECK(detail::utf8_boundary(text, i) == boundaries[i]);
  // Not UTF-8 at all: cut where asked.
  CHECK(detail::utf8_boundary(std::string(10, '\x80'), 7) == 7);
  CHECK(detail::utf8_boundary(std::string_view(), 7) == 0);
}

TEST_CASE("a text that lies elsewhere reads like one that is packed") {
  const fg::packed_value value(fg::value_type::string, std::string_view("elsewhere"));
  CHECK(value.text() == "elsewhere");
  CHECK(value.to_owned() == attribute_value("elsewhere"));
}
