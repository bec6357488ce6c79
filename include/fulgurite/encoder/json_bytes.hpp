// JSON as octets: the pieces of encoder/json_writer.hpp for an encoder whose memory holds bytes.
//
// As there the cursor travels by value through every call. Here each leaves more room behind what it wrote, so that the
// punctuation that follows asks for none.
#pragma once

#include <fulgurite/context/ids.hpp>
#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/json_text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Room that a writer below leaves behind what it wrote.
inline constexpr std::size_t json_bytes_slack = 128;

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
/// The shortest text that reads back as the same number; `NaN`, `Infinity` or `-Infinity` in quotes: the JSON mapping
/// of protobuf. There is room for it.
inline std::byte* write_json_real(std::byte* out, double number) noexcept {
  if (number - number == 0) return write_json_number(out, number);
  return number != number ? put(out, "\"NaN\"") : number > 0 ? put(out, "\"Infinity\"") : put(out, "\"-Infinity\"");
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

/// Writes a quoted string. There is room for its first quote.
[[gnu::always_inline]] inline std::byte* write_json_string(growing_bytes& memory, std::byte* out,
                                                           std::string_view text) {
  char* const end = write_json_text<json_place::alone>(memory, reinterpret_cast<char*>(put(out, '"')), text);
  return memory.room(put(reinterpret_cast<std::byte*>(end), '"'), json_bytes_slack);
}

/// Writes octets in base64 and quotes.
inline std::byte* write_json_octets(growing_bytes& memory, std::byte* out, std::string_view octets) {
  char* const end = write_json_base64(memory, reinterpret_cast<char*>(put(out, '"')), octets);
  return memory.room(put(reinterpret_cast<std::byte*>(end), '"'), json_bytes_slack);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
