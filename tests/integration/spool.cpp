// Traces at a steady pace with a spool, and says at every moment what it has made and what is safe; spool.py kills it.
//
// usage: spool ENDPOINT DIRECTORY PREFIX. Spans are named PREFIX-0, PREFIX-1, ... in the order they end, until standard
// input ends; with an empty PREFIX none is made. Every 10 ms a line: made, then the accounts.
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include <poll.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

namespace fg = fulgurite;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: spool ENDPOINT DIRECTORY PREFIX\n", stderr);
    return 2;
  }
  fg::set_log_handler([](fg::log_level, std::string_view) {});  // a dead backend is the point here
  fg::otlp_http_options options;
  options.endpoint = argv[1];
  options.gzip = false;
  options.timeout = 300ms;
  options.delivery.initial_backoff = 5ms;
  options.delivery.max_backoff = 40ms;
  options.delivery.spool = argv[2];
  fg::tracer tracer{
      fg::resource{.service_name = "spool"},
      fg::always_on_sampler{},
      fg::otlp_http_exporter(options),
      {},
      fg::batch_processor<>{fg::batch_options{.max_queue_size = 10'000, .max_batch_size = 50, .schedule_delay = 5ms}}};
  const std::string prefix = argv[3];
  pollfd input{0, POLLIN, 0};
  for (long made = 0; ::poll(&input, 1, 0) == 0;) {
    for (int i = 0; i < 20 && !prefix.empty(); ++i, ++made)
      auto span = tracer.trace_context(fg::span_name(std::string_view(prefix + "-" + std::to_string(made) + ".")));
    const fg::tracer_stats stats = tracer.stats();
    std::printf("%ld %lu %lu %lu %lu %lu %lu %lu\n", made, stats.sampled, stats.exported, stats.spooled, stats.queued,
                stats.failed, stats.dropped, stats.replayed);
    std::fflush(stdout);
    std::this_thread::sleep_for(10ms);
  }
}
