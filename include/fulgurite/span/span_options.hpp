// What may be said when a span is started, beside its name and attributes.
//
// Light, for fulgurite/noop.hpp: contexts are only named here. Everything is borrowed: write the options where the span
// is started.
#pragma once

#include <fulgurite/record/attribute_list.hpp>
#include <fulgurite/record/span_kind.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace fulgurite {
inline namespace v1 {

class context;
class span_context;

/// The type of `root`.
struct root_t {
  explicit constexpr root_t() noexcept = default;
};
/// `.parent = fg::root`: the span begins a new trace, whatever is current.
inline constexpr root_t root{};

/// Where a span comes from: what is current (by default), nothing, or a given context.
class span_parent {
 public:
  constexpr span_parent() noexcept = default;
  constexpr span_parent(root_t) noexcept : is_root_(true) {}
  constexpr span_parent(context const& from) noexcept : context_(&from) {}
  constexpr span_parent(span_context const& from) noexcept : span_(&from) {}

  constexpr bool is_root() const noexcept { return is_root_; }
  constexpr const fulgurite::context* given_context() const noexcept { return context_; }
  constexpr const span_context* given_span() const noexcept { return span_; }
  constexpr bool is_current() const noexcept { return !is_root_ && !context_ && !span_; }

 private:
  const fulgurite::context* context_ = nullptr;
  const span_context* span_ = nullptr;
  bool is_root_ = false;
};

/// A link as it goes in: `{context, {{"key", value}}}`.
struct link_view {
  constexpr link_view(span_context const& to, attribute_list with = {}) noexcept : context(to), attributes(with) {}

  span_context const& context;
  attribute_list attributes;
};

/// Borrowed links: `{{context, {{"key", value}}}, ...}`.
class link_list {
 public:
  constexpr link_list() noexcept = default;
  constexpr link_list(std::initializer_list<link_view> links) noexcept : size_(links.size()) {
    data_ = links.begin();  // borrowed: see the head of this file
  }
  template <class Range>
    requires(!std::same_as<Range, link_list> &&
             requires(Range const& range) {
               { range.data() } -> std::convertible_to<const link_view*>;
               { range.size() } -> std::convertible_to<std::size_t>;
             })
  constexpr link_list(Range const& range) noexcept : data_(range.data()), size_(range.size()) {}

  constexpr const link_view* begin() const noexcept { return data_; }
  constexpr const link_view* end() const noexcept { return data_ + size_; }

 private:
  const link_view* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a span may be told at its start beside its name and attributes.
struct span_options {
  span_kind kind = span_kind::internal;
  span_parent parent = {};
  link_list links = {};
  /// Nanoseconds since the Unix epoch; 0 is now. A span that would end before its start ends with it.
  std::int64_t start_time = 0;
};

}  // namespace v1
}  // namespace fulgurite
