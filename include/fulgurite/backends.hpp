// Every backend behind runtime.hpp: include this in one source file of a program (or link fulgurite-runtime, which is
// this header compiled), and `get_tracer_from_env`, `create_tracer` and `global_tracer` speak to the backends.
//
// Needs all of the dependencies. What a setting means is in config/descriptors.hpp; here a configuration becomes a
// sampler, an exporter, a propagator and a processor.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/config/load.hpp>
#include <fulgurite/config/validate.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/exporter/console.hpp>
#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
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
#include <fulgurite/span/lifecycle.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
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

inline resource make_resource(tracer_config const& config) {
  resource of{config.service_name, config.service_version, config.environment, {}};
  for (auto const& [key, value] : config.resource_attributes) of.attributes.push_back({key, attribute_value(value)});
  return of;
}

inline void set_spool(delivery_options& to, tracer_config const& config) {
  to.spool = config.spool;
  to.spool_max_bytes = static_cast<std::uint64_t>(config.spool_max_bytes);
}

inline otlp_http_exporter make_otlp_exporter(tracer_config const& config, std::string const& url) {
  otlp_http_options options;
  options.endpoint = url;
  options.headers = config.otlp_headers;
  options.gzip = config.otlp_compression != "none";
  options.timeout = config.otlp_timeout;
  options.ca_file = config.otlp_certificate;
  options.client_certificate = config.otlp_client_certificate;
  options.client_key = config.otlp_client_key;
  set_spool(options.delivery, config);
  return otlp_http_exporter(std::move(options));
}

