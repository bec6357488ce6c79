// Attributes whose keys are known when the program is compiled: `"order.id"_a = o.id`.
//
// Given together with the name of a span they form a schema: keys and types lie in static data, one for each call site,
// and only the values travel (record/attribute_schema.hpp). The bound value refers to what it was made from, so it is
// of use as an argument only: it cannot be copied, and a named one is not accepted.
#pragma once

#include <fulgurite/record/value_view.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// A literal as a template argument.
template <std::size_t N>
struct fixed_string {
  char text[N]{};

  consteval fixed_string(const char (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const noexcept { return {text, N - 1}; }
};

namespace detail {

/// A callable that makes the value; it is called only when the span records.
template <class F>
concept lazy_value = std::invocable<F&> && attribute_compatible<std::invoke_result_t<F&>>;

}  // namespace detail

/// A value, or a callable that makes one.
template <class V>
concept attribute_source = attribute_compatible<V> || detail::lazy_value<std::remove_reference_t<V>>;

namespace detail {

/// An array of characters up to its first NUL, which is looked for when the text is needed: under noop nobody does, and
/// no trace of it is left.
struct literal_text {
  const char* text;
  constexpr operator std::string_view() const noexcept { return text; }
};

}  // namespace detail

/// A key and a borrowed value, until the end of the full expression: what `"key"_a = value` gives.
template <fixed_string Key, class T>
class [[nodiscard]] bound_attribute {
 public:
  using value_type = std::remove_cvref_t<T>;
  static constexpr std::string_view key() noexcept { return Key.view(); }

  explicit constexpr bound_attribute(T&& value) noexcept : value_(static_cast<T&&>(value)) {}
  bound_attribute(bound_attribute const&) = delete;
  bound_attribute& operator=(bound_attribute const&) = delete;

  constexpr auto& value() const noexcept { return value_; }
  /// The same once more. Given to a function that is not inlined, instead of this one, it spares the others its
  /// address.
  constexpr bound_attribute again() const noexcept {
    return bound_attribute(static_cast<T&&>(const_cast<std::remove_reference_t<T>&>(value_)));
  }

 private:
  // A number or a view is copied: through a reference it would have to be put in memory first. The rest is referred to.
  static constexpr bool copied = std::is_arithmetic_v<value_type> || std::same_as<value_type, std::string_view> ||
                                 std::same_as<value_type, detail::literal_text>;
  std::conditional_t<copied, const value_type, T&&> value_;
};

/// A key known to the compiler, waiting for its value.
template <fixed_string Key>
struct attribute_key {
  template <attribute_source T>
  constexpr bound_attribute<Key, T> operator=(T&& value) const noexcept {
    return bound_attribute<Key, T>(static_cast<T&&>(value));
  }
  /// A literal: one type with literals of other lengths.
  template <std::size_t N>
  [[gnu::always_inline]] constexpr bound_attribute<Key, detail::literal_text> operator=(
      const char (&literal)[N]) const noexcept {
    return bound_attribute<Key, detail::literal_text>(detail::literal_text{literal});
  }
};

namespace detail {

/// Whether no two bound attributes have the same key.
template <class... Bound>
constexpr bool keys_differ() noexcept {
  const std::string_view keys[]{Bound::key()..., {}};
  for (std::size_t i = 0; i < sizeof...(Bound); ++i)
    for (std::size_t j = i + 1; j < sizeof...(Bound); ++j)
      if (keys[i] == keys[j]) return false;
  return true;
}

}  // namespace detail

namespace literals {

/// `"order.id"_a = order.id`: an attribute whose key and type are part of the program, so that only the value is
/// recorded.
template <fixed_string Key>
consteval attribute_key<Key> operator""_a() {
  static_assert(sizeof(Key.text) > 1, "an attribute's key must not be empty");
  return {};
}

}  // namespace literals
}  // namespace v1
}  // namespace fulgurite
