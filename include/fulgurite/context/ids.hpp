// Trace and span identifiers.
//
// Both hold their bytes in wire order, so an encoder copies them and nothing is swapped on the hot path; the host-order
// words that samplers compute with are made on demand. An identifier of all zeros is invalid (W3C Trace
// Context, 3.2.2).
#pragma once

#include <fulgurite/text/hex.hpp>

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

constexpr std::uint64_t big_endian(std::uint64_t word) noexcept {
  if constexpr (std::endian::native == std::endian::little)
    return __builtin_bswap64(word);
  else
    return word;
}

}  // namespace detail

/// The 8-byte identifier of a span.
class span_id {
 public:
  constexpr span_id() noexcept = default;

  /// From a host-order number: the most significant byte comes first on the wire.
  static constexpr span_id from_number(std::uint64_t number) noexcept { return span_id(detail::big_endian(number)); }
  /// From the 8 bytes as they stand on the wire, in a word as it lies in memory.
  static constexpr span_id from_wire(std::uint64_t word) noexcept { return span_id(word); }
  /// From exactly 16 hexadecimal digits of either case; zero (invalid) for anything else.
  static constexpr span_id from_hex(std::string_view text) noexcept {
    std::uint64_t number = 0;
    if (text.size() != 16 || !detail::parse_hex(text, number)) return {};
    return from_number(number);
  }

  constexpr bool is_valid() const noexcept { return word_ != 0; }
  constexpr std::uint64_t number() const noexcept { return detail::big_endian(word_); }
  constexpr std::uint64_t wire() const noexcept { return word_; }
  /// 16 lower-case hexadecimal digits.
  std::string to_hex() const {
    std::string text(16, '0');
    detail::write_hex(number(), text.data());
    return text;
  }

  friend constexpr bool operator==(span_id, span_id) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(span_id a, span_id b) noexcept { return a.number() <=> b.number(); }

 private:
  explicit constexpr span_id(std::uint64_t word) noexcept : word_(word) {}

  std::uint64_t word_ = 0;
};

/// The 16-byte identifier of a trace.
class trace_id {
 public:
  constexpr trace_id() noexcept = default;

  /// From two host-order numbers, the more significant first.
  static constexpr trace_id from_numbers(std::uint64_t high, std::uint64_t low) noexcept {
    return trace_id(detail::big_endian(high), detail::big_endian(low));
  }
  /// From the 16 bytes as they stand on the wire, in two words as they lie in memory.
  static constexpr trace_id from_wire(std::uint64_t first, std::uint64_t second) noexcept {
    return trace_id(first, second);
  }
  /// From exactly 32 hexadecimal digits of either case; zero (invalid) for anything else.
  static constexpr trace_id from_hex(std::string_view text) noexcept {
    std::uint64_t high = 0, low = 0;
    if (text.size() != 32 || !detail::parse_hex(text.substr(0, 16), high) || !detail::parse_hex(text.substr(16), low))
      return {};
    return from_numbers(high, low);
  }

  constexpr bool is_valid() const noexcept { return (first_ | second_) != 0; }
  constexpr std::uint64_t high() const noexcept { return detail::big_endian(first_); }
  constexpr std::uint64_t low() const noexcept { return detail::big_endian(second_); }
  /// The low 56 bits, which W3C Trace Context level 2 calls random and consistent samplers decide by.
  constexpr std::uint64_t randomness() const noexcept { return low() & 0x00ff'ffff'ffff'ffffU; }
  constexpr std::uint64_t wire_first() const noexcept { return first_; }
  constexpr std::uint64_t wire_second() const noexcept { return second_; }
  /// 32 lower-case hexadecimal digits.
  std::string to_hex() const {
    std::string text(32, '0');
    detail::write_hex(high(), text.data());
    detail::write_hex(low(), text.data() + 16);
    return text;
  }

  friend constexpr bool operator==(trace_id const&, trace_id const&) noexcept = default;
  friend constexpr std::strong_ordering operator<=>(trace_id const& a, trace_id const& b) noexcept {
    if (a.first_ != b.first_) return a.high() <=> b.high();
    return a.low() <=> b.low();
  }

 private:
  constexpr trace_id(std::uint64_t first, std::uint64_t second) noexcept : first_(first), second_(second) {}

  std::uint64_t first_ = 0, second_ = 0;
};

}  // namespace v1
}  // namespace fulgurite