inline any_exporter make_exporter(tracer_config const& config) {
  if (config.tracer_type == tracer_type::agentops) {
    agentops_options options;
    options.managed = uses_local_agentops(config);
    options.daemon = config.agentops_daemon;
    options.environment = config.environment;
    options.data_directory = config.agentops_data_directory;
    options.api_key = config.agentops_api_key;
    set_spool(options.delivery, config);
    if (!config.agentops_api_endpoint.empty()) options.endpoint = config.agentops_api_endpoint;
    if (!config.agentops_exporter_endpoint.empty()) options.exporter_endpoint = config.agentops_exporter_endpoint;
    return agentops_exporter(std::move(options));
  }
  if (config.traces_exporter == "console") return console_exporter{};
  if (config.traces_exporter == "none") return noop_exporter{};
  return make_otlp_exporter(config, otlp_target_of(config).url);
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

inline any_processor make_processor(tracer_config const& config) {
  batch_options options;
  options.max_queue_size = config.max_queue_size;
  options.max_batch_size = config.max_batch_size;
  options.schedule_delay = config.schedule_delay;
  options.export_timeout = config.export_timeout;
  redaction_rules rules(config.redact);
  if (rules.empty()) return batch_processor<>(options);
  std::optional<redaction_key> key = redaction_key::from_hex(config.redact_key);
  if (!key) key = redaction_key::random();
  return redacting<redaction_rules>(std::move(rules), batch_processor<>(options), key);
}

/// AWS's X-Ray takes signed requests only.
inline bool is_xray(std::string_view endpoint) {
  const auto parts = split_endpoint(endpoint);
  return parts && parts->host.starts_with("xray.") && parts->host.ends_with(".amazonaws.com");
}

/// What each setting allows and the backend cannot do: it lacks something, or it is not in this version. `from` says
/// where each value comes from; what is a consequence of the problems `so_far` is left out.
inline std::vector<config_problem> problems_of_backend(loaded_config const& from,
                                                       std::vector<config_problem> const& so_far) {
  tracer_config const& config = from.config;
  std::vector<config_problem> problems;
  const auto missing = [&](std::string_view member, const char* variable, std::string value, std::string allowed) {
    problems.push_back(problem_where_given(from, member, variable, std::move(value), std::move(allowed)));
  };
  if (config.sdk_disabled || has_problem(so_far, {"tracer_type", "registered_type"})) return problems;
  switch (config.tracer_type) {
    case tracer_type::noop:
      break;
    case tracer_type::jaeger:
    case tracer_type::zipkin:
      missing("tracer_type", "TRACER_TYPE", text_of(config.tracer_type),
              std::string(from.origin("tracer_type") == config_origin::opentelemetry ? "otlp, console, none"
                                                                                     : types_in_this_version) +
                  ": " + text_of(config.tracer_type) + " is not in this version");
      break;
    case tracer_type::agentops:
      if (!uses_local_agentops(config) && config.agentops_api_key.empty() &&
          !has_problem(so_far, {"agentops_api_key", "agentops_managed"}))
        missing("agentops_api_key", "AGENTOPS_API_KEY", "",
                "the key of AgentOps' cloud, or AGENTOPS_MANAGED=true for the local server");
      break;
    case tracer_type::opentelemetry: {
      if (config.traces_exporter != "otlp" || has_problem(so_far, {"traces_exporter"})) break;
      const bool has_certificate = !config.otlp_client_certificate.empty();
      if (has_certificate && config.otlp_client_key.empty())
        missing("otlp_client_key", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "",
                "a PEM file with the private key of the client's certificate, which may be the same file");
      if (!has_certificate && !config.otlp_client_key.empty())
        missing("otlp_client_certificate", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "",
                "a PEM file with the certificate of the client's key, which may be the same file");
      if (has_problem(so_far, {"otlp_endpoint", "otlp_protocol"})) break;
      const otlp_target target = otlp_target_of(config);
      if (target.protocol == "http/json" || (target.protocol == "grpc" && !config.otlp_protocol.empty()))
        missing("otlp_protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", target.protocol,
                "http/protobuf: " + target.protocol + " is not in this version");
      else if (target.protocol == "grpc")
        missing("otlp_endpoint", "OTLP_ENDPOINT", without_secrets(target.url),
                std::string("an address with a path or on port 4318, or any with OTEL_EXPORTER_OTLP_PROTOCOL=http/"
                            "protobuf: gRPC is not in this version") +
                    (target.url == tracer_config().otlp_endpoint
                         ? ". This value is the default; set OTLP_ENDPOINT=http://localhost:4318 instead"
                         : ""));
      if (!config.aws_region.empty() && is_xray(target.url))
        missing("otlp_endpoint", "OTLP_ENDPOINT", without_secrets(target.url),
                "an address that needs no signature: AWS X-Ray is not in this version");
    }
  }
  return problems;
}

inline void warn_about(tracer_config const& config) {
  if (config.environment != "production" || config.sdk_disabled) return;
  std::vector<std::string> ways_out;
  if (config.tracer_type == tracer_type::opentelemetry && config.traces_exporter == "otlp")
    ways_out = {otlp_target_of(config).url};
  else if (config.tracer_type == tracer_type::agentops && !uses_local_agentops(config))
    ways_out = {config.agentops_api_endpoint, config.agentops_exporter_endpoint};
  for (std::string const& url : ways_out)
    if (is_plain_and_remote(url))
      log(log_level::warn, "spans leave a production environment unencrypted: " + without_secrets(url));
}

inline void set_log_level(std::string const& name) {
  if (name.empty()) return;
  logger& self = the_logger();
  const std::lock_guard lock(self.mutex);
  self.threshold = log_level_named(name, self.threshold);
}

inline std::string allowed_registered(std::vector<std::string> const& names) {
  return "the name of a registered tracer" + (names.empty() ? ", and none is registered" : ": " + text_of(names));
}

/// The tracer of a configuration, unless problems were found in it so far or are found now.
inline any_tracer make_tracer(loaded_config const& from) {
  tracer_config const& config = from.config;
  std::vector<config_problem> problems = from.problems;
  const std::string name = config.registered_type.empty() ? text_of(config.tracer_type) : config.registered_type;
  const tracer_maker registered = tracer_registry::instance().find(lower_case(name));
  if (!registered && !config.registered_type.empty())
    problems.push_back(problem_where_given(from, "registered_type", "TRACER_TYPE", name,
                                           from.origin("registered_type") == config_origin::file
                                               ? allowed_registered(tracer_registry::instance().names())
                                               : allowed_types(tracer_registry::instance().names())));
  else if (!registered)
    for (config_problem& problem : problems_of_backend(from, from.problems)) problems.push_back(std::move(problem));
  if (!problems.empty()) throw config_error(std::move(problems));

  set_log_level(config.log_level);
  if (!config.instrument_managed) set_instrumented(false);
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
