// `fulgurite doctor`: from the configuration that a traced program would find to a span that has arrived, or to what is
// in its way.
//
//     doctor/settings.hpp       what was configured, and by what
//     doctor/destinations.hpp   the exporters that follow from it, and where they send
//     doctor/examination.hpp    one destination from the first question to the last
//     doctor/test_span.hpp      one span through the same pipeline, and into each exporter
//     doctor/read_back.hpp      asks the backend for it
//     doctor/advice.hpp         from what went wrong to what to do
//     doctor/page.hpp           how it looks
//
// Everything has a time limit, and no secret gets into the output.
#pragma once

#include <optional>
#include <string>

namespace fulgurite_server {

struct doctor_options {
  /// Settings at their defaults, too.
  bool all = false;
  /// Where to ask for the test span: the address of Jaeger's or Zipkin's interface, or of a local server.
  std::optional<std::string> read_back = {};
};

/// Prints what it finds. Returns the exit code: 0 when all is well, or tracing is off as it was configured to be; 1
/// when something failed.
int doctor(doctor_options const& options);

}  // namespace fulgurite_server
