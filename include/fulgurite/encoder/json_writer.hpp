// JSON into memory that grows, for encoders that count nanoseconds: texts that need no escape are copied and looked at
// in words, and values are written as JSON by themselves or into a JSON string.
//
// The cursor travels by value, as in encoder/protobuf_writer.hpp. What the values look like is OpenTelemetry's
// "AnyValue representation for non-OTLP protocols" (common/README.md): `write_value_text` is that of a value, and
// `write_json_value` that of an element of an array or a map.
#pragma once

#include <fulgurite/encoder/distinct_keys.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/text/json_text.hpp>
#include <fulgurite/text/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `growing_bytes::room` for characters.
[[gnu::always_inline]] inline char* text_room(growing_bytes& memory, char* at, std::size_t size) {
  return reinterpret_cast<char*>(memory.room(reinterpret_cast<std::byte*>(at), size));
}
[[gnu::always_inline]] inline char* text_begin(growing_bytes const& memory) noexcept {
  return reinterpret_cast<char*>(memory.begin());
}

/// Writes a literal. There is room for it.
template <std::size_t Size>
[[gnu::always_inline]] inline char* write_literal(char* out, const char (&text)[Size]) noexcept {
  std::memcpy(out, text, Size - 1);
  return out + Size - 1;
}
/// Writes a text as it is. There is room for it.
[[gnu::always_inline]] inline char* write_raw(char* out, std::string_view text) noexcept {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

/// Not zero if one of eight characters does not stand in a JSON string as it is: `is_plain_json` in a word.
constexpr std::uint64_t not_plain_json(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101U, high = 0x8080'8080'8080'8080U;
  const std::uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
  // Borrows and carries leave only bytes whose own high bit is set anyway.
  return (word | (word - ones * 0x20) | (quote - ones) | (backslash - ones) | (word + ones)) & high;
}

/// Copies a text and says whether it stands in a JSON string as it is; where it does not, what was written counts
/// nothing. There is room for it.
[[gnu::always_inline]] inline bool copy_plain_json(char* out, std::string_view text) noexcept {
  const char* const from = text.data();
  const std::size_t size = text.size();
  const auto copied = [=](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, from + at, sizeof word);
    std::memcpy(out + at, &word, sizeof word);
    return not_plain_json(word);
  };
  if (size >= 8) {
    std::uint64_t bad = copied(size - 8);  // overlaps what follows
    for (std::size_t at = 0; at + 8 < size; at += 8) bad |= copied(at);
    return bad == 0;
  }
  if (size >= 4) {  // two halves, which may overlap
    std::uint32_t first, last;
    std::memcpy(&first, from, sizeof first);
    std::memcpy(&last, from + size - sizeof last, sizeof last);
    std::memcpy(out, &first, sizeof first);
    std::memcpy(out + size - sizeof last, &last, sizeof last);
    return not_plain_json(std::uint64_t{first} << 32 | last) == 0;
  }
  bool plain = true;
  for (std::size_t at = 0; at < size; ++at) {
    out[at] = from[at];
    plain = plain && is_plain_json(static_cast<unsigned char>(from[at]));
  }
  return plain;
}

/// What every function below leaves room for behind what it wrote.
inline constexpr std::size_t json_slack = 32;

template <json_place Place>
[[gnu::noinline]] inline char* write_escaped(growing_bytes& memory, char* out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    out = text_room(memory, out, text.size() - at + json_slack);
    const auto c = static_cast<unsigned char>(text[at]);
    if (is_plain_json(c)) {
      *out++ = static_cast<char>(c);
      ++at;
    } else if (c < 0x80) {
      out = write_json_escape<Place>(out, c);
      ++at;
    } else {
      const utf8_step step = next_character(text, at);
      out = write_raw(out, step.valid ? text.substr(at, step.size) : replacement_character);
      at += step.size;
    }
  }
  return text_room(memory, out, json_slack);
}

/// Writes what stands between the quotes of a string. Control characters are escaped; what is no UTF-8 becomes U+FFFD.
template <json_place Place>
[[gnu::always_inline]] inline char* write_json_text(growing_bytes& memory, char* out, std::string_view text) {
  out = text_room(memory, out, text.size() + json_slack);
  if (copy_plain_json(out, text)) [[likely]]
    return out + text.size();
  return write_escaped<Place>(memory, out, text);
}

/// A quote. There is room for it.
template <json_place Place>
inline char* write_json_quote(char* out) noexcept {
  if constexpr (Place == json_place::in_string) *out++ = '\\';
  *out++ = '"';
  return out;
}

template <json_place Place>
inline char* write_json_string(growing_bytes& memory, char* out, std::string_view text) {
  out = write_json_text<Place>(memory, write_json_quote<Place>(out), text);
  return text_room(memory, write_json_quote<Place>(out), json_slack);
}

