// Every backend behind runtime.hpp: include this in one source file of a program (or link fulgurite-runtime, which is
// this header compiled), and `get_tracer_from_env`, `create_tracer` and `global_tracer` speak to the backends.
//
// Needs all of the dependencies. What a setting means is in config/descriptors.hpp; here a configuration becomes a
// sampler, an exporter, a propagator and a processor.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/config/backend_problems.hpp>
#include <fulgurite/config/compose.hpp>
#include <fulgurite/config/exporter_factory.hpp>
#include <fulgurite/config/load.hpp>
#include <fulgurite/config/validate.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/processor/redacting.hpp>
#include <fulgurite/processor/redaction_rules.hpp>
#include <fulgurite/propagator/baggage.hpp>
#include <fulgurite/propagator/noop.hpp>
#include <fulgurite/propagator/trace_context.hpp>
#include <fulgurite/propagator/w3c.hpp>
#include <fulgurite/runtime.hpp>
#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/sampler/parent_based.hpp>
#include <fulgurite/sampler/ratio.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline any_sampler make_sampler(tracer_config const& config) {
  std::string const& name = config.sampler;
  const auto ratio = [&]() -> any_sampler {
    if (name == "traceidratio") return ratio_sampler{config.sampling_rate};
    if (config.sampling_rate >= 1) return parent_based{always_on_sampler{}};
    return parent_based{ratio_sampler{config.sampling_rate}};
  };
  if (name == "always_on") return always_on_sampler{};
  if (name == "always_off") return always_off_sampler{};
  if (name == "parentbased_always_on") return parent_based{always_on_sampler{}};
  if (name == "parentbased_always_off") return parent_based{always_off_sampler{}};
  return ratio();
}

inline any_propagator make_propagator(tracer_config const& config) {
  const auto has = [&](const char* name) {
    return std::ranges::find(config.propagators, name) != config.propagators.end();
  };
  if (has("none") || config.propagators.empty()) return noop_propagator{};
  if (!has("baggage")) return trace_context_propagator{};
  if (!has("tracecontext")) return baggage_propagator{};
  return w3c_propagator{};
}

inline any_processor make_processor(tracer_config const& config) {
  const batch_options options = make_batch_options(config);
  redaction_rules rules(config.redact);
  if (rules.empty()) return batch_processor<>(options);
  std::optional<redaction_key> key = redaction_key::from_hex(config.redact_key);
  if (!key) key = redaction_key::random();
  return redacting<redaction_rules>(std::move(rules), batch_processor<>(options), key);
}

inline std::string allowed_registered(std::vector<std::string> const& names) {
  return "the name of a registered tracer" + (names.empty() ? ", and none is registered" : ": " + text_of(names));
}

/// The name by which a tracer may be registered that then replaces the built-in one.
inline std::string registered_name(tracer_config const& config) {
  return lower_case(config.registered_type.empty() ? text_of(config.tracer_type) : config.registered_type);
}

/// Every problem of a configuration: those found when it was read, and what its backend cannot do.
inline std::vector<config_problem> all_problems(loaded_config const& from, bool is_registered) {
  tracer_config const& config = from.config;
  std::vector<config_problem> problems = from.problems;
  if (is_registered) return problems;
  if (!config.registered_type.empty())
    problems.push_back(problem_where_given(from, "registered_type", "TRACER_TYPE", config.registered_type,
                                           from.origin("registered_type") == config_origin::file
                                               ? allowed_registered(tracer_registry::instance().names())
                                               : allowed_types(tracer_registry::instance().names())));
  else
    for (config_problem& problem : problems_of_backend(from, from.problems)) problems.push_back(std::move(problem));
  return problems;
}

/// The tracer of a configuration, unless problems were found in it so far or are found now.
inline any_tracer make_tracer(loaded_config const& from) {
  tracer_config const& config = from.config;
  const tracer_maker registered = tracer_registry::instance().find(registered_name(config));
  std::vector<config_problem> problems = all_problems(from, static_cast<bool>(registered));
  if (!problems.empty()) throw config_error(std::move(problems));

  apply_to_process(config);
  if (registered) return registered(config);
  warn_about(config);
  if (config.tracer_type == tracer_type::noop) return {};
  if (config.sdk_disabled)
    return any_tracer(make_resource(config), always_off_sampler{}, noop_exporter{}, make_propagator(config),
                      any_processor{}, make_options(config));
  return any_tracer(make_resource(config), make_sampler(config), make_exporter(config), make_propagator(config),
                    make_processor(config), make_options(config));
}

inline any_tracer make_tracer_from_config(tracer_config const& config) {
  return make_tracer({.config = config, .problems = problems_of(config)});
}

inline any_tracer make_tracer_from_environment() {
  const std::vector<std::string> registered = tracer_registry::instance().names();
  const loaded_config loaded = load_config(registered);
  for (std::string const& warning : loaded.warnings) log(log_level::warn, warning);
  return make_tracer(loaded);
}

extern "C" [[gnu::used, gnu::visibility("default")]] inline backends const* fulgurite_v1_backends() noexcept {
  static constexpr backends all{&make_tracer_from_environment, &make_tracer_from_config};
  return &all;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
