// expect: get_langchain_callback_handler() is defined by <fulgurite/agent/langchain.hpp>: include it
#include <fulgurite/noop.hpp>

namespace fg = fulgurite;

void traced(fg::noop_tracer& tracer) {
#ifdef MISTAKE
  auto handler = tracer.get_langchain_callback_handler();
#else
  tracer.init();
#endif
}
