// The backend chosen when the program is built: `selected_tracer` is one composition, named by
// -DFULGURITE_BACKEND=WORD, and `make_selected_tracer()` makes it. WORD is noop, console, agentops, opentelemetry,
// jaeger, zipkin or runtime, the same in the whole program (it is part of the types' names, so that files which differ
// do not link).
//
// Nothing but that backend is compiled in, and nothing but its dependency is needed; with `noop` nothing is left of the
// tracing at all. The settings are those of a `tracer_config` that the program fills; a composition that is fixed
// cannot follow all of them, and refuses those that it must not pass over (`redact`, another sampler, other
// propagators). Only `runtime` reads the environment (needs fulgurite/backends.hpp in one file of the program,
// or fulgurite-runtime).
#pragma once

#ifndef FULGURITE_BACKEND
#error \
    "fulgurite/select.hpp: say which backend, with -DFULGURITE_BACKEND=noop, console, agentops, opentelemetry, jaeger, zipkin or runtime"
#endif

// The words are in lower case, as they are given. NOLINTBEGIN(readability-identifier-naming)
#define FULGURITE_WORD_noop 1
#define FULGURITE_WORD_console 2
#define FULGURITE_WORD_agentops 3
#define FULGURITE_WORD_opentelemetry 4
#define FULGURITE_WORD_jaeger 5
#define FULGURITE_WORD_zipkin 6
#define FULGURITE_WORD_runtime 7
// NOLINTEND(readability-identifier-naming)
#define FULGURITE_JOIN_AGAIN(a, b) a##b
#define FULGURITE_JOIN(a, b) FULGURITE_JOIN_AGAIN(a, b)
#define FULGURITE_SELECTED FULGURITE_JOIN(FULGURITE_WORD_, FULGURITE_BACKEND)
#define FULGURITE_SELECTION FULGURITE_JOIN(selected_, FULGURITE_BACKEND)

#if FULGURITE_SELECTED == 1
#include <fulgurite/noop.hpp>
#elif FULGURITE_SELECTED == 2
#include <fulgurite/exporter/console.hpp>
#elif FULGURITE_SELECTED == 3
#include <fulgurite/exporter/agentops.hpp>
#elif FULGURITE_SELECTED == 4
#include <fulgurite/exporter/otlp_http.hpp>
#elif FULGURITE_SELECTED == 5
#include <fulgurite/exporter/jaeger_http.hpp>
#elif FULGURITE_SELECTED == 6
#include <fulgurite/exporter/zipkin.hpp>
#elif FULGURITE_SELECTED == 7
#include <fulgurite/runtime.hpp>
#else
#error \
    "fulgurite/select.hpp: FULGURITE_BACKEND is none of noop, console, agentops, opentelemetry, jaeger, zipkin, runtime"
#endif

#if FULGURITE_SELECTED != 1 && FULGURITE_SELECTED != 7
#include <fulgurite/config/compose.hpp>
#include <fulgurite/config/exporter_options.hpp>
#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/fulgurite.hpp>

#include <string>
#endif

namespace fulgurite {
inline namespace v1 {

/// One namespace a backend: two files of a program that were built for different ones refer to different things.
inline namespace FULGURITE_SELECTION {

#if FULGURITE_SELECTED == 1

/// The one composition of this build.
using selected_tracer = noop_tracer;

/// A tracer of nothing. Takes whatever the others take.
template <class... Ignored>
selected_tracer make_selected_tracer(Ignored const&...) noexcept {
  return {};
}

#elif FULGURITE_SELECTED == 7

/// The one composition of this build.
using selected_tracer = any_tracer;

/// What the environment says; throws config_error.
inline selected_tracer make_selected_tracer() { return get_tracer_from_env(); }
/// What a configuration says; throws config_error.
inline selected_tracer make_selected_tracer(tracer_config const& config) { return create_tracer(config); }

#else

#if FULGURITE_SELECTED == 2
/// Where the spans go.
using selected_exporter = console_exporter;
/// The exporter of these settings.
inline selected_exporter make_selected_exporter(tracer_config const&) { return selected_exporter(); }
#elif FULGURITE_SELECTED == 3
/// Where the spans go.
using selected_exporter = agentops_exporter;
/// The exporter of these settings.
inline selected_exporter make_selected_exporter(tracer_config const& config) {
  return selected_exporter(detail::agentops_options_of<agentops_options>(config));
}
#elif FULGURITE_SELECTED == 4
/// Where the spans go.
using selected_exporter = otlp_http_exporter;
/// Over HTTP in protobuf: the default endpoint is http://localhost:4318/v1/traces.
inline selected_exporter make_selected_exporter(tracer_config const& config) {
  tracer_config over_http = config;
  over_http.otlp_protocol = "http/protobuf";
  return selected_exporter(detail::otlp_options_of<otlp_http_options>(config, otlp_target_of(over_http).url));
}
#elif FULGURITE_SELECTED == 5
/// Where the spans go.
using selected_exporter = jaeger_http_exporter;
/// The exporter of these settings.
inline selected_exporter make_selected_exporter(tracer_config const& config) {
  return selected_exporter(detail::jaeger_options_of<jaeger_http_options>(config));
}
#else
/// Where the spans go.
using selected_exporter = zipkin_exporter;
/// The exporter of these settings.
inline selected_exporter make_selected_exporter(tracer_config const& config) {
  return selected_exporter(detail::zipkin_options_of<zipkin_options>(config));
}
#endif

/// The one composition of this build.
using selected_tracer = tracer<parent_based<ratio_sampler>, selected_exporter>;

/// What the settings ask for and a composition that is fixed has not; empty: nothing.
inline std::string refused_by_selection(tracer_config const& config) {
  if (!config.redact.empty()) return "redact";
  if (!config.sampler.empty() && config.sampler != "parentbased_traceidratio") return "sampler";
  if (config.propagators != tracer_config().propagators) return "propagators";
  return {};
}

/// The tracer of these settings. What is wrong with them is logged, and the tracer then records nothing. Those of other
/// backends count nothing.
inline selected_tracer make_selected_tracer(tracer_config const& config = {}) {
  detail::apply_to_process(config);
  const std::string refused = refused_by_selection(config);
  if (!refused.empty())
    detail::log(log_level::error,
                "select.hpp: the setting " + refused +
                    " needs a tracer that is chosen at run time, or composed by hand; tracing stays off");
  const double rate = config.sdk_disabled || !refused.empty() ? 0 : config.sampling_rate;
  return selected_tracer(detail::make_resource(config), parent_based{ratio_sampler{rate}},
                         make_selected_exporter(config), {}, batch_processor<>(detail::make_batch_options(config)),
                         detail::make_options(config));
}

#endif

}  // namespace FULGURITE_SELECTION
}  // namespace v1
}  // namespace fulgurite

#undef FULGURITE_WORD_noop
#undef FULGURITE_WORD_console
#undef FULGURITE_WORD_agentops
#undef FULGURITE_WORD_opentelemetry
#undef FULGURITE_WORD_jaeger
#undef FULGURITE_WORD_zipkin
#undef FULGURITE_WORD_runtime
#undef FULGURITE_JOIN_AGAIN
#undef FULGURITE_JOIN
#undef FULGURITE_SELECTED
#undef FULGURITE_SELECTION
