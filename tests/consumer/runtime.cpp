// A stranger's program whose backend is chosen by the environment. It sees only the light header: the backends come
// with the library fulgurite-runtime.
#include <fulgurite/runtime.hpp>

#include <chrono>
#include <cstdio>

namespace fg = fulgurite;

int main() try {
  fg::any_tracer tracer = fg::get_tracer_from_env();
  {
    auto span = tracer.trace_context("sent by runtime");
  }
  return tracer.shutdown(std::chrono::seconds(10)) ? 0 : 1;
} catch (fg::config_error const& wrong) {
  std::fprintf(stderr, "%s\n", wrong.what());
  return 2;
}
