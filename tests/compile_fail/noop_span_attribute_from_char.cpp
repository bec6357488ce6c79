// expect: attribute_source
#include <fulgurite/noop.hpp>

namespace fg = fulgurite;

void traced(fg::noop_tracer const& tracer) {
  auto span = tracer.trace_context("name");
#ifdef MISTAKE
  span.set_attribute("grade", 'a');
#else
  span.set_attribute("grade", "a");
#endif
}
