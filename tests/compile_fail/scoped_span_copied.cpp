// A scoped span belongs to its scope.
// expect[g++]: use of deleted function
// expect[clang++]: deleted
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter> const& tracer) {
  auto span = tracer.trace_context("name");
#ifdef MISTAKE
  auto copy = span;
#else
  auto& same = span;
  same.end();
#endif
}
