// A stranger's program that sends one span over OTLP/gRPC to the address it is given; exit 0 when it was taken.
#include <fulgurite/exporter/otlp_grpc.hpp>
#include <fulgurite/fulgurite.hpp>

#include <chrono>

namespace fg = fulgurite;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  fg::tracer tracer{fg::resource{.service_name = "consumer"}, fg::always_on_sampler{},
                    fg::otlp_grpc_exporter{{.endpoint = arguments[1], .delivery = {.max_attempts = 1}}}};
  {
    auto span = tracer.trace_context("sent by grpc");
  }
  return tracer.shutdown(std::chrono::seconds(10)) && tracer.stats().exported == 1 ? 0 : 1;
}
