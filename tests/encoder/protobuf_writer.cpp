#include <fulgurite/encoder/protobuf_writer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using namespace fulgurite::detail;

// The first two are the examples of protobuf.dev/programming-guides/encoding.
TEST_CASE("varints") {
  struct expected {
    std::uint64_t number;
    std::string_view bytes;
  };
  for (expected const& test :
       {expected{150, "\x96\x01"}, expected{1, "\x01"}, expected{0, std::string_view("\0", 1)}, expected{127, "\x7f"},
        expected{128, "\x80\x01"}, expected{16383, "\xff\x7f"}, expected{16384, "\x80\x80\x01"},
        expected{~std::uint64_t{0}, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}}) {
    std::byte out[max_varint];
    const std::byte* const end = write_varint(out, test.number);
    CHECK(std::string_view(reinterpret_cast<char*>(out), static_cast<std::size_t>(end - out)) == test.bytes);
  }
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t number : {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1}) {
      std::byte out[max_varint];
      CHECK(varint_size(number) == static_cast<std::size_t>(write_varint(out, number) - out));
    }
}

TEST_CASE("texts are copied whole, and bad ones noticed, at every length") {
  for (std::size_t size = 0; size < 70; ++size)
    for (std::size_t bad = 0; bad <= size; ++bad) {
      std::string text;
      for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
      if (bad < size) text[bad] = '\xff';
      std::byte out[80];
      CHECK(copy_utf8(out, text) == (bad == size));
      CHECK(std::string_view(reinterpret_cast<char*>(out), size) == text);
    }
  std::byte out[16];
  CHECK(copy_utf8(out, "gr\xc3\xbc\xc3\x9f"));
  CHECK_FALSE(copy_utf8(out, "gr\xc3"));
}

TEST_CASE("a nested field is moved when its length takes more bytes") {
  for (const std::size_t size : {0U, 1U, 127U, 128U, 16383U, 16384U, 100000U}) {
    growing_bytes memory;
    std::byte* at = write_tag(memory.room(memory.begin(), 1), 'x');
    at = write_nested(memory, at, 0x0a, [&](std::byte* inner) {
      inner = memory.room(inner, size);
      for (std::size_t i = 0; i < size; ++i) *inner++ = static_cast<std::byte>(i);
      return inner;
    });
    const std::size_t width = varint_size(size);
    REQUIRE(static_cast<std::size_t>(at - memory.begin()) == 2 + width + size);
    CHECK(memory.begin()[0] == static_cast<std::byte>('x'));
    bool same = true;
    for (std::size_t i = 0; i < size; ++i) same = same && memory.begin()[2 + width + i] == static_cast<std::byte>(i);
    CHECK(same);
  }
}
