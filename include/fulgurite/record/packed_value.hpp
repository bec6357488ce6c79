// Attribute values in packed form: written from a borrowed view, read in place.
//
// A number takes 8 bytes, a string or bytes its length and its octets padded to 8; an array its count and then type and
// value of each element; a map its count and then key length, key, type and value of each entry.
#pragma once

#include <fulgurite/record/attribute_value.hpp>
#include <fulgurite/record/packed_record.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Values nested deeper become empty (OpenTelemetry, common/README.md, attribute limits).
inline constexpr int max_value_depth = 64;
/// A single value's packed form; what is larger is cut.
inline constexpr std::size_t max_value_size = 64 * 1024;

// What nests is in functions that are not inlined: the compiler would copy them into each other time and again.
std::size_t packed_size_of_nested(value_view const& value, int depth) noexcept;
std::byte* write_nested_value(std::byte* out, value_view const& value, int depth) noexcept;

/// The packed size of a value.
inline std::size_t packed_size(value_view const& value, int depth = 0) noexcept {
  switch (value.type()) {
    case value_type::null:
      return 0;
    case value_type::boolean:
    case value_type::integer:
    case value_type::unsigned_integer:
    case value_type::real:
      return 8;
    case value_type::string:
    case value_type::bytes:
      return 8 + padded(value.text().size());
    case value_type::array:
    case value_type::map:
      return packed_size_of_nested(value, depth);
  }
  return 0;
}
/// Of an array or a map.
[[gnu::noinline]] inline std::size_t packed_size_of_nested(value_view const& value, int depth) noexcept {
  std::size_t size = 8;
  if (depth >= max_value_depth) return 0;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value.type() == value_type::array) {
      size += 8 + packed_size(value.element(i), depth + 1);
    } else {
      const attribute_view entry = value.entry(i);
      size += 16 + padded(entry.key.size()) + packed_size(entry.value, depth + 1);
    }
  }
  return size;
}

/// The type that is written for a value: one nested too deep is written as the empty value.
inline value_type packed_type(value_view const& value, int depth = 0) noexcept {
  const bool nests = value.type() == value_type::array || value.type() == value_type::map;
  return nests && depth >= max_value_depth ? value_type::null : value.type();
}

/// Writes a value without its type; returns where the next thing goes.
inline std::byte* write_text(std::byte* out, std::string_view text) noexcept {
  out = write_packed(out, std::uint64_t{text.size()});
  if (!text.empty()) std::memcpy(out, text.data(), text.size());
  return out + padded(text.size());
}
inline std::byte* write_value(std::byte* out, value_view const& value, int depth = 0) noexcept {
  switch (packed_type(value, depth)) {
    case value_type::null:
      break;
    case value_type::boolean:
    case value_type::integer:
    case value_type::unsigned_integer:
      out = write_packed(out, value.integer());
      break;
    case value_type::real:
      out = write_packed(out, value.real());
      break;
    case value_type::string:
    case value_type::bytes:
      out = write_text(out, value.text());
      break;
    case value_type::array:
    case value_type::map:
      return write_nested_value(out, value, depth);
  }
  return out;
}
/// An array or a map.
[[gnu::noinline]] inline std::byte* write_nested_value(std::byte* out, value_view const& value, int depth) noexcept {
  out = write_packed(out, std::uint64_t{value.size()});
  for (std::size_t i = 0; i < value.size(); ++i) {
    value_view each;
    if (value.type() == value_type::array) {
      each = value.element(i);
    } else {
      const attribute_view entry = value.entry(i);
      out = write_text(out, entry.key);
      each = entry.value;
    }
    out = write_packed(out, static_cast<std::uint64_t>(packed_type(each, depth + 1)));
    out = write_value(out, each, depth + 1);
  }
  return out;
}

/// The start of the UTF-8 sequence that a cut at `size` would divide, so that no character is halved.
inline std::size_t utf8_boundary(std::string_view text, std::size_t size) noexcept {
  if (size >= text.size()) return text.size();
  std::size_t cut = size;
  for (int back = 0; back < 4 && cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80; ++back) --cut;
  return (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80 ? size : cut;
}

}  // namespace detail

/// A value in a packed record, read in place. Strings and elements point into the record.
class packed_value {
 public:
  packed_value(value_type type, const std::byte* data) noexcept : type_(type), data_(data) {}
  /// A string or bytes that lie elsewhere.
  packed_value(value_type type, std::string_view text) noexcept
      : type_(type), data_(reinterpret_cast<const std::byte*>(text.data())), size_(text.size()), separate_(true) {}

