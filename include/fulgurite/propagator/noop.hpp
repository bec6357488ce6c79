// The null propagator: nothing goes out and nothing comes in.
//
// Light, for fulgurite/noop.hpp: the context is only named here, and `extract` needs it whole where it is called.
#pragma once

#include <initializer_list>
#include <string_view>

namespace fulgurite {
inline namespace v1 {

class context;

/// Writes nothing and finds nothing.
class noop_propagator {
 public:
  template <class Setter>
  constexpr void inject(context const&, Setter&&) const noexcept {}

  /// An empty context.
  template <class Getter, class Context = context>
  Context extract(Getter&&) const {
    return Context();
  }

  static constexpr std::initializer_list<std::string_view> fields() noexcept { return {}; }
};

}  // namespace v1
}  // namespace fulgurite
