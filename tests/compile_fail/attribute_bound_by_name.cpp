// A bound attribute refers to its value and would dangle: one that has a name is not accepted.
// expect[g++]: cannot bind rvalue reference of type
// expect[clang++]: expects an rvalue for 2nd argument
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;
using namespace fg::literals;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter> const& tracer) {
#ifdef MISTAKE
  auto id = "id"_a = 7;
  auto span = tracer.trace_context("name", id);
#else
  auto span = tracer.trace_context("name", "id"_a = 7);
#endif
}
