// SipHash-2-4 against its authors' vectors, as `openssl mac -macopt size:8 SIPHASH` prints them.
#include <fulgurite/processor/redaction/keyed_hash.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace fg = fulgurite;

TEST_CASE("the vectors of the paper and of the reference implementation") {
  const auto key = fg::redaction_key::from_hex("000102030405060708090A0b0c0d0e0f");
  REQUIRE(key);
  struct vector {
    std::size_t size;
    std::uint64_t hash;
  };
  for (const vector one : {vector{0, 0x726fdb47dd0e0e31}, vector{1, 0x74f839c593dc67fd}, vector{7, 0xab0200f58b01d137},
                           vector{8, 0x93f5f5799a932462}, vector{15, 0xa129ca6149be45e5},
                           vector{16, 0x3f2acc7f57c29bdb}, vector{63, 0x958a324ceb064572}}) {
    std::string text;
    for (std::size_t i = 0; i < one.size; ++i) text += static_cast<char>(i);
    CHECK(fg::detail::sip_hash(*key, text) == one.hash);
  }
}

TEST_CASE("keys") {
  CHECK_FALSE(fg::redaction_key::from_hex(""));
  CHECK_FALSE(fg::redaction_key::from_hex("000102030405060708090a0b0c0d0e0"));
  CHECK_FALSE(fg::redaction_key::from_hex("000102030405060708090a0b0c0d0e0g"));
  CHECK_FALSE(fg::redaction_key::from_hex("000102030405060708090a0b0c0d0e0f0"));
  const auto one = fg::redaction_key::random(), other = fg::redaction_key::random();
  REQUIRE(one);
  REQUIRE(other);
  CHECK_FALSE(*one == *other);
  CHECK(fg::detail::sip_hash(*one, "x") != fg::detail::sip_hash(*other, "x"));
}
