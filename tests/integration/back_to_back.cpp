// One trace to the managed local server, delivered as the program ends; back_to_back.py runs it again and again.
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;

int main() {
  fg::tracer tracer{fg::resource{.service_name = "back_to_back"}, fg::parent_based{fg::always_on_sampler{}},
                    fg::agentops_exporter{}, fg::w3c_propagator{}, fg::batch_processor{}};
  auto root = tracer.trace_context("root");
  auto child = tracer.trace_context("child");
}
