// expect: a propagator needs a member function: void inject(context const&, Setter&& setter) const
#include <fulgurite/propagator/propagator.hpp>

#include <array>
#include <string_view>

struct silent_propagator {
#ifndef MISTAKE
  void inject(const fulgurite::context&, auto&& setter) const { setter("x-trace", "1"); }
#endif
  fulgurite::context extract(auto&&) const { return {}; }
  std::array<std::string_view, 1> fields() const { return {"x-trace"}; }
};
static_assert(fulgurite::check_propagator<silent_propagator>());
