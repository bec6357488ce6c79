#include <fulgurite/span/noop_span.hpp>

#include <fulgurite/context/span_context.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace fg = fulgurite;
using namespace fg::literals;

static_assert(sizeof(fg::noop_scoped_span) == 1 && sizeof(fg::noop_span) == 1 && sizeof(fg::noop_scope) == 1);
static_assert(!std::is_copy_constructible_v<fg::noop_scoped_span> &&
              !std::is_move_constructible_v<fg::noop_scoped_span>);
static_assert(!std::is_copy_constructible_v<fg::noop_span> && std::is_nothrow_move_constructible_v<fg::noop_span>);

namespace {
template <class Span, class Value>
concept takes = requires(Span& span, Value value) { span.set_attribute("key", value); };
}  // namespace

// What the real span refuses is refused here.
static_assert(takes<fg::noop_span, int> && takes<fg::noop_span, const char*> && !takes<fg::noop_span, char> &&
              !takes<fg::noop_span, int*>);

TEST_CASE("a noop span takes every call, calls nothing and knows nothing") {
  fg::noop_span span;
  CHECK_FALSE(span.is_recording());
  int called = 0;
  span.set_attribute("lazy", [&] { return ++called; });
  span.set_attribute("key"_a = 1);
  span.add_event("event", {{"key", 1}});
  span.set_status(fg::status_code::error, "text");
  span.record_exception(std::runtime_error("text"));
  span.update_name("name");
  CHECK(called == 0);
  CHECK_FALSE(span.context().is_valid());
  fg::noop_span moved = std::move(span);
  auto scope = fg::activate(moved);
  moved.end();
}
