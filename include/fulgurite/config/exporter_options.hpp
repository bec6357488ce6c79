// From a configuration to the options of an exporter: each setting into the option that it means.
//
// Templates over the options' type, so that no exporter and none of its dependencies comes with this header:
// select.hpp uses it with one exporter, config/exporter_factory.hpp with all.
#pragma once

#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/text/base64.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/proxy.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `to` is delivery_options.
template <class Delivery>
void set_spool(Delivery& to, tracer_config const& config) {
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

/// What the exporters over HTTP and gRPC have in common.
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

/// Of each of OTLP's forms; `url` is otlp_target's.
template <class Options>
Options otlp_options_of(tracer_config const& config, std::string const& url) {
  Options options = http_options_of<Options>(config, url);
  options.headers = config.otlp_headers;
  options.gzip = config.otlp_compression != "none";
  options.timeout = config.otlp_timeout;
  if (!config.otlp_certificate.empty()) options.ca_file = config.otlp_certificate;
  options.client_certificate = config.otlp_client_certificate;
  options.client_key = config.otlp_client_key;
  return options;
}

/// RFC 7617.
inline std::string basic_authentication(std::string const& user, std::string const& password) {
  std::string text = "Basic ";
  append_base64(text, user + ":" + password);
  return text;
}

/// Of Jaeger's collector, over HTTP.
template <class Options>
Options jaeger_options_of(tracer_config const& config) {
  Options options = http_options_of<Options>(config, config.jaeger_endpoint);
  options.headers = config.jaeger_headers;
  options.timeout = config.jaeger_timeout;
  if (!config.jaeger_auth_token.empty())
    options.headers.emplace_back("Authorization", "Bearer " + config.jaeger_auth_token);
  else if (!config.jaeger_user.empty())
    options.headers.emplace_back("Authorization", basic_authentication(config.jaeger_user, config.jaeger_password));
  return options;
}

/// Of Zipkin.
template <class Options>
Options zipkin_options_of(tracer_config const& config) {
  Options options = http_options_of<Options>(config, config.zipkin_endpoint);
  options.headers = config.zipkin_headers;
  options.timeout = config.zipkin_timeout;
  return options;
}

/// Of AgentOps: the local server, or the cloud.
template <class Options>
Options agentops_options_of(tracer_config const& config) {
  Options options;
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
  return options;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
