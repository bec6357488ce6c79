// One span named `fulgurite.doctor`, made by the pipeline that a traced program would have (resource, limits,
// redaction; not its sampler), and its way into an exporter.
#pragma once

#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/context/ids.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/record/record_chunk.hpp>
#include <fulgurite/record/span_batch.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace fulgurite_server {

struct test_span {
  fulgurite::trace_id trace = {};
  fulgurite::span_id span = {};
  fulgurite::detail::record_chunk records = {};
  std::shared_ptr<const fulgurite::resource> resource = {};
  std::shared_ptr<const fulgurite::instrumentation_scope> scope = {};

  fulgurite::span_batch batch() const { return {records.records(), records.spans(), resource, scope}; }
};

/// In a trace of its own. Null when none came out of the pipeline.
std::shared_ptr<const test_span> make_test_span(fulgurite::tracer_config const& config);

/// What came of a request, with the exporter's own words when it failed.
struct outcome {
  bool good = false;
  std::string reason = {};
  std::chrono::nanoseconds took{0};
};

/// Whether the backend answers. Returns at `until`, or a second later.
outcome ask_health(std::shared_ptr<fulgurite::any_exporter> const& exporter, fulgurite::deadline until);

/// Exports the span in one attempt. Returns at `until`, or a second later.
outcome deliver(std::shared_ptr<fulgurite::any_exporter> const& exporter, std::shared_ptr<const test_span> const& span,
                fulgurite::deadline until);

/// From now on the library's log goes to `deliver`, whose failures it explains, and to `heard_elsewhere`.
void listen_to_log();
/// What the log had to say of nothing that was delivered.
std::vector<std::string> heard_elsewhere();

}  // namespace fulgurite_server
