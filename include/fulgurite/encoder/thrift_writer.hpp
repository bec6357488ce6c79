// Writing Apache Thrift's two wire forms into memory that grows: what Jaeger's own formats are made of.
//
// `thrift_binary` and `thrift_compact` are policies with one interface; each writes the smallest pieces where there is
// room for them and returns where they ended. `thrift_writer` makes room and puts pieces together. A struct is its
// fields and a stop, without a length in front; the compact form names a field by its distance from the one before, so
// whoever writes a struct carries the last field's number along. A list has its count in front, which is known only at
// its end: as in encoder/protobuf_writer.hpp it gets the room of a short one, and is moved when it turns out longer.
//
// Specification: apache/thrift, doc/specs/thrift-binary-protocol.md and thrift-compact-protocol.md.
#pragma once

#include <fulgurite/encoder/protobuf_writer.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/text/utf8.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The types that are written here.
enum class thrift_type : std::uint8_t { boolean, i32, i64, real, text, list, structure };

enum class thrift_message : std::uint8_t { call = 1, oneway = 4 };

/// The binary protocol: everything at full width, big-endian.
struct thrift_binary {
  static constexpr std::size_t list_guess = 5, max_list = 5;

  static constexpr std::uint8_t code(thrift_type type) noexcept {
    constexpr std::uint8_t codes[] = {2, 8, 10, 4, 11, 15, 12};
    return codes[static_cast<std::size_t>(type)];
  }
  static std::byte* field(std::byte* out, thrift_type type, int id, int /*last*/) noexcept {
    return word(write_tag(out, code(type)), static_cast<std::uint16_t>(id));
  }
  static std::byte* i32(std::byte* out, std::int32_t number) noexcept {
    return word(out, static_cast<std::uint32_t>(number));
  }
  static std::byte* i64(std::byte* out, std::int64_t number) noexcept {
    return word(out, static_cast<std::uint64_t>(number));
  }
  static std::byte* real(std::byte* out, double number) noexcept {
    return word(out, std::bit_cast<std::uint64_t>(number));
  }
  /// A field with its value.
  static std::byte* boolean(std::byte* out, bool value, int id, int last) noexcept {
    return write_tag(field(out, thrift_type::boolean, id, last), value ? 1 : 0);
  }
  /// The length of a text.
  static std::byte* length(std::byte* out, std::size_t size) noexcept {
    return word(out, static_cast<std::uint32_t>(size));
  }
  static constexpr std::size_t list_size(std::size_t /*count*/) noexcept { return 5; }
  static std::byte* list(std::byte* out, thrift_type of, std::size_t count) noexcept {
    return word(write_tag(out, code(of)), static_cast<std::uint32_t>(count));
  }
  /// What stands before the struct of a call's arguments: the strict form. Takes 12 bytes and the name.
  static std::byte* message(std::byte* out, thrift_message type, std::string_view name,
                            std::uint32_t sequence) noexcept {
    out = length(word(out, std::uint32_t{0x8001'0000} | static_cast<std::uint32_t>(type)), name.size());
    std::memcpy(out, name.data(), name.size());
    return word(out + name.size(), sequence);
  }

 private:
  template <class Word>
  static std::byte* word(std::byte* out, Word number) noexcept {
    if constexpr (sizeof(Word) == 8)
      number = __builtin_bswap64(number);
    else if constexpr (sizeof(Word) == 4)
      number = __builtin_bswap32(number);
    else
      number = __builtin_bswap16(number);
    return write_fixed(out, number);  // little-endian, so that this is big-endian everywhere
  }
};

/// The compact protocol: varints, numbers in zigzag, the type and the distance to a field's number in one byte.
struct thrift_compact {
  static constexpr std::size_t list_guess = 1, max_list = 6;

  static constexpr std::uint8_t code(thrift_type type) noexcept {
    constexpr std::uint8_t codes[] = {1, 5, 6, 7, 8, 9, 12};
    return codes[static_cast<std::size_t>(type)];
  }
  static std::byte* field(std::byte* out, thrift_type type, int id, int last) noexcept {
    return header(out, code(type), id, last);
  }
  static std::byte* i32(std::byte* out, std::int32_t number) noexcept { return i64(out, number); }
  static std::byte* i64(std::byte* out, std::int64_t number) noexcept { return write_varint(out, zigzag(number)); }
  /// Little-endian, as Apache's and Jaeger's implementations have it; the specification's text once said otherwise.
  static std::byte* real(std::byte* out, double number) noexcept {
    return write_fixed(out, std::bit_cast<std::uint64_t>(number));
  }
  static std::byte* boolean(std::byte* out, bool value, int id, int last) noexcept {
    return header(out, value ? 1 : 2, id, last);
  }
  static std::byte* length(std::byte* out, std::size_t size) noexcept { return write_varint(out, size); }
  static constexpr std::size_t list_size(std::size_t count) noexcept { return count < 15 ? 1 : 1 + varint_size(count); }
  static std::byte* list(std::byte* out, thrift_type of, std::size_t count) noexcept {
    if (count < 15) return write_tag(out, static_cast<std::uint8_t>(count << 4 | code(of)));
    return write_varint(write_tag(out, static_cast<std::uint8_t>(0xf0 | code(of))), count);
  }
  static std::byte* message(std::byte* out, thrift_message type, std::string_view name,
                            std::uint32_t sequence) noexcept {
    out = write_tag(write_tag(out, 0x82), static_cast<std::uint8_t>(static_cast<unsigned>(type) << 5 | 1U));
    out = length(write_varint(out, sequence), name.size());
    std::memcpy(out, name.data(), name.size());
    return out + name.size();
  }

 private:
  static constexpr std::uint64_t zigzag(std::int64_t number) noexcept {
    return static_cast<std::uint64_t>(number) << 1 ^ static_cast<std::uint64_t>(number >> 63);
  }
  static std::byte* header(std::byte* out, unsigned type, int id, int last) noexcept {
    const int distance = id - last;
    if (distance >= 1 && distance <= 15) [[likely]]
      return write_tag(out, static_cast<std::uint8_t>(static_cast<unsigned>(distance) << 4 | type));
    return i64(write_tag(out, static_cast<std::uint8_t>(type)), id);
  }
};

/// Writes fields in whichever form. Every function makes room for what it writes and for a few stops after it, and
/// takes the number of the struct's last field.
template <class Protocol>
class thrift_writer {
 public:
  /// More than any field without a text, and some stops.
  static constexpr std::size_t field_room = 24;

  explicit thrift_writer(growing_bytes& memory) noexcept : memory_(memory) {}

  std::byte* i32(std::byte* out, int id, int last, std::int32_t number) {
    return Protocol::i32(Protocol::field(memory_.room(out, field_room), thrift_type::i32, id, last), number);
  }
  std::byte* i64(std::byte* out, int id, int last, std::int64_t number) {
    return Protocol::i64(Protocol::field(memory_.room(out, field_room), thrift_type::i64, id, last), number);
  }
  std::byte* real(std::byte* out, int id, int last, double number) {
    return Protocol::real(Protocol::field(memory_.room(out, field_room), thrift_type::real, id, last), number);
  }
  std::byte* boolean(std::byte* out, int id, int last, bool value) {
    return Protocol::boolean(memory_.room(out, field_room), value, id, last);
  }
  /// Whatever octets they are.
  std::byte* binary(std::byte* out, int id, int last, std::string_view octets) {
    out = text_head(out, id, last, octets.size());
    if (!octets.empty()) std::memcpy(out, octets.data(), octets.size());
    return out + octets.size();
  }
  /// What is no UTF-8 becomes U+FFFD.
  [[gnu::always_inline]] std::byte* text(std::byte* out, int id, int last, std::string_view value) {
    const std::ptrdiff_t start = out - memory_.begin();
    out = text_head(out, id, last, value.size());
    if (copy_utf8(out, value)) [[likely]]
      return out + value.size();
    return replaced(memory_.begin() + start, id, last, value);
  }
  /// A list of what `fill(out, count)` writes, which counts the elements and returns where they end. An empty one is
  /// left out unless it is required; `last` becomes `id` when it is there.
  template <class Fill>
  std::byte* list(std::byte* out, int id, int& last, thrift_type of, Fill&& fill, bool required = false) {
    const std::ptrdiff_t before = out - memory_.begin();
    out = Protocol::field(memory_.room(out, field_room), thrift_type::list, id, last) + Protocol::list_guess;
    const std::ptrdiff_t start = out - memory_.begin();
    std::size_t count = 0;
    out = fill(out, count);
    if (count == 0 && !required) return memory_.begin() + before;
    last = id;
    out = memory_.room(out, field_room);
    std::byte* const elements = memory_.begin() + start;
    const auto longer = static_cast<std::ptrdiff_t>(Protocol::list_size(count) - Protocol::list_guess);
    if (longer > 0) std::memmove(elements + longer, elements, static_cast<std::size_t>(out - elements));
    Protocol::list(elements - Protocol::list_guess, of, count);
    return out + longer;
  }
  static std::byte* stop(std::byte* out) noexcept { return write_tag(out, 0); }

  growing_bytes& memory() const noexcept { return memory_; }

 private:
  std::byte* text_head(std::byte* out, int id, int last, std::size_t size) {
    out = memory_.room(out, size + field_room);
    return Protocol::length(Protocol::field(out, thrift_type::text, id, last), size);
  }
  [[gnu::noinline]] std::byte* replaced(std::byte* out, int id, int last, std::string_view value) {
    return binary(out, id, last, to_utf8(value));
  }

  growing_bytes& memory_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
