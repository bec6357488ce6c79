#include <fulgurite/span/tracer_fwd.hpp>

// Only named: a program may speak of a tracer's type without the library behind it.
namespace {
struct sampler;
struct exporter;
using named = fulgurite::tracer<sampler, exporter>;
[[maybe_unused]] named* pointer = nullptr;
}  // namespace

#include <fulgurite/fulgurite.hpp>

#include <doctest/doctest.h>

#include <type_traits>

TEST_CASE("the default policies are those that tracer.hpp brings") {
  namespace fg = fulgurite;
  CHECK(std::is_same_v<fg::tracer<fg::always_on_sampler, fg::memory_exporter>,
                       fg::tracer<fg::always_on_sampler, fg::memory_exporter, fg::w3c_propagator,
                                  fg::batch_processor<fg::tsc_clock, fg::drop_newest>>>);
}