/// Whether an unsigned integer is one that a signed one cannot hold: elsewhere it is decimal text.
template <class Value>
inline bool is_large(Value const& value) noexcept {
  return value.type() == value_type::unsigned_integer && value.integer() < 0;
}
/// An integer's text. There is room for it.
template <class Value>
inline char* write_integer(char* out, Value const& value) noexcept {
  return is_large(value) ? write_number(out, static_cast<std::uint64_t>(value.integer()))
                         : write_number(out, value.integer());
}
/// A floating-point number's text. There is room for it.
inline char* write_real(char* out, double number) noexcept {
  if (number - number == 0) return write_number(out, number);
  return write_raw(out, number != number ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
}
/// Octets in base64, without quotes.
inline char* write_json_base64(growing_bytes& memory, char* out, std::string_view octets) {
  return write_base64(text_room(memory, out, base64_size(octets.size()) + json_slack), octets);
}

template <json_place Place, class Value>
inline char* write_json_value(growing_bytes& memory, char* out, Value const& value, int depth);

/// Writes an object; a key that is given again stands once, with its last value. `for_each(visit)` calls
/// `visit(key, value)`.
template <json_place Place, class ForEach>
inline char* write_json_object(growing_bytes& memory, char* out, ForEach&& for_each, int depth) {
  const auto write = [&](auto&& wins) {
    *out++ = '{';
    bool first = true;
    std::size_t number = 0;
    for_each([&](std::string_view key, auto const& value) {
      if (!wins(number++)) return;
      if (!first) *out++ = ',';
      first = false;
      out = write_json_string<Place>(memory, out, key);
      *out++ = ':';
      out = write_json_value<Place>(memory, out, value, depth);
    });
    *out++ = '}';
  };
  if (plainly_distinct(for_each))
    write([](std::size_t) { return true; });
  else {
    distinct_keys keys;
    for_each([&](std::string_view key, auto const&) { keys.add(key); });
    keys.decide();
    write([&](std::size_t number) { return keys.wins(number); });
  }
  return text_room(memory, out, json_slack);
}

/// Writes a value as an element of an array or a map has it. There is slack before, and after.
template <json_place Place, class Value>
inline char* write_json_value(growing_bytes& memory, char* out, Value const& value, int depth) {
  const auto quoted = [&](auto&& content) {
    out = write_json_quote<Place>(out);
    content();
    return text_room(memory, write_json_quote<Place>(out), json_slack);
  };
  out = text_room(memory, out, max_number_text + json_slack);
  switch (value.type()) {
    case value_type::null:
      break;
    case value_type::boolean:
      return write_raw(out, value.boolean() ? "true" : "false");
    case value_type::integer:
    case value_type::unsigned_integer:
      if (is_large(value)) return quoted([&] { out = write_integer(out, value); });
      return write_integer(out, value);
    case value_type::real:
      if (value.real() - value.real() == 0) return write_real(out, value.real());
      return quoted([&] { out = write_real(out, value.real()); });
    case value_type::string:
      return write_json_string<Place>(memory, out, value.text());
    case value_type::bytes:
      return quoted([&] { out = write_json_base64(memory, out, value.text()); });
    case value_type::array: {
      if (depth >= max_value_depth) break;
      *out++ = '[';
      bool first = true;
      value.for_each_element([&](auto const& element) {
        if (!first) *out++ = ',';
        first = false;
        out = write_json_value<Place>(memory, out, element, depth + 1);
      });
      *out++ = ']';
      return text_room(memory, out, json_slack);
    }
    case value_type::map:
      if (depth >= max_value_depth) break;
      return write_json_object<Place>(memory, out, [&](auto&& visit) { value.for_each_entry(visit); }, depth + 1);
  }
  return write_literal(out, "null");
}

/// Writes the text of a value into a JSON string, without its quotes: text as it is, arrays and maps as JSON, bytes in
/// base64, the empty value as nothing. There is slack before, and after.
template <class Value>
inline char* write_value_text(growing_bytes& memory, char* out, Value const& value) {
  switch (value.type()) {
    case value_type::null:
      return out;
    case value_type::boolean:
      out = write_raw(out, value.boolean() ? "true" : "false");
      break;
    case value_type::integer:
    case value_type::unsigned_integer:
      out = write_integer(out, value);
      break;
    case value_type::real:
      out = write_real(out, value.real());
      break;
    case value_type::string:
      return write_json_text<json_place::alone>(memory, out, value.text());
    case value_type::bytes:
      return write_json_base64(memory, out, value.text());
    case value_type::array:
    case value_type::map:
      return write_json_value<json_place::in_string>(memory, out, value, 0);
  }
  return text_room(memory, out, json_slack);
}

/// Appends a value as JSON to a text.
template <class Value>
inline void append_json_value(std::string& out, Value const& value) {
  growing_bytes memory;
  char* const begin = text_room(memory, text_begin(memory), json_slack);
  const char* const end = write_json_value<json_place::alone>(memory, begin, value, 0);
  const char* const first = text_begin(memory);
  out.append(first, end);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
