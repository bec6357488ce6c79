// A stranger's program with the core alone: two spans, printed as OTLP JSON.
#include <fulgurite/fulgurite.hpp>

#include <chrono>
#include <cstdio>

namespace fg = fulgurite;
using namespace fg::literals;

int main() {
  fg::memory_exporter kept;
  fg::tracer tracer{fg::resource{.service_name = "consumer"}, fg::always_on_sampler{}, kept};
  {
    auto outer = tracer.trace_context("outer", "answer"_a = 42);
    auto inner = tracer.trace_context("inner");
  }
  if (!tracer.force_flush(std::chrono::seconds(10))) return 1;
  std::puts(fg::to_otlp_json(kept.spans()).c_str());
}
