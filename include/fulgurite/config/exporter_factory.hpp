// From a configuration to its exporters.
//
// Needs all of the exporters' dependencies; with FULGURITE_WITHOUT_GRPC defined it does without libcurl, and whoever
// asks for gRPC gets an exporter that refuses every batch. Which option a setting means is in
// config/exporter_options.hpp, what can be wrong between a setting and a backend in config/backend_problems.hpp.
#pragma once

#include <fulgurite/config/backend_problems.hpp>
#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/exporter_options.hpp>
#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/console.hpp>
#include <fulgurite/exporter/fan_out.hpp>
#include <fulgurite/exporter/file.hpp>
#include <fulgurite/exporter/jaeger_http.hpp>
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/exporter/noop.hpp>
#ifndef FULGURITE_WITHOUT_GRPC
#include <fulgurite/exporter/otlp_grpc.hpp>
#endif
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/exporter/otlp_http_json.hpp>
#include <fulgurite/exporter/xray.hpp>
#include <fulgurite/exporter/zipkin.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline any_exporter make_otlp_exporter(tracer_config const& config) {
  const otlp_target target = otlp_target_of(config);
  if (target.protocol == "grpc") {
#ifdef FULGURITE_WITHOUT_GRPC
    return any_exporter();
#else
    return otlp_grpc_exporter(otlp_options_of<otlp_grpc_options>(config, target.url));
#endif
  }
  auto options = otlp_options_of<otlp_http_options>(config, target.url);
  if (is_signed_for_xray(config, target.url)) return xray_exporter(std::move(options), config.aws_region);
  if (target.protocol == "http/json") return otlp_http_json_exporter(std::move(options));
  return otlp_http_exporter(std::move(options));
}

inline any_exporter make_jaeger_exporter(tracer_config const& config) {
  if (const auto parts = split_endpoint(config.jaeger_endpoint); parts && is_udp(*parts)) {
    const bool binary =
        config.jaeger_protocol.empty() ? parts->port == 6832 : config.jaeger_protocol == "udp/thrift.binary";
    return jaeger_udp_exporter({.host = std::string(parts->host),
                                .port = parts->port,
                                .protocol = binary ? jaeger_udp_protocol::binary : jaeger_udp_protocol::compact,
                                .timeout = config.jaeger_timeout});
  }
  return jaeger_http_exporter(jaeger_options_of<jaeger_http_options>(config));
}

inline any_exporter make_zipkin_exporter(tracer_config const& config) {
  return zipkin_exporter(zipkin_options_of<zipkin_options>(config));
}

inline any_exporter make_agentops_exporter(tracer_config const& config) {
  return agentops_exporter(agentops_options_of<agentops_options>(config));
}

/// One of OTEL_TRACES_EXPORTER's words.
inline any_exporter make_named_exporter(tracer_config const& config, std::string_view word) {
  if (word == "jaeger") return make_jaeger_exporter(config);
  if (word == "zipkin") return make_zipkin_exporter(config);
  if (word == "console") return console_exporter{};
  if (word == "file") return file_exporter({.path = config.file});
  if (word == "none") return noop_exporter{};
  return make_otlp_exporter(config);
}

inline any_exporter make_exporter(tracer_config const& config) {
  switch (config.tracer_type) {
    case tracer_type::agentops:
      return make_agentops_exporter(config);
    case tracer_type::jaeger:
      return make_jaeger_exporter(config);
    case tracer_type::zipkin:
      return make_zipkin_exporter(config);
    case tracer_type::noop:
      return noop_exporter{};
    case tracer_type::opentelemetry:
      break;
  }
  if (config.traces_exporters.size() == 1) return make_named_exporter(config, config.traces_exporters.front());
  std::vector<any_exporter> all;
  for (std::string const& word : config.traces_exporters) all.push_back(make_named_exporter(config, word));
  return dynamic_fan_out({.names = config.traces_exporters}, std::move(all));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
