// expect: two attributes have the same key
#include <fulgurite/noop.hpp>

namespace fg = fulgurite;
using namespace fg::literals;

void traced(fg::noop_tracer const& tracer) {
#ifdef MISTAKE
  auto span = tracer.trace_context("name", "id"_a = 7, "name"_a = "x", "id"_a = true);
#else
  auto span = tracer.trace_context("name", "id"_a = 7, "name"_a = "x", "ID"_a = true);
#endif
}
