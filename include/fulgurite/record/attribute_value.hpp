// Attributes as they come out: owned values.
#pragma once

#include <fulgurite/record/value_view.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Binary data, as an attribute's value.
using bytes = std::vector<std::byte>;
struct attribute;
struct attribute_value;

namespace detail {
using attribute_variant = std::variant<std::monostate, bool, std::int64_t, double, std::string, bytes,
                                       std::vector<attribute_value>, std::vector<attribute>>;
template <>
inline constexpr bool is_owned_value<attribute_value> = true;
}  // namespace detail

/// OTLP's AnyValue, whole. Two values are equal when they hold the same alternative and equal contents; a NaN equals a
/// NaN, so that what was written can be compared with what was read.
struct attribute_value : detail::attribute_variant {
  using variant = detail::attribute_variant;

  // Defined below, where `attribute` is complete.
  attribute_value();
  attribute_value(attribute_value const&);
  attribute_value(attribute_value&&) noexcept;
  attribute_value& operator=(attribute_value const&);
  attribute_value& operator=(attribute_value&&) noexcept;
  ~attribute_value();

  attribute_value(std::string value);
  attribute_value(fulgurite::bytes value);
  attribute_value(std::vector<attribute_value> values);
  attribute_value(std::vector<attribute> entries);
  /// From whatever an attribute may be set to. An unsigned value above 2^63-1 becomes decimal text.
  template <class T>
    requires(attribute_compatible<T> && !std::same_as<std::remove_cvref_t<T>, attribute_value>)
  attribute_value(T const& value) : attribute_value(from_view(value_view(value))) {}

  static attribute_value from_view(value_view const& view);

  variant const& as_variant() const noexcept { return *this; }
  friend bool operator==(attribute_value const& a, attribute_value const& b);
};

/// A key and a value of their own: how attributes come out.
struct attribute {
  std::string key;
  attribute_value value;

  friend bool operator==(attribute const&, attribute const&) = default;
};

inline attribute_value::attribute_value() = default;
inline attribute_value::attribute_value(attribute_value const&) = default;
inline attribute_value::attribute_value(attribute_value&&) noexcept = default;
inline attribute_value& attribute_value::operator=(attribute_value const&) = default;
inline attribute_value& attribute_value::operator=(attribute_value&&) noexcept = default;
inline attribute_value::~attribute_value() = default;
inline attribute_value::attribute_value(std::string value) : variant(std::move(value)) {}
inline attribute_value::attribute_value(fulgurite::bytes value) : variant(std::move(value)) {}
inline attribute_value::attribute_value(std::vector<attribute_value> values) : variant(std::move(values)) {}
inline attribute_value::attribute_value(std::vector<attribute> entries) : variant(std::move(entries)) {}

/// By type and value; two NaN are equal.
inline bool operator==(attribute_value const& a, attribute_value const& b) {
  // Not the variant's own, which takes the compiler 0.2 s.
  auto const &x = a.as_variant(), &y = b.as_variant();
  if (x.index() != y.index()) return false;
  if (const auto* real = std::get_if<double>(&x)) {
    const double other = std::get<double>(y);
    return *real == other || (*real != *real && other != other);
  }
  const auto same = [&y](auto const* held) {
    return held && *held == std::get<std::remove_cvref_t<decltype(*held)>>(y);
  };
  return x.index() == 0 || same(std::get_if<bool>(&x)) || same(std::get_if<std::int64_t>(&x)) ||
         same(std::get_if<std::string>(&x)) || same(std::get_if<bytes>(&x)) ||
         same(std::get_if<std::vector<attribute_value>>(&x)) || same(std::get_if<std::vector<attribute>>(&x));
}

inline attribute_value attribute_value::from_view(value_view const& view) {
  attribute_value result;
  variant& out = result;
  switch (view.type()) {
    case value_type::null:
      break;
    case value_type::boolean:
      out.emplace<bool>(view.boolean());
      break;
    case value_type::integer:
      out.emplace<std::int64_t>(view.integer());
      break;
    case value_type::unsigned_integer:
      if (view.integer() >= 0)
        out.emplace<std::int64_t>(view.integer());
      else
        out.emplace<std::string>(std::to_string(static_cast<std::uint64_t>(view.integer())));
      break;
    case value_type::real:
      out.emplace<double>(view.real());
      break;
    case value_type::string:
      out.emplace<std::string>(view.text());
      break;
    case value_type::bytes: {
      const auto* first = reinterpret_cast<const std::byte*>(view.text().data());
      out.emplace<fulgurite::bytes>(first, first + view.text().size());
      break;
    }
    case value_type::array: {
      auto& values = out.emplace<std::vector<attribute_value>>();
      for (std::size_t i = 0; i < view.size(); ++i) values.push_back(from_view(view.element(i)));
      break;
    }
    case value_type::map: {
      auto& entries = out.emplace<std::vector<attribute>>();
      for (std::size_t i = 0; i < view.size(); ++i)
        entries.push_back({std::string(view.entry(i).key), from_view(view.entry(i).value)});
      break;
    }
  }
  return result;
}

template <class Owned>
constexpr void value_view::view_owned(Owned const& value) noexcept {
  // Not std::visit, which takes the compiler 0.1 s.
  auto const& held = value.as_variant();
  if (const auto* text = std::get_if<std::string>(&held))
    *this = value_view(*text);
  else if (const auto* integer = std::get_if<std::int64_t>(&held))
    *this = value_view(*integer);
  else if (const auto* real = std::get_if<double>(&held))
    *this = value_view(*real);
  else if (const auto* boolean = std::get_if<bool>(&held))
    *this = value_view(*boolean);
  else if (const auto* octets = std::get_if<bytes>(&held))
    *this = value_view(*octets);
  else if (const auto* values = std::get_if<std::vector<attribute_value>>(&held))
    *this = value_view(*values);
  else if (const auto* entries = std::get_if<std::vector<attribute>>(&held)) {
    type_ = value_type::map;
    data_ = entries->data();
    size_ = entries->size();
    entry_ = [](const void* data, std::size_t i) noexcept {
      attribute const& entry = static_cast<const attribute*>(data)[i];
      return attribute_view(entry.key, value_view(entry.value));
    };
  }
}

}  // namespace v1
}  // namespace fulgurite
