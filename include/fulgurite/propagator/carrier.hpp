// What fields lie in when a context is injected or extracted: a map, a list of pairs, an object that lists its fields,
// or a function.
//
// A tracer wraps its argument in `carrier_setter` or `carrier_getter`, so a propagator meets one kind of setter and
// getter only. Keys are compared without case, as HTTP does. A key that occurs several times is read as one field with
// its values joined by commas (RFC 9110, 5.3): that is how repeated `tracestate` and `baggage` headers are meant, and
// it makes a repeated `traceparent` invalid by itself.
#pragma once

#include <fulgurite/text/ascii.hpp>

#include <concepts>
#include <cstddef>
#include <forward_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A map, a multimap or a sequence of pairs, all of texts.
template <class C>
concept field_range = requires(C& c) {
  { std::begin(c)->first } -> std::convertible_to<std::string_view>;
  { std::begin(c)->second } -> std::convertible_to<std::string_view>;
  std::begin(c) != std::end(c);
};

struct field_visitor_archetype {
  void operator()(std::string_view key, std::string_view value) const;
};
/// An object that shows each of its fields to a visitor.
template <class C>
concept field_lister = requires(C& c, field_visitor_archetype const& visitor) { c.for_each(visitor); };

template <class R>
concept optional_text = std::convertible_to<R, std::optional<std::string_view>> ||
                        std::convertible_to<R, std::optional<std::string>> || std::convertible_to<R, const char*>;
template <class C>
concept get_by_view = requires(C& c, std::string_view key) {
  { c(key) } -> optional_text;
};
template <class C>
concept get_by_string = requires(C& c, std::string const& key) {
  { c(key) } -> optional_text;
};

template <class C>
concept set_by_view = std::invocable<C&, std::string_view, std::string_view>;
template <class C>
concept set_by_string = std::invocable<C&, std::string const&, std::string const&>;

template <class C>
concept erasable_range = field_range<C> && requires(C& c) {
  { c.erase(std::begin(c)) } -> std::convertible_to<decltype(std::begin(c))>;
};
template <class C>
concept assignable_map = erasable_range<C> && requires(C& c) { c.insert_or_assign(std::string(), std::string()); };
template <class C>
concept emplacing_map = erasable_range<C> && requires(C& c) {
  typename C::key_type;
  c.emplace(std::string(), std::string());
};
template <class C>
concept pair_sequence = erasable_range<C> && requires(C& c) { c.emplace_back(std::string(), std::string()); };

}  // namespace detail

/// Where fields can be written: a map or multimap of strings, a sequence of pairs of strings, or a function
/// `set(key, value)`.
template <class C>
concept inject_carrier =
    detail::assignable_map<std::remove_reference_t<C>> || detail::emplacing_map<std::remove_reference_t<C>> ||
    detail::pair_sequence<std::remove_reference_t<C>> || detail::set_by_view<std::remove_reference_t<C>> ||
    detail::set_by_string<std::remove_reference_t<C>>;

/// Where fields can be read: a map or multimap of strings, a sequence of pairs of strings, an object with
/// `for_each(visitor(key, value))`, or a function `get(key)` that returns an optional text (or a `const char*`, null
/// when there is none).
template <class C>
concept extract_carrier =
    detail::field_range<std::remove_reference_t<C>> || detail::field_lister<std::remove_reference_t<C>> ||
    detail::get_by_view<std::remove_reference_t<C>> || detail::get_by_string<std::remove_reference_t<C>>;

namespace detail {

/// The setter over a carrier. A field that is there already is replaced, in whatever case its key is written.
template <class Carrier>
  requires inject_carrier<Carrier>
class carrier_setter {
 public:
  explicit carrier_setter(Carrier& carrier) noexcept : carrier_(carrier) {}

  void operator()(std::string_view key, std::string_view value) const {
    if constexpr (erasable_range<Carrier>) {
      for (auto at = std::begin(carrier_); at != std::end(carrier_);) {
        if (equal_ignoring_case(at->first, key))
          at = carrier_.erase(at);
        else
          ++at;
      }
      if constexpr (assignable_map<Carrier>)
        carrier_.insert_or_assign(std::string(key), std::string(value));
      else if constexpr (emplacing_map<Carrier>)
        carrier_.emplace(std::string(key), std::string(value));
      else
        carrier_.emplace_back(std::string(key), std::string(value));
    } else if constexpr (set_by_view<Carrier>)
      carrier_(key, value);
    else
      carrier_(std::string(key), std::string(value));
  }

 private:
  Carrier& carrier_;
};

/// The getter over a carrier. What it returns lives as long as the getter and the carrier: a view into the carrier, or
/// into a text kept here where the value had to be made.
template <class Carrier>
  requires extract_carrier<Carrier>
class carrier_getter {
 public:
  explicit carrier_getter(Carrier& carrier) noexcept : carrier_(carrier) {}
  carrier_getter(carrier_getter const&) = delete;
  carrier_getter& operator=(carrier_getter const&) = delete;

  std::optional<std::string_view> operator()(std::string_view key) {
    if constexpr (field_range<Carrier>) {
      std::optional<std::string_view> found;
      std::string* joined = nullptr;
      for (auto const& field : carrier_) {
        if (!equal_ignoring_case(field.first, key)) continue;
        if (!found)
          found = std::string_view(field.second);
        else
          found = join(joined, *found, field.second);
      }
      return found;
    } else if constexpr (field_lister<Carrier>) {
      std::optional<std::string_view> found;
      std::string* joined = nullptr;
      // What it shows may be gone after the call, so it is copied.
      carrier_.for_each([&](std::string_view name, std::string_view value) {
        if (!equal_ignoring_case(name, key)) return;
        found = joined ? join(joined, *found, value) : *(joined = &kept_.emplace_front(value));
      });
      return found;
    } else if constexpr (get_by_view<Carrier>)
      return keep(carrier_(key));
    else
      return keep(carrier_(std::string(key)));
  }

  /// Shows every field in the carrier's order; false when the carrier is a function and cannot list them.
  template <class Visitor>
  bool for_each(Visitor&& visit) {
    if constexpr (field_range<Carrier>) {
      for (auto const& field : carrier_) visit(std::string_view(field.first), std::string_view(field.second));
      return true;
    } else if constexpr (field_lister<Carrier>) {
      carrier_.for_each([&](std::string_view key, std::string_view value) { visit(key, value); });
      return true;
    } else
      return false;
  }

 private:
  std::string_view join(std::string*& joined, std::string_view before, std::string_view value) {
    if (!joined) joined = &kept_.emplace_front(before);
    return joined->append(",").append(value);
  }

  template <class Result>
  std::optional<std::string_view> keep(Result&& result) {
    using plain = std::remove_cvref_t<Result>;
    if constexpr (std::convertible_to<Result, const char*>) {
      const char* text = result;
      if (!text) return std::nullopt;
      return std::string_view(text);
    } else if constexpr (std::same_as<plain, std::optional<std::string_view>>)
      return result;
    else {
      // An optional string: it would be gone with this call.
      std::optional<std::string> text = std::forward<Result>(result);
      if (!text) return std::nullopt;
      return std::string_view(kept_.emplace_front(std::move(*text)));
    }
  }

  Carrier& carrier_;
  std::forward_list<std::string> kept_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
