// What can be configured: a plain aggregate whose members start at the documented defaults.
//
// Fill it in code, or let it come from the environment and a file (config/load.hpp). What each member means, the
// variables that set it and what is allowed stand in one table, config/descriptors.hpp, from which
// docs/CONFIGURATION.md is printed. An empty text means that nothing was said.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// The backend.
enum class tracer_type { agentops, opentelemetry, jaeger, zipkin, noop };

/// As `TRACER_TYPE` spells it.
constexpr std::string_view to_string(tracer_type type) noexcept {
  switch (type) {
    case tracer_type::agentops:
      return "agentops";
    case tracer_type::opentelemetry:
      return "opentelemetry";
    case tracer_type::jaeger:
      return "jaeger";
    case tracer_type::zipkin:
      return "zipkin";
    case tracer_type::noop:
      break;
  }
  return "noop";
}

/// A bool that is true until something else is said, and knows whether anything was said.
class true_unless_said {
 public:
  constexpr true_unless_said() noexcept = default;
  constexpr true_unless_said(bool value) noexcept : value_(value), said_(true) {}
  constexpr operator bool() const noexcept { return value_; }
  constexpr bool said() const noexcept { return said_; }

 private:
  bool value_ = true;
  bool said_ = false;
};

/// A number of bytes, in text with or without a unit: `512MiB`.
enum class byte_count : std::uint64_t {};

/// What a tracer is made of at run time. One member for each variable of docs/CONFIGURATION.md.
struct tracer_config {
  using pairs = std::vector<std::pair<std::string, std::string>>;

  fulgurite::tracer_type tracer_type = fulgurite::tracer_type::agentops;
  std::string service_name = "agent-lightning";
  std::string service_version = "1.0.0";
  /// `deployment.environment.name`
  std::string environment = "development";
  /// The share of traces that are kept, in [0, 1].
  double sampling_rate = 1.0;
  bool instrument_managed = true;
  /// Its protocol is `otlp_protocol`'s or follows from it: see config/endpoint.hpp.
  std::string otlp_endpoint = "http://localhost:4317";
  std::string jaeger_endpoint = "http://localhost:14268/api/traces";
  std::string zipkin_endpoint = "http://localhost:9411/api/v2/spans";
  /// The local server, rather than AgentOps' cloud. Unsaid, a given key or endpoint means the cloud.
  true_unless_said agentops_managed = {};
  /// The local server ends with the program that started it, or with the last that uses it by then.
  bool agentops_daemon = true;
  std::string agentops_api_key = {};
  std::string agentops_api_endpoint = {};
  std::string agentops_exporter_endpoint = {};
  std::string agentops_app_url = {};
  /// Where the local server keeps its store.
  std::string agentops_data_directory = {};
  std::string aws_region = {};

  /// The name of a tracer that was registered; it wins over `tracer_type`.
  std::string registered_type = {};
  /// Of type opentelemetry: `otlp`, `jaeger`, `zipkin`, `console`, `file` or `none`; several export to all.
  std::vector<std::string> traces_exporters = {"otlp"};
  /// `grpc`, `http/protobuf` or `http/json`; empty where it follows from the endpoint.
  std::string otlp_protocol = {};
  pairs otlp_headers = {};
  std::string otlp_certificate = {};
  std::string otlp_client_key = {};
  std::string otlp_client_certificate = {};
  /// `gzip` or `none`
  std::string otlp_compression = "gzip";
  /// For a batch with its retries; 0 is no limit.
  std::chrono::milliseconds otlp_timeout{10'000};
  /// Basic authentication, or a bearer token, for Jaeger.
  std::string jaeger_user = {}, jaeger_password = {}, jaeger_auth_token = {};
  pairs jaeger_headers = {};
  std::chrono::milliseconds jaeger_timeout{10'000};
  std::string jaeger_protocol = {};
  pairs zipkin_headers = {};
  std::chrono::milliseconds zipkin_timeout{10'000};
  /// Of the exporter `file`.
  std::string file = "traces.jsonl";
  /// A PEM file: whom to trust instead of the system's list, where an exporter has no setting of its own for it.
  std::string ca_file = {};
  /// Proxies by the scheme of the endpoint, and the hosts that are reached without (transport/proxy.hpp).
  std::string http_proxy = {}, https_proxy = {}, no_proxy = {};
  /// How many requests of a batch may be under way at the same time.
  std::size_t concurrent_requests = 1;
  // The batch processor's own defaults (processor/batch.hpp), larger than OpenTelemetry's.
  std::size_t max_queue_size = 65'536;
  std::size_t max_batch_size = 4'096;
  std::chrono::milliseconds schedule_delay{1'000};
  /// 0 is no limit.
  std::chrono::milliseconds export_timeout{30'000};
  /// A directory: what the backend does not take is kept there and delivered later. Empty: it is lost.
  std::string spool = {};
  /// What one destination may take up there.
  byte_count spool_max_bytes{std::uint64_t{512} << 20};
  /// How long the end waits for what is not delivered yet.
  std::chrono::milliseconds shutdown_timeout{5'000};
  // What a span may hold (record/limits.hpp).
  std::size_t attribute_count_limit = 128;
  std::size_t event_count_limit = 128;
  std::size_t link_count_limit = 128;
  std::size_t event_attribute_count_limit = 128;
  std::size_t link_attribute_count_limit = 128;
  /// Characters of a string, bytes of a byte array.
  std::size_t attribute_value_length_limit = 2'147'483'647;
  std::vector<std::string> propagators = {"tracecontext", "baggage"};
  /// OpenTelemetry's name of a sampler; empty means `parentbased_traceidratio` with the sampling rate.
  std::string sampler = {};
  pairs resource_attributes = {};
  /// What is taken out of spans before they leave the process: see processor/redaction_rules.hpp.
  std::string redact = {};
  /// Of redaction's hashes, 32 hexadecimal digits; empty means a random one for each process.
  std::string redact_key = {};
  /// OpenTelemetry's switch: nothing is recorded, contexts are passed on.
  bool sdk_disabled = false;
  /// `debug`, `info`, `warn`, `error`, `off`; empty leaves it as it is.
  std::string log_level = {};
};

/// Whether spans go to the local AgentOps server: as said, or else unless a key or an endpoint of the cloud was given.
inline bool uses_local_agentops(tracer_config const& config) noexcept {
  if (config.agentops_managed.said()) return config.agentops_managed;
  return config.agentops_api_key.empty() && config.agentops_api_endpoint.empty() &&
         config.agentops_exporter_endpoint.empty();
}

}  // namespace v1
}  // namespace fulgurite
