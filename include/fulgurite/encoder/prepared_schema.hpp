// A schema's keys as a format writes them, made once for a batch and copied into every span of its call site.
//
// Two thirds of the work on a span with attributes would else go into keys that are the same each time. The cache is
// every format's; what is made of a key here is OTLP's protobuf. Zipkin's is in encoder/zipkin_span_writer.hpp.
#pragma once

#include <fulgurite/record/attribute_schema.hpp>
#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/text/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What a format makes of the schemas of a batch, found by their address. `Field` has a member `type`.
template <class Field>
class schema_cache {
 public:
  using field = Field;
  struct schema {
    const attribute_schema* of = nullptr;
    /// False: there are too many keys, or one cannot be prepared; then they are written one by one.
    bool usable = false;
    std::uint8_t texts = 0;  // how many of the fields are strings, and which
    std::uint8_t text_at[16];
    Field fields[16];

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
  /// `make(Field&, schema_field const&)` prepares a field and says whether it could.
  template <class Make>
  [[gnu::always_inline]] schema const& find(const attribute_schema& of, Make&& make) noexcept {
    schema& at = slots_[reinterpret_cast<std::uintptr_t>(&of) / alignof(attribute_schema) / 2 % std::size(slots_)];
    if (at.of != &of) [[unlikely]]
      prepare(at, of, make);
    return at;
  }

 private:
  template <class Make>
  [[gnu::noinline]] static void prepare(schema& at, attribute_schema const& of, Make& make) noexcept {
    at.of = &of;
    at.texts = 0;
    at.usable = of.count <= std::size(at.fields);
    for (std::uint32_t i = 0; at.usable && i < of.count; ++i) {
      Field& made = at.fields[i];
      made.type = of.fields[i].type;
      if (made.type == value_type::string) at.text_at[at.texts++] = static_cast<std::uint8_t>(i);
      at.usable = make(made, of.fields[i]);
    }
  }

  schema slots_[8];
};

/// A KeyValue under `tag`, up to and with the tag of what its AnyValue holds. Both lengths are of one byte, and are
/// those of a value without content: for a boolean and a real with it.
struct prepared_key_value {
  static constexpr std::size_t capacity = 64;
  static constexpr std::uint8_t tag = 0x4a;  // Span.attributes

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
  /// False: too long, or no UTF-8.
  bool prepare(std::string_view key) noexcept {
    if (key.empty() || key.size() + 7 > capacity || !is_utf8(key)) return false;
    size = static_cast<std::uint8_t>(key.size() + 7);
    const std::size_t content = type == value_type::real ? 8 : type == value_type::boolean ? 1 : 0;
    head[0] = std::byte{tag};
    head[1] = static_cast<std::byte>(size - 2U + content);
    head[2] = std::byte{0x0a};
    head[3] = static_cast<std::byte>(key.size());
    std::memcpy(head + 4, key.data(), key.size());
    head[4 + key.size()] = std::byte{0x12};
    head[5 + key.size()] = static_cast<std::byte>(1 + content);
    head[6 + key.size()] = tag_of(type);
    return true;
  }

  std::byte head[capacity];
  std::uint8_t size;
  value_type type;
};

/// The keys of a schema as they stand in every span of a call site, ready to be copied.
class prepared_schemas : public schema_cache<prepared_key_value> {
 public:
  [[gnu::always_inline]] schema const& find(const attribute_schema& of) noexcept {
    return schema_cache::find(
        of, [](prepared_key_value& made, schema_field const& of_key) { return made.prepare(of_key.key_view()); });
  }
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
