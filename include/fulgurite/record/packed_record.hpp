// The packed record: how a span lies in a ring, in a queue and in a batch.
//
//   header | slots of the schema | octets of the schema's strings | items
//
// One complete record is written when the span ends. What does not fit the span's own buffer while it is open goes
// ahead as a *piece*: a record with the mark `piece`, the same span id, and items only; the collector puts the pieces
// before the record's own items, in the order of the times in their `end`. `pieces` is a piece's number, counted from
// one, or zero where it was sent without the span object (span/current_span.hpp). Everything is aligned to 8 bytes; a
// record's `size` covers all of it.
//
// An item is a header, a name (the address of a literal, or the octets padded to 8 bytes) and a body by its kind:
//   attribute    a packed value (record/packed_value.hpp)
//   event        time (8 bytes), then attribute items up to the item's end; the name is the event's
//   link         trace id, span id, flags (8 bytes), then attribute items; the name is the trace state
//   description, name, trace_state   no body: the name is the text
//   dropped      three 8-byte counts: attributes, events, links
#pragma once

#include <fulgurite/context/ids.hpp>
#include <fulgurite/record/attribute_schema.hpp>
#include <fulgurite/record/span_kind.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Bits of record_header::marks.
enum record_mark : std::uint8_t {
  mark_local_root = 1,
  mark_remote_parent = 2,
  mark_start_in_nanoseconds = 4,  // else in the clock's ticks
  mark_end_in_nanoseconds = 8,
  mark_unwound = 16,  // the span ended by an exception on its way out
  mark_piece = 32,
  mark_has_events = 64,  // their times, too, are the clock's
  mark_activated = 128,  // it was current elsewhere, where pieces may have been sent that it does not count
};

struct record_header {
  const char* name;  // null: the name is an item
  const attribute_schema* schema;
  std::uint64_t start;
  fulgurite::span_id span_id;
  fulgurite::trace_id trace_id;
  std::uint32_t size;
  std::uint32_t pipeline;
  std::uint16_t name_size;
  /// How many pieces went ahead; of a record that is whole: keys_are_distinct or 0.
  std::uint16_t pieces;
  span_kind kind;  // until it is collected, with the process's generation: see process_generation
  status_code status;
  std::uint8_t flags;
  std::uint8_t marks;
  // What the end of a span has at hand: written one by one, the rest is copied in whole vectors.
  fulgurite::span_id parent_span_id;
  std::uint64_t end;
};
static_assert(sizeof(record_header) == 80 && std::is_trivially_copyable_v<record_header>);
static_assert(offsetof(record_header, parent_span_id) == 64);

/// In a whole record's `pieces`: see record/limited_record.hpp.
inline constexpr std::uint16_t keys_are_distinct = 1;

/// How often the process was forked from another, modulo 16, in the upper half of `kind`: so the child of a fork tells
/// the records of spans that began before it, which are the parent's.
constexpr std::uint8_t process_generation(record_header const& header) noexcept {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(header.kind) >> 4);
}
constexpr span_kind kind_in_generation(span_kind kind, std::uint8_t generation) noexcept {
  return static_cast<span_kind>(static_cast<std::uint8_t>(kind) | generation << 4);
}
constexpr span_kind kind_alone(span_kind kind) noexcept {
  return static_cast<span_kind>(static_cast<std::uint8_t>(kind) & 0x0f);
}

/// A header's word from name_size to pieces, with these flags and marks, a kind of `internal` in this generation,
/// and everything else zero.
[[gnu::always_inline]] inline std::uint64_t header_bits(std::uint8_t flags, std::uint8_t marks,
                                                        std::uint8_t generation = 0) noexcept {
  constexpr std::size_t first = offsetof(record_header, name_size);
  const auto at = [](std::uint8_t value, std::size_t offset) {
    return std::uint64_t{value} << 8 * (std::endian::native == std::endian::little ? offset - first
                                                                                   : 7 - (offset - first));
  };
  return at(static_cast<std::uint8_t>(generation << 4), offsetof(record_header, kind)) |
         at(flags, offsetof(record_header, flags)) | at(marks, offsetof(record_header, marks));
}
/// The generation in such a word.
constexpr std::uint8_t generation_of(std::uint64_t bits) noexcept {
  constexpr std::size_t at = offsetof(record_header, kind) - offsetof(record_header, name_size);
  return static_cast<std::uint8_t>(bits >> (8 * (std::endian::native == std::endian::little ? at : 7 - at) + 4) & 0x0f);
}
/// The same word with a name's size.
[[gnu::always_inline]] inline std::uint64_t with_name_size(std::uint64_t bits, std::uint16_t size) noexcept {
  return bits | std::uint64_t{size} << (std::endian::native == std::endian::little ? 0 : 48);
}

enum class item_kind : std::uint8_t { attribute, event, link, description, name, trace_state, dropped };

struct item_header {
  item_kind kind;
  value_type type : 5;
  bool literal : 1;
  status_code status : 2;  // of a description that sets the status itself
  std::uint16_t name_size;
  std::uint32_t size;  // of the whole item, a multiple of 8
};
static_assert(sizeof(item_header) == 8);

/// What an item's name may hold; longer texts are cut.
inline constexpr std::size_t max_name_size = 0xffff;

constexpr std::size_t padded(std::size_t size) noexcept { return (size + 7) & ~std::size_t{7}; }

/// The octets that an item's name takes.
constexpr std::size_t name_room(bool literal, std::size_t size) noexcept {
  return literal ? sizeof(const char*) : padded(size);
}

/// Writes an item's header and its name; returns where the body begins.
[[gnu::always_inline]] inline std::byte* write_item_head(std::byte* out, item_kind kind, value_type type, bool literal,
                                                         std::string_view name, std::size_t size,
                                                         status_code status = status_code::unset) noexcept {
  const item_header head{
      kind, type, literal, status, static_cast<std::uint16_t>(name.size()), static_cast<std::uint32_t>(size)};
  std::memcpy(out, &head, sizeof head);
  out += sizeof head;
  if (literal) {
    const char* address = name.data();
    std::memcpy(out, &address, sizeof address);
  } else if (!name.empty())
    std::memcpy(out, name.data(), name.size());
  return out + name_room(literal, name.size());
}

/// A trivially copyable value from packed memory.
template <class T>
[[gnu::always_inline]] inline T read_packed(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

/// A trivially copyable value into packed memory; returns where the next one goes.
template <class T>
[[gnu::always_inline]] inline std::byte* write_packed(std::byte* to, T const& value) noexcept {
  static_assert(sizeof(T) % 8 == 0);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

inline constexpr std::size_t dropped_item_size = sizeof(item_header) + 3 * sizeof(std::uint64_t);

/// Writes an item of the kind `dropped`; the counts are of attributes, events and links.
inline void write_dropped_item(std::byte* out, std::uint64_t const (&counts)[3]) noexcept {
  out = write_item_head(out, item_kind::dropped, value_type::null, false, {}, dropped_item_size);
  for (const std::uint64_t count : counts) out = write_packed(out, count);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
