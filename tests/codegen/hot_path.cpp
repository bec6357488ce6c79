// One case of the hot path, n times: what callgrind counts. The difference between a run with 2n and one with n is the
// cost of n spans, without start-up and without the worker.
//
// usage: hot_path CASE N
#include <fulgurite/any_tracer.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/fulgurite.hpp>
#include <fulgurite/processor/any_processor.hpp>
#include <fulgurite/propagator/any_propagator.hpp>
#include <fulgurite/sampler/any_sampler.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

void work() { asm volatile("" ::: "memory"); }

template <class Tracer>
[[gnu::noinline]] void child(Tracer const& tracer, long n) {
  auto root = tracer.trace_context("root");
  for (long i = 0; i < n; ++i) {
    auto span = tracer.trace_context("child");
    work();
  }
}

template <class Tracer>
[[gnu::noinline]] void attributes(Tracer const& tracer, long n) {
  auto root = tracer.trace_context("root");
  for (long i = 0; i < n; ++i) {
    auto span =
        tracer.trace_context("child", "index"_a = i, "ratio"_a = static_cast<double>(i), "flag"_a = true, "size"_a = 7);
    work();
  }
}

template <class Tracer>
[[gnu::noinline]] void strings(Tracer const& tracer, long n) {
  auto root = tracer.trace_context("root");
  const std::string name = "Ada";
  for (long i = 0; i < n; ++i) {
    auto span = tracer.trace_context("child", "index"_a = i, "kind"_a = "visa", "name"_a = name, "flag"_a = true);
    work();
  }
}

template <class Tracer>
[[gnu::noinline]] void set_attributes(Tracer const& tracer, long n) {
  auto root = tracer.trace_context("root");
  for (long i = 0; i < n; ++i) {
    auto span = tracer.trace_context("child");
    span.set_attribute("index", i);
    span.set_attribute("ratio", static_cast<double>(i));
    span.set_attribute("flag", true);
    span.set_attribute("size", 7);
    work();
  }
}

template <class Tracer>
[[gnu::noinline]] void event(Tracer const& tracer, long n) {
  auto root = tracer.trace_context("root");
  for (long i = 0; i < n; ++i) {
    auto span = tracer.trace_context("child");
    span.add_event("retry", {{"attempt", 2}});
    work();
  }
}

template <class Tracer>
[[gnu::noinline]] void roots(Tracer const& tracer, long n) {
  for (long i = 0; i < n; ++i) {
    auto span = tracer.trace_context("root");
    work();
  }
}

/// What is counted (callgrind.py).
template <class Tracer>
[[gnu::noinline]] bool measured(Tracer const& tracer, std::string_view which, long n) {
  if (which == "child" || which == "unsampled" || which == "off")
    child(tracer, n);
  else if (which == "attributes")
    attributes(tracer, n);
  else if (which == "strings")
    strings(tracer, n);
  else if (which == "set_attributes")
    set_attributes(tracer, n);
  else if (which == "event")
    event(tracer, n);
  else if (which == "root")
    roots(tracer, n);
  else
    return false;
  return true;
}

template <class Tracer>
int run(Tracer const& tracer, std::string_view which, long n) {
  {
    auto first = tracer.trace_context("first");  // the thread's ring is made here
  }
  if (!measured(tracer, which, n)) return 2;
  // Without the tracer's destructor, which would collect the rest on this thread.
  std::_Exit(0);
}

fg::resource service() { return {.service_name = "hot-path"}; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: hot_path [any_]{child,attributes,strings,set_attributes,event,root,unsampled,off} N\n", stderr);
    return 2;
  }
  std::string_view which = argv[1];
  const long n = std::atol(argv[2]);
  if (which == "any_off") return run(fg::any_tracer(), "off", n);
  if (which.starts_with("any_")) {
    which.remove_prefix(4);
    if (which == "unsampled")
      return run(fg::any_tracer(service(), fg::always_off_sampler{}, fg::noop_exporter{}, fg::w3c_propagator{},
                                fg::batch_processor{}),
                 which, n);
    return run(fg::any_tracer(service(), fg::parent_based{fg::always_on_sampler{}}, fg::noop_exporter{},
                              fg::w3c_propagator{}, fg::batch_processor{}),
               which, n);
  }
  if (which == "unsampled")
    return run(fg::tracer(service(), fg::parent_based{fg::always_off_sampler{}}, fg::noop_exporter{}), which, n);
  return run(fg::tracer(service(), fg::parent_based{fg::always_on_sampler{}}, fg::noop_exporter{}), which, n);
}
