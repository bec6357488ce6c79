// The static side of a record: which attributes a call site gives, in data made by the compiler.
//
// The values stand in the record's payload in the schema's order, one 8-byte slot each: a number in the slot itself, a
// string as its length in the slot and its octets after all slots. A reader walks schema and payload side by side.
#pragma once

#include <fulgurite/record/attribute_key.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct schema_field {
  const char* key;
  std::uint32_t key_size;
  value_type type;

  constexpr std::string_view key_view() const noexcept { return {key, key_size}; }
};

struct attribute_schema {
  const schema_field* fields;
  std::uint32_t count;
};

/// In a string's slot: the value is not in the payload; it follows as an item, or was dropped.
inline constexpr std::uint64_t absent_slot = ~std::uint64_t{0};

/// The type of the value that a source yields: that of a callable is its result's.
template <class V>
struct source_value {
  using type = V;
};
template <class V>
  requires(!attribute_compatible<V> && lazy_value<V>)
struct source_value<V> {
  using type = std::remove_cvref_t<std::invoke_result_t<V&>>;
};

/// How a value of this type stands in a schema's payload; null when it is too varied for a slot and becomes an item.
template <class V>
constexpr value_type slot_type() noexcept {
  using T = std::remove_cv_t<typename source_value<V>::type>;
  if constexpr (!std::is_same_v<T, V> && !std::is_same_v<std::remove_cv_t<V>, T>)
    return value_type::null;  // made by a callable, which may throw: an item can still be left out
  else if constexpr (std::same_as<T, bool>)
    return value_type::boolean;
  else if constexpr (attribute_integer<T>)
    return std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t) ? value_type::unsigned_integer
                                                                      : value_type::integer;
  else if constexpr (std::floating_point<T>)
    return value_type::real;
  else if constexpr (attribute_string<T>)
    return value_type::string;
  else
    return value_type::null;
}

template <class Bound>
inline constexpr value_type slot_of = slot_type<typename Bound::value_type>();

template <class... Bound>
struct schema_data {
  static constexpr std::size_t count = (std::size_t{0} + ... + std::size_t{slot_of<Bound> != value_type::null});

  static constexpr auto make_fields() noexcept {
    std::array<schema_field, count == 0 ? 1 : count> made{};
    std::size_t i = 0;
    [[maybe_unused]] const auto add = [&]<class B>(std::type_identity<B>) {
      if constexpr (slot_of<B> != value_type::null)
        made[i++] = {B::key().data(), static_cast<std::uint32_t>(B::key().size()), slot_of<B>};
    };
    (add(std::type_identity<Bound>{}), ...);
    return made;
  }

  static constexpr auto fields = make_fields();
  static constexpr attribute_schema schema{fields.data(), static_cast<std::uint32_t>(count)};
};

/// The schema of a list of bound attributes; null when none of them has a slot.
template <class... Bound>
constexpr const attribute_schema* schema_of() noexcept {
  if constexpr (schema_data<Bound...>::count == 0)
    return nullptr;
  else
    return &schema_data<Bound...>::schema;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
