#include <fulgurite/sampler/parent_based.hpp>
#include <fulgurite/sampler/ratio.hpp>

#include "asked.hpp"

#include <doctest/doctest.h>

#include <concepts>
#include <memory>

namespace fg = fulgurite;
using fg::parent_based;
using fg::sampling_decision;

namespace {

/// Counts how often it is asked, and can be moved only.
struct counting {
  std::unique_ptr<int> asked = std::make_unique<int>(0);
  sampling_decision answer = sampling_decision::record_only;

  fg::sampling_result sample(fg::sampling_input const&) noexcept {
    ++*asked;
    return answer;
  }
  std::string description() const { return "Counting"; }
};

struct for_children : fg::always_on_sampler {
  static constexpr bool samples_children = true;
};

}  // namespace

static_assert(fg::check_sampler<parent_based<fg::ratio_sampler>>() && fg::check_sampler<parent_based<counting>>());

// Deduction copies a parent_based instead of nesting it, and that decides the same.
static_assert(
    std::same_as<decltype(parent_based{parent_based{fg::always_on_sampler()}}), parent_based<fg::always_on_sampler>>);

static_assert(!fg::samples_children<parent_based<fg::always_on_sampler>>);
static_assert(!fg::samples_children<parent_based<for_children>>);  // its root only
static_assert(fg::samples_children<
              parent_based<fg::always_on_sampler, fg::always_on_sampler, fg::always_off_sampler, for_children>>);

TEST_CASE("the root's sampler decides where there is no parent, and there alone") {
  counting root;
  int& count = *root.asked;
  const parent_based sampler(std::move(root));
  CHECK(asked(sampler) == sampling_decision::record_only);
  CHECK(count == 1);
  for (const bool remote : {false, true}) {
    CHECK(asked(sampler, parent(true, remote)) == sampling_decision::record_and_sample);
    CHECK(asked(sampler, parent(false, remote)) == sampling_decision::drop);
  }
  CHECK(count == 1);
}

TEST_CASE("baggage alone, or half a span, is no parent") {
  const parent_based sampler(fg::always_off_sampler{});
  CHECK(asked(sampler, fg::context(fg::span_context(), {{"a", "1"}})) == sampling_decision::drop);
  const fg::span_context half(fg::trace_id::from_numbers(1, 2), {}, fg::trace_flags(1), true);
  CHECK(asked(sampler, fg::context(half)) == sampling_decision::drop);
}

TEST_CASE("each of the four answers can be replaced") {
  const fg::always_on_sampler on;
  const fg::always_off_sampler off;
  const parent_based sampler(on, off, on, counting{}, on);
  CHECK(asked(sampler, parent(true, true)) == sampling_decision::drop);
  CHECK(asked(sampler, parent(false, true)) == sampling_decision::record_and_sample);
  CHECK(asked(sampler, parent(true, false)) == sampling_decision::record_only);
  CHECK(asked(sampler, parent(false, false)) == sampling_decision::record_and_sample);
}

TEST_CASE("nested in another one it decides the same") {
  const parent_based<parent_based<fg::ratio_sampler>> nested(parent_based(fg::ratio_sampler(0)));
  CHECK(asked(nested) == sampling_decision::drop);
  CHECK(asked(nested, parent(true, true)) == sampling_decision::record_and_sample);
  CHECK(asked(nested, parent(false, false)) == sampling_decision::drop);
}

TEST_CASE("the description names all five") {
  CHECK(parent_based(fg::ratio_sampler(0.0001)).description() ==
        "ParentBased{root:TraceIdRatioBased{0.000100},remoteParentSampled:AlwaysOnSampler,"
        "remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,"
        "localParentNotSampled:AlwaysOffSampler}");
}