  value_type type() const noexcept { return type_; }
  bool boolean() const noexcept { return integer() != 0; }
  /// Of a boolean, an integer, or an unsigned integer, whose bits these are.
  std::int64_t integer() const noexcept { return detail::read_packed<std::int64_t>(data_); }
  double real() const noexcept { return detail::read_packed<double>(data_); }
  /// The text of a string, the octets of bytes.
  std::string_view text() const noexcept {
    if (separate_) return {reinterpret_cast<const char*>(data_), size_};
    return {reinterpret_cast<const char*>(data_ + 8), static_cast<std::size_t>(count())};
  }
  /// The number of elements of an array, of entries of a map, of octets of a string.
  std::uint64_t count() const noexcept { return detail::read_packed<std::uint64_t>(data_); }

  /// Calls `visit(packed_value)` for each element of an array.
  template <class F>
  void for_each_element(F&& visit) const {
    const std::byte* at = data_ + 8;
    for (std::uint64_t i = 0, n = count(); i < n; ++i) {
      const packed_value element(static_cast<value_type>(detail::read_packed<std::uint64_t>(at)), at + 8);
      visit(element);
      at = element.end();
    }
  }
  /// Calls `visit(std::string_view key, packed_value)` for each entry of a map.
  template <class F>
  void for_each_entry(F&& visit) const {
    const std::byte* at = data_ + 8;
    for (std::uint64_t i = 0, n = count(); i < n; ++i) {
      const auto key_size = static_cast<std::size_t>(detail::read_packed<std::uint64_t>(at));
      const std::string_view key(reinterpret_cast<const char*>(at + 8), key_size);
      at += 8 + detail::padded(key_size);
      const packed_value value(static_cast<value_type>(detail::read_packed<std::uint64_t>(at)), at + 8);
      visit(key, value);
      at = value.end();
    }
  }

  /// An owned copy. An unsigned integer above 2^63-1 becomes decimal text.
  attribute_value to_owned() const {
    switch (type_) {
      case value_type::null:
        return {};
      case value_type::boolean:
        return boolean();
      case value_type::integer:
        return integer();
      case value_type::unsigned_integer:
        return static_cast<std::uint64_t>(integer());
      case value_type::real:
        return real();
      case value_type::string:
        return std::string(text());
      case value_type::bytes: {
        const auto* first = reinterpret_cast<const std::byte*>(text().data());
        return bytes(first, first + text().size());
      }
      case value_type::array: {
        std::vector<attribute_value> values;
        for_each_element([&](packed_value element) { values.push_back(element.to_owned()); });
        return values;
      }
      case value_type::map: {
        std::vector<attribute> entries;
        for_each_entry(
            [&](std::string_view key, packed_value value) { entries.push_back({std::string(key), value.to_owned()}); });
        return entries;
      }
    }
    return {};
  }

 private:
  /// Where the value ends.
  const std::byte* end() const {
    switch (type_) {
      case value_type::null:
        return data_;
      case value_type::boolean:
      case value_type::integer:
      case value_type::unsigned_integer:
      case value_type::real:
        return data_ + 8;
      case value_type::string:
      case value_type::bytes:
        return data_ + 8 + detail::padded(static_cast<std::size_t>(count()));
      case value_type::array:
      case value_type::map:
        return end_of_nested();
    }
    return data_;
  }
  /// Each element is passed over once: by for_each_element it would be twice at every level of nesting.
  [[gnu::noinline]] const std::byte* end_of_nested() const {
    const std::byte* at = data_ + 8;
    for (std::uint64_t i = 0, n = count(); i < n; ++i) {
      if (type_ == value_type::map)
        at += 8 + detail::padded(static_cast<std::size_t>(detail::read_packed<std::uint64_t>(at)));
      at = passed(at);
    }
    return at;
  }

  /// Where the value ends whose type stands here.
  static const std::byte* passed(const std::byte* at) {
    return packed_value(static_cast<value_type>(detail::read_packed<std::uint64_t>(at)), at + 8).end();
  }

  value_type type_;
  const std::byte* data_;
  std::size_t size_ = 0;
  bool separate_ = false;
};

}  // namespace v1
}  // namespace fulgurite
