// expect: a propagator needs a member function: context extract(Getter&& getter) const
#include <fulgurite/propagator/propagator.hpp>

#include <array>
#include <string_view>

struct deaf_propagator {
  void inject(const fulgurite::context&, auto&& setter) const { setter("x-trace", "1"); }
#ifdef MISTAKE
  fulgurite::span_context extract(auto&&) const { return {}; }
#else
  fulgurite::context extract(auto&&) const { return {}; }
#endif
  std::array<std::string_view, 1> fields() const { return {"x-trace"}; }
};
static_assert(fulgurite::check_propagator<deaf_propagator>());
