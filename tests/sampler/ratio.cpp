#include <fulgurite/context/random.hpp>
#include <fulgurite/sampler/ratio.hpp>

#include "asked.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

namespace fg = fulgurite;
using fg::ratio_sampler;

static_assert(fg::check_sampler<ratio_sampler>());
static_assert(!fg::samples_children<ratio_sampler>);
static_assert(ratio_sampler(0.5).threshold() == 0x80000000000000U);  // made at compile time

namespace {

/// A trace id with these low 56 bits, and other bits that must not matter.
fg::trace_id id(std::uint64_t randomness, std::uint64_t others = 0xff) {
  return fg::trace_id::from_numbers(others * 0x0101010101010101U, others << 56 | randomness);
}

struct said_log {
  int count = 0;
  said_log() {
    fg::set_log_handler([this](fg::log_level, std::string_view) { ++count; });
  }
  ~said_log() { fg::set_log_handler({}); }
};

}  // namespace

TEST_CASE("the threshold is round((1 - ratio) * 2^56)") {
  // The second column was computed by exact fractions from the decimal's nearest double:
  // floor((1 - Fraction(ratio)) * 2**56 + Fraction(1, 2)).
  const std::pair<double, std::uint64_t> table[] = {
      {1.0, 0x0U},
      {0.5, 0x80000000000000U},
      {0.25, 0xc0000000000000U},
      {0.75, 0x40000000000000U},
      {0.1, 0xe6666666666666U},
      {0.2, 0xccccccccccccccU},
      {0.9, 0x19999999999998U},
      {0.01, 0xfd70a3d70a3d71U},
      {0.001, 0xffbe76c8b43958U},
      {0.0001, 0xfff972474538efU},
      {1e-6, 0xffffef39085f4aU},
      {1e-9, 0xfffffffbb47d06U},
      {0.3, 0xb3333333333334U},
      {0.7, 0x4cccccccccccd0U},
      {0.123456789, 0xe06522c8c69ca1U},
      {0.999999, 0x10c6f7a0b8U},
      {1e-16, 0xfffffffffffff9U},
      {0x1p-56, 0xffffffffffffffU},
      {0x1p-57, 0x100000000000000U},
      {0x3p-57, 0xffffffffffffffU},
      {0x5p-58, 0xffffffffffffffU},
      {0.0, 0x100000000000000U},
  };
  for (const auto& [ratio, threshold] : table) {
    CAPTURE(ratio);
    CHECK(ratio_sampler(ratio).threshold() == threshold);
  }
}

TEST_CASE("an id at the threshold is kept, the one below is not, the other bits do not matter") {
  for (const double ratio : {0.25, 0.5, 0.1, 1.0 / 3, 0.001, 0.9999}) {
    const ratio_sampler sampler(ratio);
    for (const std::uint64_t others : {0x00U, 0x01U, 0x80U, 0xffU}) {
      CAPTURE(ratio);
      CHECK(asked(sampler, {}, id(sampler.threshold(), others)) == fg::sampling_decision::record_and_sample);
      CHECK(asked(sampler, {}, id(sampler.threshold() - 1, others)) == fg::sampling_decision::drop);
      CHECK(sampler.keeps(id(ratio_sampler::id_count - 1, others)));
      CHECK_FALSE(sampler.keeps(id(0, others)));
    }
  }
  CHECK(ratio_sampler(0.25).threshold() == 0xc0000000000000U);
}

TEST_CASE("0 keeps nothing, 1 keeps everything") {
  CHECK_FALSE(ratio_sampler(0).keeps(id(ratio_sampler::id_count - 1)));
  CHECK(ratio_sampler(1).keeps(id(0)));
  CHECK_FALSE(ratio_sampler(-0.0).keeps(id(ratio_sampler::id_count - 1)));
  // The smallest ratio that keeps any id at all.
  CHECK(ratio_sampler(std::ldexp(1, -56)).threshold() == ratio_sampler::id_count - 1);
  CHECK(ratio_sampler(std::nextafter(1.0, 0.0)).threshold() == 8);
}

TEST_CASE("a wrong ratio is brought into the range, and the log says so once") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  said_log said;
  CHECK(ratio_sampler(0).threshold() + ratio_sampler(1).threshold() == ratio_sampler::id_count);
  CHECK(said.count == 0);
  CHECK(ratio_sampler(-0.1).ratio() == 0);
  CHECK(said.count == 1);
  CHECK(ratio_sampler(1.5).ratio() == 1);
  CHECK(ratio_sampler(-infinity).ratio() == 0);
  CHECK(ratio_sampler(infinity).ratio() == 1);
  CHECK(ratio_sampler(std::numeric_limits<double>::quiet_NaN()).ratio() == 0);
  CHECK(said.count == 1);
}

TEST_CASE("the decision ignores the parent") {
  const ratio_sampler none(0), all(1);
  CHECK(asked(none, parent(true, true)) == fg::sampling_decision::drop);
  CHECK(asked(all, parent(false, false)) == fg::sampling_decision::record_and_sample);
}

TEST_CASE("a trace that a smaller ratio keeps is kept by a larger one; the share is the ratio") {
  constexpr int count = 200'000;
  const ratio_sampler samplers[] = {ratio_sampler(0.01), ratio_sampler(0.1), ratio_sampler(0.25), ratio_sampler(0.9)};
  int kept[4] = {};
  std::uint64_t state = 7;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t high = fg::detail::next_random(state), low = fg::detail::next_random(state);
    const auto trace = fg::trace_id::from_numbers(high, low);
    bool before = false;
    for (int s = 0; s < 4; ++s) {
      const bool keeps = samplers[s].keeps(trace);
      REQUIRE((keeps || !before));
      before = keeps;
      kept[s] += keeps ? 1 : 0;
    }
  }
  for (int s = 0; s < 4; ++s) {
    const double expected = samplers[s].ratio() * count;
    const double five_deviations = 5 * std::sqrt(expected * (1 - samplers[s].ratio()));
    CAPTURE(s);
    CHECK(kept[s] > expected - five_deviations);
    CHECK(kept[s] < expected + five_deviations);
  }
}

TEST_CASE("the description has six decimals and a point in every locale") {
  CHECK(ratio_sampler(0.0001).description() == "TraceIdRatioBased{0.000100}");
  CHECK(ratio_sampler(1).description() == "TraceIdRatioBased{1.000000}");
  CHECK(ratio_sampler(0).description() == "TraceIdRatioBased{0.000000}");
  CHECK(ratio_sampler(0.5).description() == "TraceIdRatioBased{0.500000}");
  CHECK(ratio_sampler(0.123456789).description() == "TraceIdRatioBased{0.123457}");
  CHECK(ratio_sampler(0.9999999).description() == "TraceIdRatioBased{1.000000}");
}
