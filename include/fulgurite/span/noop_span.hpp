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
  Context context() const {
    return Context();
  }
};

}  // namespace detail

class [[nodiscard, maybe_unused]] noop_scoped_span : public detail::noop_span_base {
 public:
  constexpr noop_scoped_span() noexcept = default;
  noop_scoped_span(noop_scoped_span const&) = delete;
  noop_scoped_span& operator=(noop_scoped_span const&) = delete;
  constexpr ~noop_scoped_span() {}
};

class [[nodiscard, maybe_unused]] noop_span : public detail::noop_span_base {
 public:
  constexpr noop_span() noexcept = default;
  constexpr noop_span(noop_span&&) noexcept {}
  constexpr noop_span& operator=(noop_span&&) noexcept { return *this; }
  constexpr ~noop_span() {}
};

class [[nodiscard, maybe_unused]] noop_scope {
 public:
  constexpr noop_scope() noexcept = default;
  noop_scope(noop_scope const&) = delete;
  noop_scope& operator=(noop_scope const&) = delete;
  constexpr ~noop_scope() {}
};

constexpr noop_scope activate(noop_span const&) noexcept { return {}; }

}  // namespace v1
}  // namespace fulgurite
