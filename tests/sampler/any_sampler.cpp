#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/sampler/any_sampler.hpp>
#include <fulgurite/sampler/parent_based.hpp>
#include <fulgurite/sampler/ratio.hpp>

#include "asked.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <utility>

namespace fg = fulgurite;
using fg::any_sampler;
using fg::sampling_decision;

static_assert(fg::check_sampler<any_sampler>());
static_assert(std::is_nothrow_move_constructible_v<any_sampler> && std::is_nothrow_move_assignable_v<any_sampler>);
static_assert(!std::is_constructible_v<any_sampler, int>);

namespace {

/// Asks for every span, has a state, can be moved only.
struct every_other {
  static constexpr bool samples_children = true;
  std::unique_ptr<int> count = std::make_unique<int>(0);

  fg::sampling_result sample(fg::sampling_input const&) noexcept {
    return {++*count % 2 != 0 ? sampling_decision::record_and_sample : sampling_decision::drop, {{"count", *count}}};
  }
  std::string description() const { return "EveryOther"; }
};

}  // namespace

TEST_CASE("without a sampler it drops") {
  const any_sampler none;
  CHECK(asked(none) == sampling_decision::drop);
  CHECK_FALSE(none.asks_children());
  CHECK(none.description() == "AlwaysOffSampler");
}

TEST_CASE("it does what the held one does") {
  const any_sampler any = fg::parent_based{fg::ratio_sampler{0.5}};
  CHECK(asked(any, {}, fg::trace_id::from_numbers(0, 0x80000000000000U)) == sampling_decision::record_and_sample);
  CHECK(asked(any, {}, fg::trace_id::from_numbers(0, 0x7fffffffffffffU)) == sampling_decision::drop);
  CHECK(asked(any, parent(true, true)) == sampling_decision::record_and_sample);
  CHECK(any.description() == fg::parent_based{fg::ratio_sampler{0.5}}.description());
  CHECK_FALSE(any.asks_children());
}

TEST_CASE("it moves, carries the flag, passes on what a result adds") {
  any_sampler first = every_other();
  CHECK(first.asks_children());
  CHECK(fg::detail::asks_children(first));
  CHECK(asked(first) == sampling_decision::record_and_sample);
  any_sampler second = std::move(first);
  CHECK(second.asks_children());
  CHECK_FALSE(first.asks_children());  // NOLINT: empty after the move
  CHECK(asked(first) == sampling_decision::drop);
  const fg::context none;
  CHECK(second.sample({.parent = none}).attributes == std::vector<fg::attribute>{{"count", 2}});
  first = std::move(second);
  CHECK(first.asks_children());
  CHECK(asked(first) == sampling_decision::record_and_sample);
  CHECK(first.description() == "EveryOther");
}

TEST_CASE("held by another one it keeps its flag") {
  CHECK(fg::parent_based<any_sampler>(any_sampler(every_other()))
            .description()
            .starts_with("ParentBased{root:EveryOther"));
  const any_sampler outer(fg::parent_based{any_sampler(every_other())});
  CHECK_FALSE(outer.asks_children());  // the root's alone
}
