// Traces while its backend misbehaves, and says at each step what became of the spans; faults.py is the backend.
//
//   faults FIRST MORE [waits]     the backend is whatever the environment names
//
// Makes FIRST spans and has them flushed on another thread; says `first`, and waits for a line. faults.py sends it when
// it holds the request that came of them. Then makes MORE spans on the same thread and says `traced`: only thereupon
// does faults.py let that request go on, so that a tracing call that waited for the exporter would never return. Then
// come the accounts, as JSON, and a wait for a line after each: when the first flush is done, after a second one, after
// shutdown. With `waits` it does what must be noticed: it flushes before it says `traced`. Exit status: 3 the
// configuration is wrong.
#include <fulgurite/backends.hpp>

#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

constexpr auto patience = std::chrono::minutes(3);

/// How often this thread has gone to sleep: whoever waits, for a lock or for a network, does.
long sleeps() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

void make_spans(fg::any_tracer const& tracer, long count) {
  for (long i = 0; i < count; ++i) auto span = tracer.trace_context("work", "index"_a = i);
}

void wait_for_line() {
  std::string line;
  std::getline(std::cin, line);
}

void say(fg::any_tracer const& tracer, const char* when, bool done) {
  const fg::tracer_stats stats = tracer.stats();
  std::cout << "{\"when\":\"" << when << "\",\"done\":" << done << ",\"made\":" << stats.started
            << ",\"sampled\":" << stats.sampled << ",\"exported\":" << stats.exported << ",\"failed\":" << stats.failed
            << ",\"dropped\":" << stats.dropped << ",\"queued\":" << stats.queued << ",\"retried\":" << stats.retried
            << ",\"by_cause\":{\"queue_full\":" << stats.dropped_by(fg::drop_cause::queue_full)
            << ",\"too_large\":" << stats.dropped_by(fg::drop_cause::too_large)
            << ",\"rejected\":" << stats.dropped_by(fg::drop_cause::rejected)
            << ",\"export_failed\":" << stats.dropped_by(fg::drop_cause::export_failed)
            << ",\"shutdown\":" << stats.dropped_by(fg::drop_cause::shutdown) << "}}" << std::endl;
  wait_for_line();
}

}  // namespace

int main(int argc, char** argv) {
  const bool waits = argc == 4 && std::string_view(argv[3]) == "waits";
  if (argc != 3 && !waits) {
    std::cerr << "usage: faults FIRST MORE [waits]\n";
    return 2;
  }
  try {
    fg::any_tracer tracer = fg::get_tracer_from_env();
    make_spans(tracer, std::atol(argv[1]));
    bool flushed = false;
    std::thread flushing([&] { flushed = tracer.force_flush(patience); });
    std::cout << "first" << std::endl;
    wait_for_line();

    const long before = sleeps();
    make_spans(tracer, std::atol(argv[2]));
    if (waits) tracer.force_flush(patience);
    std::cout << "traced " << sleeps() - before << std::endl;

    flushing.join();
    say(tracer, "first", flushed);
    flushed = tracer.force_flush(patience);
    say(tracer, "second", flushed);
    const bool shut_down = tracer.shutdown(patience);
    say(tracer, "shutdown", shut_down);
  } catch (fg::config_error const& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
}
