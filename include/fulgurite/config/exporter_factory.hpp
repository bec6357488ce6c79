// From a configuration to its exporters: each setting into the option it means.
//
// Needs all of the exporters' dependencies. What can be wrong between a setting and a backend is in
// config/backend_problems.hpp.
#pragma once

#include <fulgurite/config/backend_problems.hpp>
#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/diagnostics/base64.hpp>
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/console.hpp>
#include <fulgurite/exporter/fan_out.hpp>
#include <fulgurite/exporter/file.hpp>
#include <fulgurite/exporter/jaeger_http.hpp>
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/exporter/otlp_grpc.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/exporter/otlp_http_json.hpp>
#include <fulgurite/exporter/xray.hpp>
#include <fulgurite/exporter/zipkin.hpp>
#include <fulgurite/transport/proxy.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline void set_spool(delivery_options& to, tracer_config const& config) {
  to.spool = config.spool;
  to.spool_max_bytes = static_cast<std::uint64_t>(config.spool_max_bytes);
}

/// The proxy that is configured for this address; empty: none.
inline std::string proxy_for(tracer_config const& config, std::string const& url) {
  http_endpoint to;
  if (!parse_endpoint(url, to).empty()) return {};
  return proxy_from_environment(to, [&config](std::string_view name) -> const char* {
    if (name == "https_proxy") return config.https_proxy.c_str();
    if (name == "http_proxy") return config.http_proxy.c_str();
    return name == "no_proxy" ? config.no_proxy.c_str() : nullptr;
  });
}

/// What the exporters over HTTP have in common.
template <class Options>
Options http_options_of(tracer_config const& config, std::string const& url) {
  Options options;
  options.endpoint = url;
  options.ca_file = config.ca_file;
  options.proxy = proxy_for(config, url);
  options.concurrent_requests = config.concurrent_requests;
  set_spool(options.delivery, config);
  return options;
}

template <class Options>
void set_otlp_options(Options& options, tracer_config const& config) {
  options.headers = config.otlp_headers;
  options.gzip = config.otlp_compression != "none";
  options.timeout = config.otlp_timeout;
  if (!config.otlp_certificate.empty()) options.ca_file = config.otlp_certificate;
  options.client_certificate = config.otlp_client_certificate;
  options.client_key = config.otlp_client_key;
}

inline any_exporter make_otlp_exporter(tracer_config const& config) {
  const otlp_target target = otlp_target_of(config);
  if (target.protocol == "grpc") {
    auto options = http_options_of<otlp_grpc_options>(config, target.url);
    set_otlp_options(options, config);
    return otlp_grpc_exporter(std::move(options));
  }
  auto options = http_options_of<otlp_http_options>(config, target.url);
  set_otlp_options(options, config);
  if (is_signed_for_xray(config, target.url)) return xray_exporter(std::move(options), config.aws_region);
  if (target.protocol == "http/json") return otlp_http_json_exporter(std::move(options));
  return otlp_http_exporter(std::move(options));
}

/// RFC 7617.
inline std::string basic_authentication(std::string const& user, std::string const& password) {
  std::string text = "Basic ";
  append_base64(text, user + ":" + password);
  return text;
}

inline any_exporter make_jaeger_exporter(tracer_config const& config) {
  if (const auto parts = split_endpoint(config.jaeger_endpoint); parts && is_udp(*parts)) {
    const bool binary = parts->port == 6832;
    return jaeger_udp_exporter({.host = std::string(parts->host),
                                .port = parts->port,
                                .protocol = binary ? jaeger_udp_protocol::binary : jaeger_udp_protocol::compact,
                                .timeout = config.jaeger_timeout});
  }
  auto options = http_options_of<jaeger_http_options>(config, config.jaeger_endpoint);
  options.headers = config.jaeger_headers;
  options.timeout = config.jaeger_timeout;
  if (!config.jaeger_auth_token.empty())
    options.headers.emplace_back("Authorization", "Bearer " + config.jaeger_auth_token);
  else if (!config.jaeger_user.empty())
    options.headers.emplace_back("Authorization", basic_authentication(config.jaeger_user, config.jaeger_password));
  return jaeger_http_exporter(std::move(options));
}

inline any_exporter make_zipkin_exporter(tracer_config const& config) {
  auto options = http_options_of<zipkin_options>(config, config.zipkin_endpoint);
  options.headers = config.zipkin_headers;
  options.timeout = config.zipkin_timeout;
  return zipkin_exporter(std::move(options));
}

inline any_exporter make_agentops_exporter(tracer_config const& config) {
  agentops_options options;
  options.managed = uses_local_agentops(config);
  if (!options.managed) options.delivery = {};  // the cloud may be away for longer than a local server is
  options.daemon = config.agentops_daemon;
  options.environment = config.environment;
  options.data_directory = config.agentops_data_directory;
  options.api_key = config.agentops_api_key;
  options.ca_file = config.ca_file;
  set_spool(options.delivery, config);
  if (!config.agentops_api_endpoint.empty()) options.endpoint = config.agentops_api_endpoint;
  if (!config.agentops_exporter_endpoint.empty()) options.exporter_endpoint = config.agentops_exporter_endpoint;
  if (!config.agentops_app_url.empty()) options.app_url = config.agentops_app_url;
  if (!options.managed) {
    options.proxy = proxy_for(config, options.endpoint);
    options.exporter_proxy = proxy_for(config, options.exporter_endpoint);
  }
  return agentops_exporter(std::move(options));
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
