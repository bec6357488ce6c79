// The detector role: finds one kind of secret in a text, by what it looks like.
//
// A detector is a class without state. It looks once through a text, from left to right, without going back further
// than a bound, so its time is linear in the text's length, and it allocates nothing. Models: `url_detector` and
// `authorization_detector` (processor/redaction/credentials.hpp), `jwt_detector` and `api_key_detector` (tokens.hpp),
// `card_detector` (card.hpp), `email_detector` (email.hpp), and one that finds nothing, here.
//
// What is written in parts (an attribute each), compressed, encrypted or encoded in base64 is found by none of them:
// name such attributes by their keys.
#pragma once

#include <fulgurite/processor/redaction/text.hpp>

#include <concepts>
#include <cstddef>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

template <class D>
concept detector = requires(std::string_view text, std::size_t from, text_look const& look) {
  { D::name } -> std::convertible_to<std::string_view>;
  { D::may_be_in(look) } noexcept -> std::same_as<bool>;
  { D::find(text, from) } noexcept -> std::same_as<text_range>;
};

/// Finds nothing: the least that a detector is.
struct null_detector {
  /// As rules spell it: `detect:name`.
  static constexpr std::string_view name = "nothing";
  /// False where the look at a text tells that there is nothing to find.
  static constexpr bool may_be_in(text_look const&) noexcept { return false; }
  /// The next one that ends after `from`, where the search begins.
  static constexpr text_range find(std::string_view, std::size_t) noexcept { return {}; }
};
static_assert(detector<null_detector>);

}  // namespace v1
}  // namespace fulgurite
