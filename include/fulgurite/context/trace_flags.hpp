// The flags of W3C Trace Context, one byte that travels with every span context.
#pragma once

#include <cstdint>

namespace fulgurite {
inline namespace v1 {

/// W3C Trace Context level 2, 3.2.2.5: bits are tested one by one, never compared as a whole.
class trace_flags {
 public:
  static constexpr std::uint8_t sampled_bit = 0x01;
  /// The low 56 bits of the trace id are random (level 2).
  static constexpr std::uint8_t random_bit = 0x02;

  constexpr trace_flags() noexcept = default;
  explicit constexpr trace_flags(std::uint8_t bits) noexcept : bits_(bits) {}

  constexpr bool sampled() const noexcept { return (bits_ & sampled_bit) != 0; }
  constexpr bool random() const noexcept { return (bits_ & random_bit) != 0; }
  constexpr std::uint8_t bits() const noexcept { return bits_; }
  constexpr trace_flags with_sampled(bool sampled) const noexcept {
    return trace_flags(static_cast<std::uint8_t>((bits_ & ~sampled_bit) | (sampled ? sampled_bit : 0)));
  }

  friend constexpr bool operator==(trace_flags, trace_flags) noexcept = default;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace v1
}  // namespace fulgurite
