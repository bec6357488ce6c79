// SipHash-2-4 (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012), which stands for a redacted text: the same
// text under the same key is the same hash, and without the key nobody can tell which text it was.
//
// 64 bits under a key of 128. It is here because the core needs the standard library only; who knows the key can try
// out what is likely (all card numbers of a bank), so the key is as much a secret as what it hides.
#pragma once

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

/// The key of hashes in redacted spans.
struct redaction_key {
  std::array<std::uint8_t, 16> octets{};

  /// A key from the kernel, for this process: hashes then can be compared within one run only. Nothing where the kernel
  /// gives none.
  static std::optional<redaction_key> random() noexcept {
    redaction_key key;
    if (getrandom(key.octets.data(), key.octets.size(), GRND_NONBLOCK) != static_cast<ssize_t>(key.octets.size()))
      return std::nullopt;
    return key;
  }
  /// From 32 hexadecimal digits, for hashes that can be compared between processes and runs: `openssl rand -hex 16`.
  static constexpr std::optional<redaction_key> from_hex(std::string_view text) noexcept {
    redaction_key key;
    if (text.size() != 32) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      key.octets[i / 2] = static_cast<std::uint8_t>(key.octets[i / 2] << 4 | digit);
    }
    return key;
  }
  friend constexpr bool operator==(redaction_key const&, redaction_key const&) noexcept = default;
};

namespace detail {

/// SipHash-2-4 with 64 bits of output.
constexpr std::uint64_t sip_hash(redaction_key const& key, std::string_view text) noexcept {
  const auto word = [](auto const& octets, std::size_t at, std::size_t count) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i)
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(octets[at + i])) << (8 * i);
    return value;
  };
  const std::uint64_t k0 = word(key.octets, 0, 8), k1 = word(key.octets, 8, 8);
  std::uint64_t v0 = k0 ^ 0x736f6d6570736575, v1 = k1 ^ 0x646f72616e646f6d, v2 = k0 ^ 0x6c7967656e657261,
                v3 = k1 ^ 0x7465646279746573;
  const auto rounds = [&](int count) {
    for (; count > 0; --count) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  };
  const auto add = [&](std::uint64_t block) {
    v3 ^= block;
    rounds(2);
    v0 ^= block;
  };
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) add(word(text, at, 8));
  add(static_cast<std::uint64_t>(text.size()) << 56 | word(text, at, text.size() - at));
  v2 ^= 0xff;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
