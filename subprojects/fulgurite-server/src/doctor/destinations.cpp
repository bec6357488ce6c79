#include "destinations.hpp"

#include <fulgurite/config/exporter_factory.hpp>
#include <fulgurite/exporter/agentops/local_server.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

namespace fulgurite_server {
namespace {

using fulgurite::loaded_config;
using fulgurite::tracer_config;
using fulgurite::tracer_type;

constexpr std::chrono::milliseconds longest_attempt{4'000};

tracer_config hurried(tracer_config config) {
  for (std::chrono::milliseconds* limit : {&config.otlp_timeout, &config.jaeger_timeout, &config.zipkin_timeout})
    *limit = limit->count() == 0 ? longest_attempt : std::min(*limit, longest_attempt);
  config.spool.clear();
  config.concurrent_requests = 1;
  return config;
}

/// The kind, the words and the address; `to.config` and `to.word` are there.
void describe(destination& to) {
  tracer_config const& config = to.config;
  if (to.word == "otlp") {
    const fulgurite::otlp_target target = fulgurite::otlp_target_of(config);
    to.url = target.url;
    const bool signed_for_xray = fulgurite::detail::is_signed_for_xray(config, target.url);
    to.kind = target.protocol == "grpc" ? backend::otlp_grpc : signed_for_xray ? backend::xray : backend::otlp_http;
    to.speaks = target.protocol == "grpc"        ? "OTLP over gRPC"
                : signed_for_xray                ? "AWS X-Ray (OTLP over HTTP, signed)"
                : target.protocol == "http/json" ? "OTLP over HTTP in JSON"
                                                 : "OTLP over HTTP";
  } else if (to.word == "jaeger") {
    to.url = config.jaeger_endpoint;
    const auto parts = fulgurite::detail::split_endpoint(to.url);
    const bool udp = parts && fulgurite::detail::is_udp(*parts);
    to.kind = udp ? backend::jaeger_udp : backend::jaeger_http;
    to.speaks = udp ? "Jaeger's agent over UDP" : "Jaeger's Thrift over HTTP";
  } else if (to.word == "zipkin") {
    to.url = config.zipkin_endpoint;
    to.kind = backend::zipkin;
    to.speaks = "Zipkin";
  } else if (to.word == "console") {
    to.kind = backend::console;
    to.speaks = "The console";
    to.address = "to standard output";
  } else if (to.word == "file") {
    to.kind = backend::file;
    to.speaks = "A file";
    std::error_code ignored;
    to.url = std::filesystem::absolute(config.file, ignored).string();
    to.address = "to " + to.url;
  } else if (fulgurite::uses_local_agentops(config)) {
    to.kind = backend::agentops_local;
    to.speaks = "AgentOps' local server";
    to.url = config.agentops_data_directory.empty() ? fulgurite::detail::default_data_directory()
                                                    : config.agentops_data_directory;
    to.address = "keeps its data in " + to.url;
  } else {
    to.kind = backend::agentops_cloud;
    to.speaks = "AgentOps' cloud";
    const fulgurite::agentops_options defaults;
    to.url = config.agentops_exporter_endpoint.empty() ? defaults.exporter_endpoint : config.agentops_exporter_endpoint;
  }
  if (to.address.empty()) to.address = "to " + fulgurite::detail::without_secrets(to.url);
}

const char* address_setting(backend kind) {
  switch (kind) {
    case backend::otlp_grpc:
    case backend::otlp_http:
    case backend::xray:
      return "otlp_endpoint";
    case backend::jaeger_http:
    case backend::jaeger_udp:
      return "jaeger_endpoint";
    case backend::zipkin:
      return "zipkin_endpoint";
    case backend::agentops_local:
      return "agentops_data_directory";
    case backend::agentops_cloud:
      return "agentops_exporter_endpoint";
    case backend::file:
      return "file";
    case backend::console:
      break;
  }
  return "traces_exporters";
}

}  // namespace

std::string off_because(loaded_config const& from, variables const& read) {
  tracer_config const& config = from.config;
  const auto said = [&](const char* member, const char* value) { return place_of(from, read, member).with(value); };
  if (config.tracer_type == tracer_type::noop) return said("tracer_type", "noop");
  if (config.sdk_disabled) return said("sdk_disabled", "true");
  if (config.tracer_type == tracer_type::opentelemetry && config.traces_exporters.front() == "none")
    return said("traces_exporters", "none");
  return {};
}

std::vector<destination> destinations_of(loaded_config const& from, variables const& read) {
  std::vector<destination> all;
  if (!off_because(from, read).empty()) return all;
  tracer_config const& config = from.config;
  const std::vector<std::string> words = config.tracer_type == tracer_type::opentelemetry
                                             ? config.traces_exporters
                                             : std::vector{std::string(to_string(config.tracer_type))};
  for (std::string const& word : words) {
    destination& to = all.emplace_back();
    to.word = word;
    to.config = hurried(config);
    describe(to);
    to.set_by = place_of(from, read, address_setting(to.kind));
    if (const char* const text = to.set_by.file.empty() ? read(to.set_by.name.c_str()) : nullptr) to.given = text;
    to.protocol_set_by = place_of(from, read, "otlp_protocol");
    to.protocol_said = !given_at(from, read, "otlp_protocol").name.empty();
  }
  return all;
}

bool has_grpc() noexcept {
#ifdef FULGURITE_WITHOUT_GRPC
  return false;
#else
  return true;
#endif
}

std::shared_ptr<fulgurite::any_exporter> exporter_to(destination const& to) {
  return std::make_shared<fulgurite::any_exporter>(to.word == "agentops"
                                                       ? fulgurite::detail::make_agentops_exporter(to.config)
                                                       : fulgurite::detail::make_named_exporter(to.config, to.word));
}

empty_request empty_request_to(destination const& to) {
  namespace detail = fulgurite::detail;
  tracer_config const& config = to.config;
  const auto of = [](auto dialect, detail::http_headers headers) {
    headers.emplace_back("Content-Type", std::string(decltype(dialect)::content_type));
    return empty_request{std::move(headers), std::string(decltype(dialect)::probe)};
  };
  if (to.kind == backend::zipkin) return of(detail::zipkin_dialect(), config.zipkin_headers);
  if (to.kind == backend::jaeger_http)
    return of(detail::jaeger_dialect(), detail::jaeger_options_of<fulgurite::jaeger_http_options>(config).headers);
  return fulgurite::otlp_target_of(config).protocol == "http/json"
             ? of(detail::otlp_json_dialect(), config.otlp_headers)
             : of(detail::otlp_protobuf_dialect(), config.otlp_headers);
}

std::string proxy_to(destination const& to, std::string const& url) {
  return fulgurite::detail::proxy_for(to.config, url);
}

tracer_config without_credentials(tracer_config config) {
  for (tracer_config::pairs* headers : {&config.otlp_headers, &config.jaeger_headers, &config.zipkin_headers})
    headers->clear();
  for (std::string* secret :
       {&config.jaeger_user, &config.jaeger_password, &config.jaeger_auth_token, &config.agentops_api_key,
        &config.otlp_client_certificate, &config.otlp_client_key, &config.aws_region})
    secret->clear();
  return config;
}

}  // namespace fulgurite_server
