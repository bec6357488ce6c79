// A schema's keys in protobuf, made once for a batch and copied into every span of its call site.
//
// Two thirds of the work on a span with attributes would else go into keys that are the same each time.
#pragma once

#include <fulgurite/encoder/utf8.hpp>
#include <fulgurite/record/attribute_schema.hpp>
#include <fulgurite/record/packed_record.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The keys of a schema as they stand in every span of a call site, ready to be copied.
class prepared_schemas {
 public:
  /// A KeyValue under `tag`, up to and with the tag of what its AnyValue holds. Both lengths are of one byte, and are
  /// those of a value without content: for a boolean and a real with it.
  struct field {
    static constexpr std::size_t capacity = 64;
    static constexpr std::uint8_t tag = 0x4a;  // Span.attributes

    std::byte head[capacity];
    std::uint8_t size;
    value_type type;
  };
  struct schema {
    const attribute_schema* of = nullptr;
    /// False: too long, or no UTF-8; then the keys are written one by one.
    bool usable = false;
    std::uint8_t texts = 0;  // how many of the fields are strings, and which
    std::uint8_t text_at[16];
    field fields[16];

    /// How many octets the strings of a record take, from its slots.
    [[gnu::always_inline]] std::size_t octets(const std::byte* slots) const noexcept {
      std::size_t sum = 0;
      for (std::uint8_t i = 0; i < texts; ++i) {
        const auto size = read_packed<std::uint64_t>(slots + text_at[i] * sizeof(std::uint64_t));
        if (size != absent_slot) sum += static_cast<std::size_t>(size);
      }
      return sum;
    }
  };

  /// What was prepared counts no more: another schema may come to lie at an address when a plugin is unloaded. A
  /// batch's are all there while it is exported.
  void clear() noexcept {
    for (schema& s : slots_) s.of = nullptr;
  }
  [[gnu::always_inline]] schema const& find(const attribute_schema& of) noexcept {
    schema& at = slots_[reinterpret_cast<std::uintptr_t>(&of) / alignof(attribute_schema) / 2 % std::size(slots_)];
    if (at.of != &of) [[unlikely]]
      prepare(at, of);
    return at;
  }

 private:
  /// AnyValue's field for a type that a slot may have.
  static constexpr std::byte tag_of(value_type type) noexcept {
    switch (type) {
      case value_type::string:
        return std::byte{0x0a};
      case value_type::boolean:
        return std::byte{0x10};
      case value_type::real:
        return std::byte{0x21};
      default:
        return std::byte{0x18};
    }
  }
  [[gnu::noinline]] static void prepare(schema& at, attribute_schema const& of) noexcept {
    at.of = &of;
    at.texts = 0;
    at.usable = of.count <= std::size(at.fields);
    for (std::uint32_t i = 0; at.usable && i < of.count; ++i) {
      const std::string_view key = of.fields[i].key_view();
      field& made = at.fields[i];
      at.usable = !key.empty() && key.size() + 7 <= field::capacity && is_utf8(key);
      if (!at.usable) return;
      made.type = of.fields[i].type;
      if (made.type == value_type::string) at.text_at[at.texts++] = static_cast<std::uint8_t>(i);
      made.size = static_cast<std::uint8_t>(key.size() + 7);
      const std::size_t content = made.type == value_type::real ? 8 : made.type == value_type::boolean ? 1 : 0;
      made.head[0] = std::byte{field::tag};
      made.head[1] = static_cast<std::byte>(made.size - 2U + content);
      made.head[2] = std::byte{0x0a};
      made.head[3] = static_cast<std::byte>(key.size());
      std::memcpy(made.head + 4, key.data(), key.size());
      made.head[4 + key.size()] = std::byte{0x12};
      made.head[5 + key.size()] = static_cast<std::byte>(1 + content);
      made.head[6 + key.size()] = tag_of(made.type);
    }
  }

  schema slots_[8];
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
