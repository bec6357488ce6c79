// expect: attribute_source
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter> const& tracer) {
  auto span = tracer.trace_context("name");
#ifdef MISTAKE
  span.set_attribute("grade", 'a');
#else
  span.set_attribute("grade", "a");
#endif
}
