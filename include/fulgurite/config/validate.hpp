// Whether a configuration can be used: every problem at once.
#pragma once

#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/config/loaded_config.hpp>
#include <fulgurite/processor/redaction_rules.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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
  const redaction_rules rules(config.redact);  // named: it must outlive the loop
  for (auto const& problem : rules.problems()) problems.push_back({"TRACER_REDACT", problem.rule, problem.allowed});
  return problems;
}

namespace detail {

/// A problem with a member that was found when all was read: under the name by which it was given, and with the file
/// if that was there. `unread` is the name where nothing was read, or nothing was said.
inline config_problem problem_where_given(loaded_config const& from, std::string_view member, const char* unread,
                                          std::string value, std::string allowed) {
  config_problem problem{unread, std::move(value), std::move(allowed)};
  const config_origin origin = from.origin(member);
  for_each_config_field([&](auto const& field) {
    if (field.name != member) return;
    if (origin == config_origin::file) {
      using type = std::remove_cvref_t<decltype(from.config.*field.member)>;
      problem.is_text = !std::same_as<type, std::size_t>;
      problem.variable = field.name;
      problem.allowed += " (in " + from.file + ")";
    } else {
      if (origin == config_origin::own_variable) problem.variable = field.variable;
      if (origin == config_origin::opentelemetry && field.standard) problem.variable = field.standard;
      if (origin == config_origin::opentelemetry_general && field.standard_general)
        problem.variable = field.standard_general;
    }
  });
  if (member == "tracer_type" && origin == config_origin::opentelemetry) problem.variable = "OTEL_TRACES_EXPORTER";
  return problem;
}

/// Whether one of these members has a problem already; its value is then the default, which nobody gave.
inline bool has_problem(std::vector<config_problem> const& problems, std::initializer_list<std::string_view> members) {
  bool found = false;
  for_each_config_field([&](auto const& field) {
    if (std::ranges::find(members, std::string_view(field.name)) == members.end()) return;
    for (config_problem const& problem : problems)
      found = found || problem.variable == field.name || problem.variable == field.best_name();
  });
  return found;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
