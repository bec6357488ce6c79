// expect: attribute_source
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;
using namespace fg::literals;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter> const& tracer, const int* count) {
#ifdef MISTAKE
  auto span = tracer.trace_context("name", "count"_a = count);
#else
  auto span = tracer.trace_context("name", "count"_a = *count);
#endif
}
