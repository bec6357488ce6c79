// The propagator role: how a context crosses from one process to the next.
//
// A propagator is a class with three member functions: `inject` writes a context as fields (HTTP headers, message
// properties) by calling a setter, `extract` makes a context from the fields that a getter finds, `fields` lists the
// keys it uses. Nothing is inherited and nothing registered. All three may run on many threads at once.
//
// Its models: propagator/noop.hpp (the null model), propagator/w3c.hpp, the others in this folder, and
// propagator/any_propagator.hpp when it is chosen at run time. What a tracer accepts as the place where fields lie is
// in propagator/carrier.hpp.
#pragma once

#include <fulgurite/context/context.hpp>

#include <concepts>
#include <iterator>
#include <optional>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The least that a setter is: a propagator may use nothing more of it.
struct setter_archetype {
  void operator()(std::string_view key, std::string_view value);
};

/// The least that a getter is. A getter over a carrier whose fields can be listed has `for_each` besides: see
/// for_each_field.
struct getter_archetype {
  std::optional<std::string_view> operator()(std::string_view key);
};

template <class P>
concept has_inject = requires(P& p, context const& from, setter_archetype& setter) { p.inject(from, setter); };
template <class P>
concept has_extract = requires(P& p, getter_archetype& getter) {
  { p.extract(getter) } -> std::same_as<context>;
};
template <class P>
concept has_fields = requires(P& p) {
  { *std::begin(p.fields()) } -> std::convertible_to<std::string_view>;
  std::end(p.fields());
};

/// All of it but that it can be moved. A wrapper that converts from any propagator asks for this much only: whether a
/// composite of any_propagator can be moved depends on what any_propagator converts from.
template <class P>
concept propagates = has_inject<P> && has_extract<P> && has_fields<P>;

/// Calls `visit(key, value)` for every field when the getter can list them; false when it can only look up. For
/// propagators whose keys are not fixed (`uberctx-<key>`); keys come as they stand in the carrier, in any case.
template <class Getter, class Visitor>
bool for_each_field(Getter& getter, Visitor&& visit) {
  if constexpr (requires { static_cast<bool>(getter.for_each(visit)); })
    return getter.for_each(visit);
  else if constexpr (requires { getter.for_each(visit); }) {
    getter.for_each(visit);
    return true;
  } else
    return false;
}

}  // namespace detail

/// What a propagator is. `inject` and `extract` are templates over the setter, callable as `setter(key, value)` with
/// two string views, and the getter, callable as `getter(key)` and returning an optional string view that lives as long
/// as the getter. Neither keeps what it was given.
template <class P>
concept propagator = std::move_constructible<P> && detail::propagates<P>;

/// Says in one sentence what a propagator lacks: `static_assert(fulgurite::check_propagator<mine>());`
template <class P>
consteval bool check_propagator() {
  static_assert(std::move_constructible<P>, "a propagator must be movable: the tracer keeps it");
  static_assert(detail::has_inject<P>,
                "a propagator needs a member function: void inject(context const&, Setter&& setter) const, which calls "
                "setter(key, value)");
  static_assert(detail::has_extract<P>,
                "a propagator needs a member function: context extract(Getter&& getter) const, which calls getter(key) "
                "and returns a fulgurite::context");
  static_assert(detail::has_fields<P>,
                "a propagator needs a member function: fields() const, which returns a range of std::string_view with "
                "the keys it writes");
  return propagator<P>;
}

}  // namespace v1
}  // namespace fulgurite
