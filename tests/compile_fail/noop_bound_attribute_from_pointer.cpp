// expect: attribute_source
#include <fulgurite/noop.hpp>

namespace fg = fulgurite;
using namespace fg::literals;

void traced(fg::noop_tracer const& tracer, const int* count) {
#ifdef MISTAKE
  auto span = tracer.trace_context("name", "count"_a = count);
#else
  auto span = tracer.trace_context("name", "count"_a = *count);
#endif
}
