// Names of spans, events and attributes: a literal by pointer, any other text borrowed until the call returns.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {

/// A name given as a string literal (or a `static constexpr` array) is kept by its address and costs two words; a text
/// known only at run time is copied before the call that takes it returns. An array ends at its first zero. A `const`
/// array that is not `constexpr` is refused: nothing says that it outlives the span. Give it as a `std::string_view`.
///
/// A wrapper of one's own takes a `span_name` parameter: a literal that was forwarded as an array reference is no
/// constant any more and is refused by the compiler.
class span_name {
 public:
  template <std::size_t N>
  consteval span_name(const char (&text)[N]) : data_(text), size_(length(text, N)) {}

  template <std::size_t N>
  constexpr span_name(char (&text)[N]) noexcept : data_(text), size_(length(text, N) | copied_bit) {}

  template <class Text>
    requires(!std::is_array_v<std::remove_reference_t<Text>> && !std::same_as<std::remove_cvref_t<Text>, span_name> &&
             !std::same_as<std::remove_cvref_t<Text>, std::nullptr_t> && std::convertible_to<Text, std::string_view>)
  constexpr span_name(Text&& text) noexcept {
    if constexpr (std::is_pointer_v<std::remove_cvref_t<Text>>) {
      if (!text) return;
    }
    const std::string_view view = text;
    data_ = view.data();
    size_ = clamped(view.size()) | copied_bit;
  }

  constexpr std::string_view view() const noexcept { return {data_, size()}; }
  constexpr const char* data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return static_cast<std::uint32_t>(size_); }
  /// The text outlives every span, so its address is enough.
  constexpr bool is_literal() const noexcept { return (size_ & copied_bit) == 0; }
  /// A literal of at most so many octets.
  constexpr bool is_literal_within(std::uint32_t limit) const noexcept { return size_ <= limit; }

 private:
  static constexpr std::uint32_t clamped(std::size_t size) noexcept {
    return size < 0xffff'ffffU ? static_cast<std::uint32_t>(size) : 0xffff'ffffU;
  }
  static constexpr std::uint32_t length(const char* text, std::size_t limit) noexcept {
    std::size_t size = 0;
    while (size < limit && text[size] != '\0') ++size;
    return clamped(size);
  }

  // Two words: a name is passed by value, in two registers that need no putting together. The bit stands above the
  // size.
  static constexpr std::uint64_t copied_bit = std::uint64_t{1} << 32;
  const char* data_ = "";
  std::uint64_t size_ = copied_bit;
};

/// The key of an attribute that is set at run time, by the same rule.
using attribute_name = span_name;

}  // namespace v1
}  // namespace fulgurite
