#include <fulgurite/span/span_options.hpp>

#include <fulgurite/context/context.hpp>

#include <doctest/doctest.h>

#include <vector>

namespace fg = fulgurite;

TEST_CASE("nothing said means an internal span below the current one, now") {
  constexpr fg::span_options options;
  static_assert(options.kind == fg::span_kind::internal && options.start_time == 0);
  CHECK(options.parent.is_current());
  CHECK_FALSE(options.parent.is_root());
  CHECK(options.links.begin() == options.links.end());
}

TEST_CASE("a parent is a context, a span's context, or none") {
  const fg::span_context span(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3));
  const fg::context context(span);
  CHECK(fg::span_parent(fg::root).is_root());
  CHECK_FALSE(fg::span_parent(fg::root).is_current());
  CHECK(fg::span_parent(span).given_span() == &span);
  CHECK(fg::span_parent(context).given_context() == &context);
  CHECK_FALSE(fg::span_parent(context).is_current());
}

TEST_CASE("links from a braced list and from a container") {
  const fg::span_context span(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3));
  const auto count = [](fg::link_list links) { return links.end() - links.begin(); };
  CHECK(count({{span, {{"key", 1}}}, {span}}) == 2);
  const std::vector<fg::link_view> links{fg::link_view(span)};
  CHECK(count(links) == 1);
}
