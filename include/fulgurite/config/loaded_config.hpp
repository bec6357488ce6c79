// A configuration on its way: what was read, from where, and what was wrong with it.
#pragma once

#include <fulgurite/config/config_error.hpp>
#include <fulgurite/config/tracer_config.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Where a setting's value comes from; a later one wins.
enum class config_origin { unset, file, opentelemetry_general, opentelemetry, own_variable };

/// A configuration as it was read: its values, where each came from, and what is wrong.
struct loaded_config {
  tracer_config config = {};
  /// What makes the configuration unusable.
  std::vector<config_problem> problems = {};
  /// What was ignored, one sentence each, without secrets.
  std::vector<std::string> warnings = {};
  /// By the name of the member; what is not in it is unset.
  std::map<std::string_view, config_origin> origins = {};
  /// The file that was named; empty where there was none.
  std::string file = {};

  config_origin origin(std::string_view member) const {
    const auto found = origins.find(member);
    return found == origins.end() ? config_origin::unset : found->second;
  }
};

}  // namespace v1
}  // namespace fulgurite
