// Whether a configuration can be used: every problem at once.
#pragma once

#include <fulgurite/config/descriptors.hpp>

#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What is wrong with a configuration that was filled in code, under the name of each setting's variable.
inline std::vector<config_problem> problems_of(tracer_config const& config) {
  std::vector<config_problem> problems;
  detail::for_each_config_field([&](auto const& field) {
    auto const& value = config.*field.member;
    if (!field.is_valid(value)) problems.push_back({field.best_name(), field.shown(value), field.allowed});
  });
  if (config.max_batch_size > config.max_queue_size && config.max_queue_size > 0)
    problems.push_back({"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", detail::text_of(config.max_batch_size),
                        "at most the queue's size, " + detail::text_of(config.max_queue_size)});
  return problems;
}

}  // namespace v1
}  // namespace fulgurite
