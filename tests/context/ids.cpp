#include <fulgurite/context/ids.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <type_traits>

namespace fg = fulgurite;

static_assert(sizeof(fg::span_id) == 8 && sizeof(fg::trace_id) == 16);
static_assert(std::is_trivially_copyable_v<fg::trace_id>);

TEST_CASE("a trace id reads and writes 32 digits of either case") {
  constexpr auto id = fg::trace_id::from_hex("4bf92f3577b34da6a3ce929d0e0e4736");
  static_assert(id.is_valid());
  CHECK(id.high() == 0x4bf92f3577b34da6U);
  CHECK(id.low() == 0xa3ce929d0e0e4736U);
  CHECK(id.randomness() == 0xce929d0e0e4736U);
  CHECK(id.to_hex() == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(fg::trace_id::from_hex("4BF92F3577B34DA6A3CE929D0E0E4736") == id);
  CHECK(fg::trace_id::from_numbers(id.high(), id.low()) == id);
  CHECK(fg::trace_id::from_wire(id.wire_first(), id.wire_second()) == id);
}

TEST_CASE("the wire form has the most significant byte first in memory") {
  const auto id = fg::span_id::from_hex("00f067aa0ba902b7");
  unsigned char bytes[8];
  const std::uint64_t wire = id.wire();
  std::memcpy(bytes, &wire, 8);
  CHECK(bytes[0] == 0x00);
  CHECK(bytes[1] == 0xf0);
  CHECK(bytes[7] == 0xb7);
  CHECK(id.number() == 0x00f067aa0ba902b7U);
}

TEST_CASE("what is malformed becomes the invalid id") {
  for (const char* text : {"", "0", "00f067aa0ba902b", "00f067aa0ba902b70", "00f067aa0ba902bg", " 0f067aa0ba902b7",
                           "0x0067aa0ba902b7", "0000000000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(fg::span_id::from_hex(text).is_valid());
  }
  for (const char* text : {"4bf92f3577b34da6a3ce929d0e0e473", "4bf92f3577b34da6a3ce929d0e0e47366", "a3ce929d0e0e4736",
                           "4bf92f3577b34da6-3ce929d0e0e4736", "00000000000000000000000000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(fg::trace_id::from_hex(text).is_valid());
  }
  CHECK(fg::trace_id().to_hex() == "00000000000000000000000000000000");
  CHECK(fg::span_id().to_hex() == "0000000000000000");
}

TEST_CASE("one half of a trace id is enough to be valid") {
  CHECK(fg::trace_id::from_numbers(0, 1).is_valid());
  CHECK(fg::trace_id::from_numbers(1, 0).is_valid());
}

TEST_CASE("ids are ordered as their digits are") {
  CHECK(fg::span_id::from_number(0x0100) < fg::span_id::from_number(0x0201));
  CHECK(fg::span_id::from_number(0x01ff) < fg::span_id::from_number(0x0200));
  CHECK(fg::trace_id::from_numbers(1, 0) > fg::trace_id::from_numbers(0, ~0ULL));
  CHECK(fg::trace_id::from_numbers(1, 0x01ff) < fg::trace_id::from_numbers(1, 0x0200));
}
