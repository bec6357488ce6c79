// The span of a tracer that is compiled away: every call of a span, constrained the same, and no code.
#pragma once

#include <fulgurite/record/attribute_key.hpp>
#include <fulgurite/record/attribute_list.hpp>
#include <fulgurite/record/literal_name.hpp>
#include <fulgurite/record/span_kind.hpp>
#include <fulgurite/span/span_options.hpp>

#include <exception>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

class span_context;

namespace detail {

/// What the noop types have to show for a context: one for all, in static data, and only where somebody looks at it.
/// One made on the spot would be a string to be destroyed, of which compilers leave something.
template <class T>
union never_destroyed {
  T value;
  char makes_it_literal;
  constexpr never_destroyed() noexcept : value() {}
  constexpr ~never_destroyed() {}
};
template <class T>
inline constexpr never_destroyed<T> empty_value;

class noop_span_base {
 public:
  constexpr noop_span_base() noexcept = default;

  static constexpr bool is_recording() noexcept { return false; }
  template <attribute_source V>
  constexpr void set_attribute(attribute_name, V&&) const noexcept {}
  template <fixed_string Key, class T>
  constexpr void set_attribute(bound_attribute<Key, T>&&) const noexcept {}
  constexpr void add_event(span_name, attribute_list = {}) const noexcept {}
  constexpr void add_link(span_context const&, attribute_list = {}) const noexcept {}
  constexpr void set_status(status_code, std::string_view = {}) const noexcept {}
  constexpr void record_exception(std::exception const&, attribute_list = {}) const noexcept {}
  constexpr void update_name(span_name) const noexcept {}
  constexpr void end() const noexcept {}
  /// An invalid context. The type is only named here: include <fulgurite/context/span_context.hpp> to use it.
  template <class Context = span_context>
  constexpr Context const& context() const noexcept {
    return empty_value<Context>.value;
  }
};

}  // namespace detail

/// What `noop_tracer::trace_context` gives.
class [[nodiscard, maybe_unused]] noop_scoped_span : public detail::noop_span_base {
 public:
  constexpr noop_scoped_span() noexcept = default;
  noop_scoped_span(noop_scoped_span const&) = delete;
  noop_scoped_span& operator=(noop_scoped_span const&) = delete;
};

/// What `noop_tracer::start_span` gives.
class [[nodiscard, maybe_unused]] noop_span : public detail::noop_span_base {
 public:
  constexpr noop_span() noexcept = default;
  constexpr noop_span(noop_span&&) noexcept {}
  constexpr noop_span& operator=(noop_span&&) noexcept { return *this; }
};

/// What `activate` gives of a noop span.
class [[nodiscard, maybe_unused]] noop_scope {
 public:
  constexpr noop_scope() noexcept = default;
  noop_scope(noop_scope const&) = delete;
  noop_scope& operator=(noop_scope const&) = delete;
};

/// Nothing becomes current.
constexpr noop_scope activate(noop_span const&) noexcept { return {}; }

}  // namespace v1
}  // namespace fulgurite
