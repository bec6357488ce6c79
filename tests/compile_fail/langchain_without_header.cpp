// expect: get_langchain_callback_handler() is defined by <fulgurite/agent/langchain.hpp>: include it
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;

void traced(fg::tracer<fg::always_on_sampler, fg::memory_exporter>& tracer) {
#ifdef MISTAKE
  auto handler = tracer.get_langchain_callback_handler();
#else
  tracer.init();
#endif
}
