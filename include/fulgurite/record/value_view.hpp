// An attribute's value as it goes in: borrowed, and copied before the call that takes it returns.
//
// What converts: bool, integers, floating point, string-likes, contiguous ranges of these, ranges of `std::byte`
// (bytes), and the owned `attribute_value`. `char` and pointers other than to characters do not: they would become
// numbers.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {

/// The alternatives of OpenTelemetry's AnyValue (common/README.md), and how they stand in a packed record.
enum class value_type : std::uint8_t { null, boolean, integer, real, string, bytes, array, map, unsigned_integer };

class value_view;
struct attribute_view;

namespace detail {

template <class T>
concept character = std::same_as<T, char> || std::same_as<T, signed char> || std::same_as<T, wchar_t> ||
                    std::same_as<T, char8_t> || std::same_as<T, char16_t> || std::same_as<T, char32_t>;

template <class T>
concept attribute_integer =
    std::integral<T> && !std::same_as<T, bool> && (!character<T> || std::same_as<T, signed char>);

template <class T>
concept attribute_string = !std::same_as<T, std::nullptr_t> && std::convertible_to<T const&, std::string_view>;

template <class T>
concept attribute_range = !attribute_string<T> && requires(T const& range) {
  { range.data() } -> std::convertible_to<const void*>;
  { range.size() } -> std::convertible_to<std::size_t>;
  { *range.data() };
};

/// Opened by record/attribute_value.hpp for the owned value.
template <class T>
inline constexpr bool is_owned_value = false;

template <class T>
struct range_element {};
template <attribute_range T>
struct range_element<T> {
  using type = std::remove_cvref_t<decltype(*std::declval<T const&>().data())>;
};

template <class T>
concept attribute_scalar =
    std::same_as<T, bool> || attribute_integer<T> || std::floating_point<T> || attribute_string<T>;

template <class T>
constexpr bool is_attribute_value() noexcept {
  if constexpr (attribute_scalar<T> || is_owned_value<T> || std::same_as<T, value_view>)
    return true;
  else if constexpr (attribute_range<T>) {
    using element = typename range_element<T>::type;
    if constexpr (std::same_as<element, std::byte>)
      return true;
    else
      return is_attribute_value<element>();
  } else
    return false;
}

}  // namespace detail

/// What may be the value of an attribute.
template <class T>
concept attribute_compatible = detail::is_attribute_value<std::remove_cvref_t<T>>();

/// A borrowed value of an attribute, made from whatever C++ value stands for one.
class value_view {
 public:
  /// The empty value.
  constexpr value_view() noexcept : integer_(0) {}

  template <class T>
    requires(attribute_compatible<T> && !std::same_as<std::remove_cvref_t<T>, value_view>)
  constexpr value_view(T const& value) noexcept : integer_(0) {
    if constexpr (std::same_as<T, bool>)
      set(value_type::boolean, value);
    else if constexpr (detail::attribute_integer<T>) {
      constexpr bool may_be_large = std::is_unsigned_v<T> && sizeof(T) >= sizeof(std::int64_t);
      set(may_be_large ? value_type::unsigned_integer : value_type::integer, static_cast<std::int64_t>(value));
    } else if constexpr (std::floating_point<T>) {
      type_ = value_type::real;
      real_ = static_cast<double>(value);
    } else if constexpr (detail::attribute_string<T>) {
      if constexpr (std::is_pointer_v<T>) {
        if (!value) return;
      }
      const std::string_view text = value;
      type_ = value_type::string;
      data_ = text.data();
      size_ = text.size();
    } else if constexpr (detail::is_owned_value<T>) {
      view_owned(value);
    } else {
      using element = typename detail::range_element<T>::type;
      data_ = value.data();
      size_ = static_cast<std::size_t>(value.size());
      if constexpr (std::same_as<element, std::byte>)
        type_ = value_type::bytes;
      else {
        type_ = value_type::array;
        element_ = [](const void* data, std::size_t i) noexcept {
          return value_view(static_cast<const element*>(data)[i]);
        };
      }
    }
  }

  constexpr value_type type() const noexcept { return type_; }
  constexpr bool boolean() const noexcept { return integer_ != 0; }
  /// An unsigned value keeps its bits: `type()` tells.
  constexpr std::int64_t integer() const noexcept { return integer_; }
  constexpr double real() const noexcept { return real_; }
  /// The text of a string; the octets of bytes.
  std::string_view text() const noexcept { return {static_cast<const char*>(data_), size_}; }
  /// The number of elements of an array or a map.
  constexpr std::size_t size() const noexcept { return size_; }
  /// The value with the first `n` octets or elements only.
  constexpr value_view first(std::size_t n) const noexcept {
    value_view cut = *this;
    cut.size_ = n < size_ ? n : size_;
    return cut;
  }
  /// An element of an array.
  value_view element(std::size_t i) const noexcept { return element_(data_, i); }
  /// An entry of a map.
  attribute_view entry(std::size_t i) const noexcept;

 private:
  using element_function = value_view (*)(const void*, std::size_t) noexcept;
  using entry_function = attribute_view (*)(const void*, std::size_t) noexcept;

  constexpr void set(value_type type, std::int64_t value) noexcept {
    type_ = type;
    integer_ = value;
  }
  template <class Owned>
  constexpr void view_owned(Owned const& value) noexcept;

  value_type type_ = value_type::null;
  union {
    std::int64_t integer_;
    double real_;
    const void* data_;
  };
  std::size_t size_ = 0;
  union {
    element_function element_ = nullptr;
    entry_function entry_;
  };
};

/// A key and its value, both borrowed.
struct attribute_view {
  template <class Value>
    requires attribute_compatible<Value>
  constexpr attribute_view(std::string_view k, Value const& v) noexcept : key(k), value(v) {}
  constexpr attribute_view(std::string_view k, value_view v) noexcept : key(k), value(v) {}

  std::string_view key;
  value_view value;
};

inline attribute_view value_view::entry(std::size_t i) const noexcept { return entry_(data_, i); }

}  // namespace v1
}  // namespace fulgurite
