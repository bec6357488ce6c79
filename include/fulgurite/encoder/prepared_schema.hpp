// A schema's keys in protobuf, made once for a batch and copied into every span of its call site.
//
// Two thirds of the work on a span with attributes would else go into keys that are the same each time.
#pragma once

#include <fulgurite/encoder/utf8.hpp>
#include <fulgurite/record/attribute_schema.hpp>

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
  struct field {
    /// KeyValue.key, and the tag of its value.
    std::byte head[48];
    std::uint8_t size;
    value_type type;
  };
  struct schema {
    const attribute_schema* of = nullptr;
    /// False: too long, or no UTF-8; then the keys are written one by one.
    bool usable = false;
    field fields[16];
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
  [[gnu::noinline]] static void prepare(schema& at, attribute_schema const& of) noexcept {
    at.of = &of;
    at.usable = of.count <= std::size(at.fields);
    for (std::uint32_t i = 0; at.usable && i < of.count; ++i) {
      const std::string_view key = of.fields[i].key_view();
      field& made = at.fields[i];
      at.usable = !key.empty() && key.size() + 3 <= sizeof made.head && is_utf8(key);
      if (!at.usable) return;
      made.head[0] = std::byte{0x0a};
      made.head[1] = static_cast<std::byte>(key.size());
      std::memcpy(made.head + 2, key.data(), key.size());
      made.head[2 + key.size()] = std::byte{0x12};
      made.size = static_cast<std::uint8_t>(key.size() + 3);
      made.type = of.fields[i].type;
    }
  }

  schema slots_[8];
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
