#include <fulgurite/sampler/sampler.hpp>

#include "asked.hpp"

#include <doctest/doctest.h>

#include <string>
#include <type_traits>

namespace fg = fulgurite;
using fg::sampling_decision;
using fg::sampling_input;
using fg::sampling_result;

namespace {

/// The least that one has to write; it may answer with a bare decision, and change itself.
struct every_other {
  int count = 0;
  sampling_decision sample(sampling_input const&) noexcept {
    return ++count % 2 != 0 ? sampling_decision::record_and_sample : sampling_decision::drop;
  }
  const char* description() const { return "EveryOther"; }
};

struct for_children : every_other {
  static constexpr bool samples_children = true;
};
struct not_for_children : every_other {
  static constexpr bool samples_children = false;
};
struct member_samples_children : every_other {
  bool samples_children = true;
};
struct at_run_time : every_other {
  bool wants;
  explicit at_run_time(bool w) : wants(w) {}
  bool asks_children() const noexcept { return wants; }
};
struct may_throw {
  sampling_result sample(sampling_input const&) const { return sampling_decision::drop; }
  std::string description() const { return {}; }
};
struct no_sample {
  std::string description() const { return {}; }
};
struct no_description {
  sampling_result sample(sampling_input const&) const noexcept { return sampling_decision::drop; }
};
struct answers_bool {
  bool sample(sampling_input const&) const noexcept { return true; }
  std::string description() const { return {}; }
};

}  // namespace

static_assert(fg::check_sampler<every_other>() && fg::check_sampler<for_children>());
static_assert(!fg::sampler<may_throw> && !fg::sampler<no_sample> && !fg::sampler<no_description>);
static_assert(!fg::sampler<answers_bool> && !fg::sampler<member_samples_children> && !fg::sampler<int>);

static_assert(!fg::samples_children<every_other>);
static_assert(fg::samples_children<for_children>);
static_assert(!fg::samples_children<not_for_children>);

static_assert(std::is_convertible_v<sampling_decision, sampling_result>);
static_assert(std::is_nothrow_constructible_v<sampling_result, sampling_decision>);
static_assert(std::is_nothrow_move_constructible_v<sampling_result>);

TEST_CASE("whether children are asked about is known at run time too") {
  CHECK_FALSE(fg::detail::asks_children(every_other()));
  CHECK(fg::detail::asks_children(for_children()));
  CHECK(fg::detail::asks_children(at_run_time(true)));
  CHECK_FALSE(fg::detail::asks_children(at_run_time(false)));
}

TEST_CASE("a result is a decision, and what it adds") {
  const sampling_result none;
  CHECK(none.decision == sampling_decision::drop);
  const sampling_result bare = sampling_decision::record_only;
  CHECK(bare.decision == sampling_decision::record_only);
  CHECK(bare.attributes.empty());
  CHECK(bare.attributes.capacity() == 0);
  CHECK_FALSE(bare.trace_state.has_value());
  const sampling_result full(sampling_decision::record_and_sample, {{"sampler.rule", "x"}},
                             fg::trace_state::from_header("ot=th:8"));
  CHECK(full.attributes == std::vector<fg::attribute>{{"sampler.rule", "x"}});
  CHECK(full.trace_state->get("ot") == "th:8");
}

TEST_CASE("the input shows the attributes the span was started with") {
  const fg::context parent;
  const fg::attribute_view attributes[] = {{"a", 1}, {"b", "two"}};
  const sampling_input input{
      .parent = parent, .trace_id = {}, .name = "GET", .kind = fg::span_kind::client, .attributes = attributes};
  CHECK(input.attributes.size() == 2);
  CHECK(input.attributes[1].value.text() == "two");
  CHECK(sampling_input{.parent = parent}.kind == fg::span_kind::internal);
}

TEST_CASE("a sampler may keep state") {
  every_other sampler;
  CHECK(asked(sampler) == sampling_decision::record_and_sample);
  CHECK(asked(sampler) == sampling_decision::drop);
}
