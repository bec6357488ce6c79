// A stranger's program that sends one span over OTLP/HTTP to the address it is given.
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include <chrono>

namespace fg = fulgurite;

int main(int count, char** arguments) {
  if (count != 2) return 2;
  fg::tracer tracer{fg::resource{.service_name = "consumer"}, fg::always_on_sampler{},
                    fg::otlp_http_exporter{{.endpoint = arguments[1]}}};
  {
    auto span = tracer.trace_context("sent by http");
  }
  return tracer.shutdown(std::chrono::seconds(10)) ? 0 : 1;
}
