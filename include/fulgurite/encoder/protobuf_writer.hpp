// Writing protobuf's wire format into memory that grows: varints, lengths, texts.
//
// The cursor travels by value through every call, so that it stays in a register: stores through `std::byte*` may alias
// a member. A length that is known goes out before its content; one that is not gets the room of a short one, and
// content that turns out longer is moved, so that every varint is canonical. See
// protobuf.dev/programming-guides/encoding.
#pragma once

#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/text/utf8.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t max_varint = 10;

/// How many bytes a number takes.
[[gnu::always_inline]] constexpr std::size_t varint_size(std::uint64_t number) noexcept {
  return (static_cast<std::size_t>(std::bit_width(number | 1)) * 9 + 64) / 64;
}

[[gnu::always_inline]] inline std::byte* write_varint(std::byte* out, std::uint64_t number) noexcept {
  while (number >= 0x80) {
    *out++ = static_cast<std::byte>(number | 0x80);
    number >>= 7;
  }
  *out++ = static_cast<std::byte>(number);
  return out;
}

[[gnu::always_inline]] inline std::byte* write_tag(std::byte* out, std::uint8_t tag) noexcept {
  *out = static_cast<std::byte>(tag);
  return out + 1;
}

/// Little-endian, as protobuf's fixed types are.
template <class Word>
[[gnu::always_inline]] inline std::byte* write_fixed(std::byte* out, Word word) noexcept {
  if constexpr (std::endian::native == std::endian::little)
    std::memcpy(out, &word, sizeof word);
  else
    for (std::size_t i = 0; i < sizeof word; ++i) out[i] = static_cast<std::byte>(word >> (8 * i) & 0xff);
  return out + sizeof word;
}

/// Copies a text; false when it is no UTF-8 and must be replaced. Short texts, which almost all are, go through
/// registers: looking at them for bytes above ASCII is then free.
[[gnu::always_inline]] inline bool copy_utf8(std::byte* out, std::string_view text) noexcept {
  const char* const from = text.data();
  const std::size_t size = text.size();
  bool ascii = true;
  const auto ends = [&]<class Word>(Word) {  // the first and the last word, which may overlap
    Word first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - sizeof last, &last, sizeof last);
    ascii = ((first | last) & static_cast<Word>(0x8080'8080'8080'8080U)) == 0;
  };
  if (size <= 16) {
    if (size >= 8)
      ends(std::uint64_t{});
    else if (size >= 4)
      ends(std::uint32_t{});
    else
      for (std::size_t i = 0; i < size; ++i) {
        out[i] = static_cast<std::byte>(from[i]);
        ascii = ascii && static_cast<unsigned char>(from[i]) < 0x80;
      }
  } else {
    std::memcpy(out, from, size);
    ascii = is_ascii(from, size);
  }
  return ascii || valid_utf8_prefix(text) == size;
}

/// Writes a length-delimited field whose length is known only when `content(out)` has written it.
template <class Content>
inline std::byte* write_nested(growing_bytes& memory, std::byte* out, std::uint8_t tag, Content&& content) {
  out = write_tag(memory.room(out, 2 + max_varint), tag) + 1;
  const auto start = out - memory.begin();
  out = content(out);
  const auto size = static_cast<std::size_t>(out - memory.begin() - start);
  const std::size_t width = varint_size(size);
  if (width > 1) {
    out = memory.room(out, width);
    std::memmove(memory.begin() + start + width - 1, memory.begin() + start, size);
    out += width - 1;
  }
  write_varint(memory.begin() + start - 1, size);
  return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
