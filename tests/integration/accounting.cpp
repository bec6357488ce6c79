// Makes spans on 8 threads at full speed and says what became of them; accounting.py drives it and owns the backend.
//
// usage: accounting ENDPOINT. Commands on standard input, one a line, each answered with one line:
//   burst N    every thread makes N spans, in traces of 500; answers with the number of spans made so far
//   flush MS   flushes; answers with 1 or 0, then the tracer's accounts as JSON
//   traces     the ids of the traces made, separated by spaces
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: accounting ENDPOINT\n", stderr);
    return 2;
  }
  fg::set_log_handler([](fg::log_level, std::string_view) {});  // a dead backend is the point here
  fg::tracer tracer{
      fg::resource{.service_name = "accounting"}, fg::parent_based{fg::always_on_sampler{}},
      fg::otlp_http_exporter{{.endpoint = argv[1],
                              .timeout = std::chrono::milliseconds(2000),
                              .delivery = {.max_attempts = 3, .initial_backoff = std::chrono::milliseconds(20)}}},
      fg::w3c_propagator{},
      fg::batch_processor{fg::batch_options{
          .max_queue_size = 20'000, .max_batch_size = 2'000, .schedule_delay = std::chrono::milliseconds(20)}}};
  std::atomic<long> made{0};
  std::mutex mutex;
  std::string traces;

  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    long n = 0;
    words >> command >> n;
    if (command == "burst") {
      std::vector<std::thread> threads;
      for (int t = 0; t < 8; ++t)
        threads.emplace_back([&, n] {
          for (long left = n; left > 0; left -= 500) {
            auto root = tracer.trace_context("root", "thread"_a = t);
            {
              const std::lock_guard lock(mutex);
              traces += root.context().trace_id().to_hex() + " ";
            }
            for (int i = 1; i < 500 && i < left; ++i) {
              auto span = tracer.trace_context("child", "index"_a = i, "text"_a = "some text");
            }
            made += left < 500 ? left : 500;
          }
        });
      for (std::thread& thread : threads) thread.join();
      std::cout << made << std::endl;
    } else if (command == "flush") {
      const bool flushed = tracer.force_flush(std::chrono::milliseconds(n));
      const fg::tracer_stats stats = tracer.stats();
      std::cout << "{\"flushed\":" << flushed << ",\"started\":" << stats.started << ",\"sampled\":" << stats.sampled
                << ",\"exported\":" << stats.exported << ",\"failed\":" << stats.failed
                << ",\"dropped\":" << stats.dropped << ",\"queued\":" << stats.queued
                << ",\"retried\":" << stats.retried
                << ",\"queue_full\":" << stats.dropped_by(fg::drop_cause::queue_full)
                << ",\"export_failed\":" << stats.dropped_by(fg::drop_cause::export_failed) << "}" << std::endl;
    } else if (command == "traces") {
      std::cout << traces << std::endl;
    }
  }
}
