// A scoped span belongs to its scope.
// expect[g++]: use of deleted function
// expect[clang++]: deleted
#include <fulgurite/noop.hpp>

namespace fg = fulgurite;

void traced(fg::noop_tracer const& tracer) {
  auto span = tracer.trace_context("name");
#ifdef MISTAKE
  auto copy = span;
#else
  auto& same = span;
  same.end();
#endif
}
