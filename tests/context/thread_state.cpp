#include <fulgurite/context/thread_state.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <set>
#include <thread>

namespace detail = fulgurite::detail;

TEST_CASE("a thread gets a state of its own when it first asks") {
  detail::thread_state* here = detail::own_thread();
  REQUIRE(here != nullptr);
  CHECK(here != &detail::nothing_yet);
  CHECK(detail::own_thread() == here);
  detail::thread_state* there = nullptr;
  bool began_with_nothing = false;
  std::thread([&] {
    began_with_nothing = detail::this_thread == &detail::nothing_yet;
    there = detail::own_thread();
  }).join();
  CHECK(began_with_nothing);
  CHECK(there != nullptr);
  CHECK(there != here);
  CHECK(there->closed.load());
  CHECK_FALSE(here->closed.load());
}

TEST_CASE("the runtime's count of exceptions in flight is where it is read") {
  const unsigned* count = detail::uncaught_exceptions_address();
  CHECK(*count == 0);
  struct probe {
    const unsigned* address;
    unsigned& seen;
    ~probe() { seen = *address; }
  };
  unsigned seen = 0;
  try {
    const probe unwound{count, seen};
    throw 1;
  } catch (int) {
  }
  CHECK(seen == 1);
  CHECK(*count == 0);
}

TEST_CASE("scopes restore what was current, in whatever order they end") {
  detail::thread_state& thread = *detail::own_thread();
  const detail::active_context before = thread.current;
  detail::scope_link outer, inner;
  detail::active_context a = before, b = before;
  a.span = fulgurite::span_id::from_number(1);
  b.span = fulgurite::span_id::from_number(2);

  detail::enter_scope(thread, outer, a, {});
  detail::enter_scope(thread, inner, b, {});
  CHECK(thread.current.span == b.span);
  SUBCASE("inner first") {
    detail::leave_scope(thread, inner);
    CHECK(thread.current.span == a.span);
    detail::leave_scope(thread, outer);
  }
  SUBCASE("outer first") {
    detail::leave_scope(thread, outer);
    CHECK(thread.current.span == b.span);
    detail::leave_scope(thread, inner);
  }
  CHECK(thread.current.span == before.span);
  CHECK(thread.scopes == nullptr);
}
