// From a configuration to a tracer's parts, but for those whose type it chooses: what every composition takes from it,
// the one made at run time (backends.hpp) and the ones that are fixed (select.hpp).
#pragma once

#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/record/limits.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/span/lifecycle.hpp>
#include <fulgurite/tracer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline resource make_resource(tracer_config const& config) {
  resource of{config.service_name, config.service_version, config.environment, {}};
  for (auto const& [key, value] : config.resource_attributes) of.attributes.push_back({key, attribute_value(value)});
  return of;
}

inline tracer_options make_options(tracer_config const& config) {
  tracer_options options;
  options.shutdown_timeout = config.shutdown_timeout;
  const auto limit = [](std::size_t most) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(most, span_limits::unlimited));
  };
  options.limits = {limit(config.attribute_count_limit),      limit(config.event_count_limit),
                    limit(config.link_count_limit),           limit(config.event_attribute_count_limit),
                    limit(config.link_attribute_count_limit), limit(config.attribute_value_length_limit)};
  return options;
}

inline batch_options make_batch_options(tracer_config const& config) {
  batch_options options;
  options.max_queue_size = config.max_queue_size;
  options.max_batch_size = config.max_batch_size;
  options.schedule_delay = config.schedule_delay;
  options.export_timeout = config.export_timeout;
  return options;
}

/// The level named; the present one for an empty name.
inline void set_log_level(std::string const& name) {
  if (name.empty()) return;
  logger& self = the_logger();
  const std::lock_guard lock(self.mutex);
  self.threshold = log_level_named(name, self.threshold);
}

/// What a configuration sets for the whole process: the log's level, and whether instrumentation records.
inline void apply_to_process(tracer_config const& config) {
  set_log_level(config.log_level);
  if (!config.instrument_managed) set_instrumented(false);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
