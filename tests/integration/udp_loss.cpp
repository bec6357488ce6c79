// Sends spans in datagrams to one port of this machine and says how many datagrams they took; udp_loss.py compares that
// with what a real agent and the kernel counted.
//
//   udp_loss PORT compact|binary SPANS waiting|paced|unpaced
//     waiting  batches of 512 spans, which a socket's buffer has room for; says "." after each and waits for a line
//     paced    as the exporter does by default
//     unpaced  as fast as it goes
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/fulgurite.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

fg::jaeger_udp_counts counts;  // written by the worker, read when all is flushed

struct counted_exporter {
  fg::jaeger_udp_exporter real;
  bool waits;

  fg::batch_outcome export_spans(fg::span_batch const& batch) {
    fg::batch_outcome outcome = real.export_spans(batch);
    counts = real.counts();
    if (waits) {
      std::cout << "." << std::endl;
      std::string line;
      std::getline(std::cin, line);
    }
    return outcome;
  }
  bool flush(fg::deadline until) { return real.flush(until); }
  bool shutdown(fg::deadline until) { return real.shutdown(until); }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: udp_loss PORT compact|binary SPANS waiting|paced|unpaced\n";
    return 2;
  }
  const bool binary = std::string_view(argv[2]) == "binary";
  const std::int64_t spans = std::atoll(argv[3]);
  fg::jaeger_udp_options options;
  options.host = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
  options.protocol = binary ? fg::jaeger_udp_protocol::binary : fg::jaeger_udp_protocol::compact;
  if (std::string_view(argv[4]) == "unpaced") options.pause = {};
  const bool waits = std::string_view(argv[4]) == "waiting";
  using processor = fg::batch_processor<fg::tsc_clock, fg::block>;
  fg::batch_options batches;
  if (waits) batches.max_batch_size = 512;
  fg::tracer tracer{fg::resource{.service_name = "udp-loss"}, fg::parent_based{fg::always_on_sampler{}},
                    counted_exporter{fg::jaeger_udp_exporter(options), waits}, fg::w3c_propagator{},
                    processor{batches}};
  for (std::int64_t i = 0; i < spans; ++i)
    auto span = tracer.trace_context("charge card", "order.id"_a = i, "amount"_a = 12.5, "card.kind"_a = "visa",
                                     "retry"_a = true);
  const bool flushed = tracer.force_flush(std::chrono::seconds(60));
  const fg::tracer_stats stats = tracer.stats();
  std::cout << "{\"flushed\":" << flushed << ",\"exported\":" << stats.exported << ",\"dropped\":" << stats.dropped
            << ",\"failed\":" << stats.failed << ",\"datagrams\":" << counts.datagrams
            << ",\"refused\":" << counts.refused << "}" << std::endl;
  return 0;
}
