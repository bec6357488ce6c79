#include <fulgurite/context/member_function.hpp>

#include <doctest/doctest.h>

using fulgurite::detail::member_function;

namespace {

struct with_call {
  void call() noexcept {}
  int datum = 0;
  static void shared() {}
};
class in_private {
  [[maybe_unused]] void call() {}
};
template <class C>
concept has_call = requires { requires member_function<decltype(&C::call)>; };

static_assert(has_call<with_call>);
static_assert(!has_call<in_private> && !has_call<int>);
static_assert(!member_function<decltype(&with_call::datum)> && !member_function<decltype(&with_call::shared)>);

}  // namespace

TEST_CASE("a member function of a name is found where it may be called") {
  with_call made;
  made.call();
  with_call::shared();
  CHECK(has_call<with_call>);
}
