// What each setting allows and the backend cannot do: found at start-up, when all has been read.
#pragma once

#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/loaded_config.hpp>
#include <fulgurite/config/path_problems.hpp>
#include <fulgurite/config/validate.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/xray.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline bool exports_by(tracer_config const& config, std::string_view word) {
  if (config.tracer_type != tracer_type::opentelemetry) return word == text_of(config.tracer_type);
  return std::ranges::find(config.traces_exporters, word) != config.traces_exporters.end();
}

/// AWS's X-Ray takes signed requests only.
inline bool is_signed_for_xray(tracer_config const& config, std::string_view url) {
  const auto parts = split_endpoint(url);
  return !config.aws_region.empty() && parts && !xray_region(parts->host).empty();
}

/// Whether the library's own HTTP client goes out with a list of whom to trust.
inline bool uses_ca_file(tracer_config const& config) {
  const auto jaeger = split_endpoint(config.jaeger_endpoint);
  return exports_by(config, "otlp") || exports_by(config, "zipkin") ||
         (exports_by(config, "jaeger") && jaeger && !is_udp(*jaeger)) ||
         (config.tracer_type == tracer_type::agentops && !uses_local_agentops(config));
}

/// `from` says where each value comes from; what is a consequence of the problems `so_far` is left out.
inline std::vector<config_problem> problems_of_backend(loaded_config const& from,
                                                       std::vector<config_problem> const& so_far) {
  tracer_config const& config = from.config;
  std::vector<config_problem> problems;
  const auto missing = [&](std::string_view member, const char* variable, std::string value, std::string allowed) {
    problems.push_back(problem_where_given(from, member, variable, std::move(value), std::move(allowed)));
  };
  if (config.sdk_disabled || has_problem(so_far, {"tracer_type", "registered_type"})) return problems;
  if (config.tracer_type == tracer_type::agentops && !uses_local_agentops(config) && config.agentops_api_key.empty() &&
      !has_problem(so_far, {"agentops_api_key", "agentops_managed"}))
    missing("agentops_api_key", "AGENTOPS_API_KEY", "",
            "the key of AgentOps' cloud, or AGENTOPS_MANAGED=true for the local server");
  if (exports_by(config, "none") && config.tracer_type == tracer_type::opentelemetry &&
      config.traces_exporters.size() > 1)
    missing("traces_exporters", "OTEL_TRACES_EXPORTER", text_of(config.traces_exporters), "none alone, or others");
  if (exports_by(config, "jaeger") && !config.jaeger_user.empty() && config.jaeger_user.find(':') != std::string::npos)
    missing("jaeger_user", "JAEGER_USER", std::string(hidden_text), "a name without a colon (RFC 7617)");
  if (exports_by(config, "jaeger") && config.jaeger_user.empty() && !config.jaeger_password.empty())
    missing("jaeger_user", "JAEGER_USER", "", "the name that belongs to JAEGER_PASSWORD");
  if (exports_by(config, "jaeger") && !config.jaeger_user.empty() && !config.jaeger_auth_token.empty())
    missing("jaeger_auth_token", "JAEGER_AUTH_TOKEN", std::string(hidden_text),
            "a token, or a user with a password, but not both");
  if (exports_by(config, "jaeger") && !config.jaeger_protocol.empty() &&
      !has_problem(so_far, {"jaeger_endpoint", "jaeger_protocol"})) {
    const auto parts = split_endpoint(config.jaeger_endpoint);
    const bool udp = parts && is_udp(*parts);
    if (udp != config.jaeger_protocol.starts_with("udp/"))
      missing("jaeger_protocol", "OTEL_EXPORTER_JAEGER_PROTOCOL", config.jaeger_protocol,
              udp ? "udp/thrift.compact, udp/thrift.binary: Jaeger's endpoint is udp://"
                  : "http/thrift.binary: Jaeger's endpoint is not udp://");
  }
  const auto check_path = [&](std::string_view member, const char* variable, std::string const& path,
                              std::string (*problem_of)(std::string const&), const char* allowed) {
    if (path.empty() || has_problem(so_far, {member})) return;
    if (const std::string wrong = problem_of(path); !wrong.empty())
      missing(member, variable, path, std::string(allowed) + " (" + wrong + ")");
  };
  constexpr const char* pem = "the path of a PEM file that can be read";
  if (uses_ca_file(config)) check_path("ca_file", "TRACER_CA_FILE", config.ca_file, problem_of_file_to_read, pem);
  if (exports_by(config, "file"))
    check_path("file", "TRACER_FILE", config.file, problem_of_file_to_write, "a file that can be written");
  if (config.tracer_type != tracer_type::noop)
    check_path("spool", "TRACER_SPOOL", config.spool, problem_of_directory, "a directory that can be written, or made");
  if (!exports_by(config, "otlp") || has_problem(so_far, {"traces_exporters"})) return problems;

  const bool has_certificate = !config.otlp_client_certificate.empty();
  if (has_certificate && config.otlp_client_key.empty())
    missing("otlp_client_key", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "",
            "a PEM file with the private key of the client's certificate, which may be the same file");
  if (!has_certificate && !config.otlp_client_key.empty())
    missing("otlp_client_certificate", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "",
            "a PEM file with the certificate of the client's key, which may be the same file");
  check_path("otlp_certificate", "OTEL_EXPORTER_OTLP_CERTIFICATE", config.otlp_certificate, problem_of_file_to_read,
             pem);
  check_path("otlp_client_certificate", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", config.otlp_client_certificate,
             problem_of_file_to_read, pem);
  check_path("otlp_client_key", "OTEL_EXPORTER_OTLP_CLIENT_KEY", config.otlp_client_key, problem_of_file_to_read, pem);
  if (has_problem(so_far, {"otlp_endpoint", "otlp_protocol"})) return problems;
  const otlp_target target = otlp_target_of(config);
  if (is_signed_for_xray(config, target.url) && target.protocol != "http/protobuf")
    missing("otlp_protocol", "OTEL_EXPORTER_OTLP_PROTOCOL", target.protocol,
            "http/protobuf, or an endpoint with the path /v1/traces: that is how X-Ray takes spans");
  return problems;
}

inline void warn_about(tracer_config const& config) {
  if (config.environment != "production" || config.sdk_disabled) return;
  std::vector<std::string> ways_out;
  if (exports_by(config, "otlp")) ways_out.push_back(otlp_target_of(config).url);
  if (exports_by(config, "jaeger")) ways_out.push_back(config.jaeger_endpoint);
  if (exports_by(config, "zipkin")) ways_out.push_back(config.zipkin_endpoint);
  if (config.tracer_type == tracer_type::agentops && !uses_local_agentops(config)) {
    ways_out.push_back(config.agentops_api_endpoint);
    ways_out.push_back(config.agentops_exporter_endpoint);
  }
  for (std::string const& url : ways_out)
    if (is_plain_and_remote(url))
      log(log_level::warn, "spans leave a production environment unencrypted: " + without_secrets(url));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
