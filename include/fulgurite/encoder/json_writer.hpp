// Writing JSON into memory that grows, for what is written in bulk; encoder/json_text.hpp has the pieces.
//
// As in encoder/protobuf_writer.hpp the cursor travels by value through every call. Strings that need no escaping,
// which almost all are, are copied eight bytes at a time, and looked at on the way.
#pragma once

#include <fulgurite/context/ids.hpp>
#include <fulgurite/encoder/json_text.hpp>
#include <fulgurite/record/growing_bytes.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Copies a literal; there is room for it.
template <std::size_t Size>
[[gnu::always_inline]] inline std::byte* put(std::byte* out, const char (&literal)[Size]) noexcept {
  std::memcpy(out, literal, Size - 1);
  return out + Size - 1;
}
[[gnu::always_inline]] inline std::byte* put(std::byte* out, char one) noexcept {
  *out = static_cast<std::byte>(one);
  return out + 1;
}

inline std::byte* write_json_number(std::byte* out, auto number) noexcept {
  return reinterpret_cast<std::byte*>(write_number(reinterpret_cast<char*>(out), number));
}
inline std::byte* write_json_real(std::byte* out, double number) noexcept {
  return reinterpret_cast<std::byte*>(write_json_real(reinterpret_cast<char*>(out), number));
}

/// Ids in hexadecimal, without quotes; there is room for them.
inline std::byte* write_json_id(std::byte* out, span_id one) noexcept {
  write_hex(one.number(), reinterpret_cast<char*>(out));
  return out + 16;
}
inline std::byte* write_json_id(std::byte* out, trace_id const& one) noexcept {
  write_hex(one.high(), reinterpret_cast<char*>(out));
  write_hex(one.low(), reinterpret_cast<char*>(out) + 16);
  return out + 32;
}

/// The high bit of a byte is set where one of the eight is not plain in a JSON string, or is above ASCII; what stands
/// above the first of them in the word says nothing.
[[gnu::always_inline]] constexpr std::uint64_t special_in_json(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101U;
  const std::uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
  const std::uint64_t below = (word - ones * 0x20) & ~word;
  return ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | below | (word + ones) | word;
}

/// Copies a text, and says whether all of it is plain in a JSON string; otherwise the copy is of no use.
[[gnu::always_inline]] inline bool copy_plain_json(std::byte* out, std::string_view text) noexcept {
  constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080U;
  const char* const from = text.data();
  const std::size_t size = text.size();
  std::uint64_t seen = 0;
  if (size < 8) {
    bool plain = true;
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = static_cast<std::byte>(from[i]);
      plain = plain && is_plain_json(static_cast<unsigned char>(from[i]));
    }
    return plain;
  }
  const auto word = [&](std::size_t at) {
    std::uint64_t read;
    std::memcpy(&read, from + at, sizeof read);
    std::memcpy(out + at, &read, sizeof read);
    seen |= special_in_json(read);
  };
  for (std::size_t at = 0; at + 8 < size; at += 8) word(at);
  word(size - 8);  // overlaps what was copied before
  return (seen & high_bits) == 0;
}

/// Room that a writer below leaves behind what it wrote.
inline constexpr std::size_t json_slack = 128;

[[gnu::noinline]] inline std::byte* write_escaped_json(growing_bytes& memory, std::byte* out, std::string_view text) {
  escape_json(text, [&](std::string_view piece) {
    out = memory.room(out, piece.size());
    if (!piece.empty()) std::memcpy(out, piece.data(), piece.size());
    out += piece.size();
  });
  return put(memory.room(out, 1 + json_slack), '"');
}

/// Writes a quoted string, and leaves `json_slack` bytes of room behind it.
[[gnu::always_inline]] inline std::byte* write_json_string(growing_bytes& memory, std::byte* out,
                                                           std::string_view text) {
  out = put(memory.room(out, text.size() + 2 + json_slack), '"');
  if (!copy_plain_json(out, text)) [[unlikely]]
    return write_escaped_json(memory, out, text);
  return put(out + text.size(), '"');
}

/// Writes octets in base64 and quotes, and leaves `json_slack` bytes of room behind them.
inline std::byte* write_json_octets(growing_bytes& memory, std::byte* out, std::string_view octets) {
  out = put(memory.room(out, base64_size(octets.size()) + 2 + json_slack), '"');
  return put(reinterpret_cast<std::byte*>(write_base64(reinterpret_cast<char*>(out), octets)), '"');
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
