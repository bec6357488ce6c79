// expect: a propagator needs a member function: fields() const
#include <fulgurite/propagator/propagator.hpp>

#include <array>
#include <string_view>

struct secretive_propagator {
  void inject(const fulgurite::context&, auto&& setter) const { setter("x-trace", "1"); }
  fulgurite::context extract(auto&& getter) const {
    (void)getter("x-trace");
    return {};
  }
#ifndef MISTAKE
  std::array<std::string_view, 1> fields() const { return {"x-trace"}; }
#endif
};
static_assert(fulgurite::check_propagator<secretive_propagator>());
