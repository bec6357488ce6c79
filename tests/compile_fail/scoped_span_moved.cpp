// What is to be moved is a free span.
// expect[g++]: use of deleted function
// expect[clang++]: deleted
#include <fulgurite/fulgurite.hpp>

#include <utility>

namespace fg = fulgurite;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter> const& tracer) {
#ifdef MISTAKE
  auto span = tracer.trace_context("name");
#else
  auto span = tracer.start_span("name");
#endif
  auto moved = std::move(span);
}
