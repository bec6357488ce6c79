#include <fulgurite/context/function_ref.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using fulgurite::detail::function_ref;

static_assert(sizeof(function_ref<void()>) == 2 * sizeof(void*));
static_assert(!std::is_constructible_v<function_ref<void(int)>, int&>);

TEST_CASE("a function reference calls what it refers to") {
  int calls = 0;
  auto count = [&calls](int by) { return calls += by; };
  const function_ref<int(int)> ref = count;
  CHECK(ref(2) == 2);
  const function_ref<int(int)> copy = ref;
  CHECK(copy(3) == 5);
  CHECK(calls == 5);
}

TEST_CASE("constant objects and function pointers may be referred to, a result may be dropped") {
  const auto constant = [](std::string_view text) { return text.size(); };
  const function_ref<void(std::string_view)> dropped = constant;
  dropped("abc");
  std::size_t (*pointer)(std::string_view) = constant;
  const function_ref<std::size_t(std::string_view)> through = pointer;
  CHECK(through("abc") == 3);
}
