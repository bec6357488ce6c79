// The one table of settings: each member of `tracer_config` with its variables, its default, what is allowed, whether
// it is a secret, and a sentence about it.
//
// Reading the environment and a file, validation, printing and docs/CONFIGURATION.md all go through this table; a new
// setting is one member in tracer_config.hpp and one entry here. Needs Boost.Hana.
#pragma once

#include <fulgurite/config/config_error.hpp>
#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/tracer_config.hpp>
#include <fulgurite/config/values.hpp>
#include <fulgurite/processor/redaction/keyed_hash.hpp>
#include <fulgurite/transport/http_message.hpp>
#include <fulgurite/transport/proxy.hpp>

#include <boost/hana/for_each.hpp>
#include <boost/hana/tuple.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// How a setting's text is taken and shown.
enum class setting_kind {
  plain,
  /// One of the words in `allowed`, in any case.
  word,
  /// An address: shown without user, password and query.
  address,
  /// Never shown. Of a list of pairs the keys are.
  secret
};

template <class T>
struct config_field {
  T tracer_config::* member;
  /// Its name in a configuration file.
  const char* name;
  /// The tracer's own variable: a wrong value is an error.
  const char* variable = nullptr;
  /// OpenTelemetry's variable, read where the own one is unset: a wrong value is reported and ignored.
  const char* standard = nullptr;
  /// OpenTelemetry's variable for all signals, read where `standard` is unset too.
  const char* standard_general = nullptr;
  const char* fallback = "";
  const char* allowed = "any text";
  setting_kind kind = setting_kind::plain;
  /// Where a file writes it in another way than a variable.
  const char* allowed_in_file = nullptr;
  bool (*valid)(T const&) = nullptr;
  /// Its OpenTelemetry variables are read by a rule of their own, in config/environment.hpp.
  bool by_rule = false;
  const char* meaning = "";

  /// What a problem with a value that came from code is reported under.
  const char* best_name() const noexcept { return variable ? variable : standard ? standard : name; }

  bool is_valid(T const& value) const {
    if constexpr (std::same_as<T, std::string>) {
      if (kind == setting_kind::word && !value.empty() && !list_has(allowed, value)) return false;
      if (kind == setting_kind::address && value.empty()) return true;
      if (kind == setting_kind::address && !valid) return is_http_endpoint(value);
    }
    return !valid || valid(value);
  }

  /// A value's text as it may be shown.
  std::string shown(T const& value) const {
    if constexpr (std::same_as<T, tracer_config::pairs>) {
      tracer_config::pairs entries = value;
      if (kind == setting_kind::secret)
        for (auto& entry : entries) entry.second = hidden_text;
      return text_of(entries);
    } else
      return shown_text(text_of(value));
  }
  std::string shown_text(std::string_view text) const {
    if (kind == setting_kind::secret && !text.empty()) return std::string(hidden_text);
    return kind == setting_kind::address ? without_secrets(text) : std::string(text);
  }
};

inline constexpr const char* tracer_types = "agentops, opentelemetry, jaeger, zipkin, noop";
inline constexpr const char* exporter_words = "otlp, jaeger, zipkin, console, file, none";

/// What `TRACER_TYPE` may be where tracers are registered under these names.
inline std::string allowed_types(std::span<const std::string> registered) {
  std::string allowed = tracer_types;
  for (std::string const& name : registered)
    if (!list_has(tracer_types, name)) allowed += ", " + name;
  return allowed;
}

template <class T>
std::string allowed_with(std::span<const std::string> registered, config_field<T> const& field) {
  if constexpr (std::same_as<T, tracer_type>)
    return allowed_types(registered);
  else
    return field.allowed;
}

/// Header names and values that cannot break out of their line (RFC 9110, 5.1 and 5.5).
inline bool are_headers(tracer_config::pairs const& headers) {
  return std::ranges::all_of(headers, [](auto const& each) { return is_valid_header(each.first, each.second); });
}
inline bool is_header_value(std::string const& text) { return is_valid_header("name", text); }
inline bool is_proxy(std::string const& text) {
  http_proxy parsed;
  return parse_proxy(text, parsed).empty();
}

inline constexpr const char* yes_or_no = "true, false, 1, 0, yes, no, on, off";
inline constexpr const char* number_from_0 = "a whole number from 0 to 2147483647";
inline constexpr const char* number_from_1 = "a whole number from 1 to 2147483647";
inline constexpr const char* whole_milliseconds = "whole milliseconds from 0 to 2147483647";
inline constexpr const char* whole_milliseconds_or_none = "whole milliseconds from 1 to 2147483647, 0 for no limit";
inline constexpr const char* header_pairs = "key=value,... of valid header names and values, percent-encoded";
inline constexpr const char* header_pairs_in_file =
    "an object of texts: valid header names, and values without control characters";
inline constexpr const char* proxy_address = "http://[user:password@]host[:port]";
inline constexpr const char* http_address =
    "an address http://host[:port][/path] or https://..., without user and password";

// clang-format off
inline constexpr auto config_fields = boost::hana::make_tuple(
    config_field<fulgurite::tracer_type>{.member = &tracer_config::tracer_type, .name = "tracer_type",
        .variable = "TRACER_TYPE", .fallback = "agentops", .allowed = tracer_types,
        .meaning = "The backend. The name of a registered tracer is allowed too. Where it is unset and `OTEL_TRACES_EXPORTER` names an exporter, the type is opentelemetry."},
    config_field<std::string>{.member = &tracer_config::service_name, .name = "service_name",
        .variable = "TRACER_SERVICE_NAME", .standard = "OTEL_SERVICE_NAME", .fallback = "agent-lightning",
        .meaning = "The resource attribute `service.name`; may also be in `OTEL_RESOURCE_ATTRIBUTES`."},
    config_field<std::string>{.member = &tracer_config::service_version, .name = "service_version",
        .variable = "TRACER_SERVICE_VERSION", .fallback = "1.0.0",
        .meaning = "The resource attribute `service.version`; may also be in `OTEL_RESOURCE_ATTRIBUTES`."},
    config_field<std::string>{.member = &tracer_config::environment, .name = "environment",
        .variable = "TRACER_ENVIRONMENT", .fallback = "development",
        .meaning = "The resource attribute `deployment.environment.name`; may also be in `OTEL_RESOURCE_ATTRIBUTES`. With `production` no local server is started, and plain http to another host is warned about."},
    config_field<double>{.member = &tracer_config::sampling_rate, .name = "sampling_rate",
        .variable = "TRACER_SAMPLING_RATE", .standard = "OTEL_TRACES_SAMPLER_ARG", .fallback = "1",
        .allowed = "a number from 0 to 1", .valid = [](double const& rate) { return rate >= 0 && rate <= 1; }, .by_rule = true,
        .meaning = "The share of traces that are kept. `OTEL_TRACES_SAMPLER_ARG` counts only beside a ratio sampler in `OTEL_TRACES_SAMPLER`."},
    config_field<bool>{.member = &tracer_config::instrument_managed, .name = "instrument_managed",
        .variable = "TRACER_INSTRUMENT_MANAGED", .fallback = "true", .allowed = yes_or_no,
        .meaning = "Automatic instrumentation records from the start; otherwise once `instrument()` is called."},
    config_field<std::string>{.member = &tracer_config::otlp_endpoint, .name = "otlp_endpoint",
        .variable = "OTLP_ENDPOINT", .standard = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        .standard_general = "OTEL_EXPORTER_OTLP_ENDPOINT", .fallback = "http://localhost:4317", .allowed = http_address,
        .kind = setting_kind::address,
        .meaning = "Where OTLP goes. With a path, or on port 4318, it is HTTP, else gRPC, unless the protocol is said; an HTTP address without a path gets `/v1/traces`. `OTEL_EXPORTER_OTLP_ENDPOINT` always gets `/v1/traces` with HTTP, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is used unchanged; with these two the unsaid protocol is `http/protobuf`."},
    config_field<std::string>{.member = &tracer_config::jaeger_endpoint, .name = "jaeger_endpoint",
        .variable = "JAEGER_ENDPOINT", .standard = "OTEL_EXPORTER_JAEGER_ENDPOINT", .fallback = "http://localhost:14268/api/traces",
        .allowed = "an address http://host[:port][/path], https://... or udp://host:port", .kind = setting_kind::address,
        .valid = [](std::string const& text) { const auto parts = split_endpoint(text); return parts && (is_udp(*parts) || is_http_endpoint(text)); },
        .meaning = "Where Jaeger's collector, or with `udp://` its agent, listens: Thrift over HTTP, or over UDP."},
    config_field<std::string>{.member = &tracer_config::zipkin_endpoint, .name = "zipkin_endpoint",
        .variable = "ZIPKIN_ENDPOINT", .standard = "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
        .fallback = "http://localhost:9411/api/v2/spans", .allowed = http_address, .kind = setting_kind::address,
        .meaning = "Where Zipkin listens."},
    config_field<true_unless_said>{.member = &tracer_config::agentops_managed, .name = "agentops_managed",
        .variable = "AGENTOPS_MANAGED", .fallback = "true", .allowed = yes_or_no,
        .meaning = "The local server takes the spans, and is started where none runs. Where it is unset, a given AgentOps key or endpoint means the cloud."},
    config_field<bool>{.member = &tracer_config::agentops_daemon, .name = "agentops_daemon",
        .variable = "AGENTOPS_DAEMON", .fallback = "true", .allowed = yes_or_no,
        .meaning = "The local server ends with the program that started it, or with the last that uses it by then."},
    config_field<std::string>{.member = &tracer_config::agentops_api_key, .name = "agentops_api_key",
        .variable = "AGENTOPS_API_KEY", .kind = setting_kind::secret, .meaning = "The key of AgentOps' cloud; the local server takes any."},
    config_field<std::string>{.member = &tracer_config::agentops_api_endpoint, .name = "agentops_api_endpoint",
        .variable = "AGENTOPS_API_ENDPOINT", .allowed = http_address, .kind = setting_kind::address,
        .meaning = "Where AgentOps gives out tokens; unset, `https://api.agentops.ai`."},
    config_field<std::string>{.member = &tracer_config::agentops_exporter_endpoint, .name = "agentops_exporter_endpoint",
        .variable = "AGENTOPS_EXPORTER_ENDPOINT", .allowed = http_address, .kind = setting_kind::address,
        .meaning = "Where AgentOps takes spans, used unchanged; unset, `https://otlp.agentops.ai/v1/traces`."},
    config_field<std::string>{.member = &tracer_config::agentops_app_url, .name = "agentops_app_url",
        .variable = "AGENTOPS_APP_URL", .allowed = http_address, .kind = setting_kind::address,
        .meaning = "AgentOps' dashboard; unset, `https://app.agentops.ai`. Nothing in this version links to it."},
    config_field<std::string>{.member = &tracer_config::agentops_data_directory, .name = "agentops_data_directory",
        .variable = "FULGURITE_DATA", .allowed = "a directory",
        .meaning = "Where the local server keeps its store; unset, `$XDG_DATA_HOME/fulgurite` or `~/.local/share/fulgurite`."},
    config_field<std::string>{.member = &tracer_config::aws_region, .name = "aws_region", .variable = "AWS_REGION", .standard = "AWS_DEFAULT_REGION",
        .allowed = "the name of an AWS region",
        .meaning = "With it, OTLP to AWS's X-Ray (`https://xray.REGION.amazonaws.com/v1/traces`) is signed, with the credentials of the environment, the shared files or the container."},
    config_field<std::string>{.member = &tracer_config::registered_type, .name = "registered_type",
        .allowed = "the name of a registered tracer",
        .meaning = "A tracer that the program registered; in the environment its name stands in `TRACER_TYPE`."},
    config_field<std::vector<std::string>>{.member = &tracer_config::traces_exporters, .name = "traces_exporters",
        .standard = "OTEL_TRACES_EXPORTER", .fallback = "otlp", .allowed = exporter_words,
        .valid = [](std::vector<std::string> const& words) { return !words.empty() && std::ranges::all_of(words, [](auto const& word) { return list_has(exporter_words, word); }); }, .by_rule = true,
        .meaning = "The exporters of the type opentelemetry, one or several between commas, which all get every span; `none` counts alone only. A word that is not known is warned about and ignored."},
    config_field<std::string>{.member = &tracer_config::otlp_protocol, .name = "otlp_protocol",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", .standard_general = "OTEL_EXPORTER_OTLP_PROTOCOL",
        .allowed = "grpc, http/protobuf, http/json", .kind = setting_kind::word,
        .meaning = "The protocol of OTLP; unset, it follows from the endpoint."},
    config_field<tracer_config::pairs>{.member = &tracer_config::otlp_headers, .name = "otlp_headers",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_HEADERS", .standard_general = "OTEL_EXPORTER_OTLP_HEADERS",
        .allowed = header_pairs, .kind = setting_kind::secret, .allowed_in_file = header_pairs_in_file,
        .valid = are_headers, .meaning = "Headers of every OTLP request; the values are secrets."},
    config_field<std::string>{.member = &tracer_config::otlp_certificate, .name = "otlp_certificate",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", .standard_general = "OTEL_EXPORTER_OTLP_CERTIFICATE",
        .allowed = "a PEM file", .meaning = "The certificates that are trusted; unset, the system's."},
    config_field<std::string>{.member = &tracer_config::otlp_client_key, .name = "otlp_client_key",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", .standard_general = "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        .allowed = "a PEM file", .meaning = "The client's private key for mutual TLS."},
    config_field<std::string>{.member = &tracer_config::otlp_client_certificate, .name = "otlp_client_certificate",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", .standard_general = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        .allowed = "a PEM file", .meaning = "The client's certificate for mutual TLS."},
    config_field<std::string>{.member = &tracer_config::otlp_compression, .name = "otlp_compression",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", .standard_general = "OTEL_EXPORTER_OTLP_COMPRESSION",
        .fallback = "gzip", .allowed = "gzip, none", .kind = setting_kind::word, .meaning = "The compression of requests."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::otlp_timeout, .name = "otlp_timeout",
        .standard = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", .standard_general = "OTEL_EXPORTER_OTLP_TIMEOUT",
        .fallback = "10000", .allowed = whole_milliseconds_or_none,
        .valid = [](std::chrono::milliseconds const& limit) { return limit.count() >= 0; },
        .meaning = "The limit for a batch with its retries."},
    config_field<std::string>{.member = &tracer_config::jaeger_user, .name = "jaeger_user",
        .variable = "JAEGER_USER", .standard = "OTEL_EXPORTER_JAEGER_USER", .meaning = "The user's name of basic authentication at Jaeger's collector."},
    config_field<std::string>{.member = &tracer_config::jaeger_password, .name = "jaeger_password",
        .variable = "JAEGER_PASSWORD", .standard = "OTEL_EXPORTER_JAEGER_PASSWORD", .kind = setting_kind::secret,
        .meaning = "The password of basic authentication at Jaeger's collector."},
    config_field<std::string>{.member = &tracer_config::jaeger_auth_token, .name = "jaeger_auth_token",
        .variable = "JAEGER_AUTH_TOKEN", .allowed = "a text without control characters", .kind = setting_kind::secret,
        .valid = is_header_value, .meaning = "The bearer token for Jaeger's collector."},
    config_field<tracer_config::pairs>{.member = &tracer_config::jaeger_headers, .name = "jaeger_headers",
        .variable = "JAEGER_HEADERS", .allowed = header_pairs, .kind = setting_kind::secret,
        .allowed_in_file = header_pairs_in_file, .valid = are_headers,
        .meaning = "Headers of every request to Jaeger; the values are secrets."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::jaeger_timeout, .name = "jaeger_timeout",
        .standard = "OTEL_EXPORTER_JAEGER_TIMEOUT", .fallback = "10000", .allowed = whole_milliseconds_or_none,
        .valid = [](std::chrono::milliseconds const& limit) { return limit.count() >= 0; },
        .meaning = "The limit for a batch to Jaeger with its retries."},
    config_field<std::string>{.member = &tracer_config::jaeger_protocol, .name = "jaeger_protocol",
        .standard = "OTEL_EXPORTER_JAEGER_PROTOCOL", .allowed = "http/thrift.binary, udp/thrift.compact, udp/thrift.binary",
        .kind = setting_kind::word,
        .meaning = "Must fit the scheme of Jaeger's endpoint; unset, it follows from it, and with `udp://` from the port: 6832 is the binary one."},
    config_field<tracer_config::pairs>{.member = &tracer_config::zipkin_headers, .name = "zipkin_headers",
        .variable = "ZIPKIN_HEADERS", .allowed = header_pairs, .kind = setting_kind::secret,
        .allowed_in_file = header_pairs_in_file, .valid = are_headers,
        .meaning = "Headers of every request to Zipkin; the values are secrets."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::zipkin_timeout, .name = "zipkin_timeout",
        .standard = "OTEL_EXPORTER_ZIPKIN_TIMEOUT", .fallback = "10000", .allowed = whole_milliseconds_or_none,
        .valid = [](std::chrono::milliseconds const& limit) { return limit.count() >= 0; },
        .meaning = "The limit for a batch to Zipkin with its retries."},
    config_field<std::string>{.member = &tracer_config::file, .name = "file", .variable = "TRACER_FILE",
        .fallback = "traces.jsonl", .allowed = "the path of a file", .valid = [](std::string const& path) { return !path.empty(); },
        .meaning = "Where the exporter `file` writes: OTLP JSON, one request a line."},
    config_field<std::string>{.member = &tracer_config::ca_file, .name = "ca_file", .variable = "TRACER_CA_FILE",
        .allowed = "a PEM file",
        .meaning = "The certificates that are trusted instead of the system's, by every exporter; for OTLP its own setting goes before it."},
    config_field<std::string>{.member = &tracer_config::http_proxy, .name = "http_proxy",
        .standard = "http_proxy", .allowed = proxy_address, .kind = setting_kind::address, .valid = is_proxy,
        .meaning = "The proxy for endpoints of http. The upper-case name is not read: behind a web server it may come from a request."},
    config_field<std::string>{.member = &tracer_config::https_proxy, .name = "https_proxy",
        .standard = "https_proxy", .standard_general = "HTTPS_PROXY", .allowed = proxy_address, .kind = setting_kind::address,
        .valid = is_proxy, .meaning = "The proxy for endpoints of https."},
    config_field<std::string>{.member = &tracer_config::no_proxy, .name = "no_proxy",
        .standard = "no_proxy", .standard_general = "NO_PROXY", .allowed = "hosts between commas, or *",
        .meaning = "Hosts that are reached without a proxy; a name holds for what is below it, too."},
    config_field<std::size_t>{.member = &tracer_config::concurrent_requests, .name = "concurrent_requests",
        .variable = "TRACER_CONCURRENT_REQUESTS", .fallback = "1", .allowed = "a whole number from 1 to 64",
        .valid = [](std::size_t const& number) { return number >= 1 && number <= 64; },
        .meaning = "Requests that a batch may be split into, under way at the same time: for backends that are far away. With a spool, and to AgentOps, it is one."},
    config_field<std::size_t>{.member = &tracer_config::max_queue_size, .name = "max_queue_size",
        .standard = "OTEL_BSP_MAX_QUEUE_SIZE", .fallback = "65536", .allowed = number_from_1,
        .valid = [](std::size_t const& size) { return size > 0; }, .meaning = "Finished spans that may wait to be exported. Before the queue each thread has a ring of its own, which is a limit too: 256 KiB, a few thousand spans, that the worker empties into the queue; a thread that fills it faster loses spans, which are counted, though the queue has room."},
    config_field<std::size_t>{.member = &tracer_config::max_batch_size, .name = "max_batch_size",
        .standard = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", .fallback = "4096",
        .allowed = "a whole number from 1 to 2147483647, at most the queue's size",
        .valid = [](std::size_t const& size) { return size > 0; }, .meaning = "Spans that are exported together."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::schedule_delay, .name = "schedule_delay",
        .standard = "OTEL_BSP_SCHEDULE_DELAY", .fallback = "1000", .allowed = whole_milliseconds,
        .valid = [](std::chrono::milliseconds const& delay) { return delay.count() >= 0; },
        .meaning = "The longest that a finished span waits before it is exported."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::export_timeout, .name = "export_timeout",
        .standard = "OTEL_BSP_EXPORT_TIMEOUT", .fallback = "30000", .allowed = whole_milliseconds_or_none,
        .valid = [](std::chrono::milliseconds const& limit) { return limit.count() >= 0; },
        .meaning = "The limit for the export of a batch."},
    config_field<std::string>{.member = &tracer_config::spool, .name = "spool", .variable = "TRACER_SPOOL",
        .allowed = "a directory",
        .meaning = "With every exporter over a network but UDP: batches that the backend does not take are kept here, over the end of the program, and delivered when it does. Unset, they are lost. See docs/spool.md."},
    config_field<byte_count>{.member = &tracer_config::spool_max_bytes, .name = "spool_max_bytes",
        .variable = "TRACER_SPOOL_MAX_BYTES", .fallback = "512MiB",
        .allowed = "a whole number of bytes from 1 to 9223372036854775807, alone or with KiB, MiB, GiB or TiB behind it",
        .valid = [](byte_count const& bytes) { return bytes != byte_count{}; },
        .meaning = "What the batches of one destination may take up in the spool; what finds no room there is lost."},
    config_field<std::chrono::milliseconds>{.member = &tracer_config::shutdown_timeout, .name = "shutdown_timeout",
        .variable = "TRACER_SHUTDOWN_TIMEOUT", .fallback = "5000", .allowed = whole_milliseconds,
        .valid = [](std::chrono::milliseconds const& limit) { return limit.count() >= 0; },
        .meaning = "How long the end of the program waits for spans that are not delivered yet; with 0 they are dropped. Each batch then gets one attempt, so that a backend that is down does not use this time up, and one that hangs does."},
    config_field<std::size_t>{.member = &tracer_config::attribute_count_limit, .name = "attribute_count_limit",
        .standard = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", .standard_general = "OTEL_ATTRIBUTE_COUNT_LIMIT",
        .fallback = "128", .allowed = number_from_0, .meaning = "Attributes of a span; the first keys stay, and the span counts what was dropped."},
    config_field<std::size_t>{.member = &tracer_config::event_count_limit, .name = "event_count_limit",
        .standard = "OTEL_SPAN_EVENT_COUNT_LIMIT",
        .fallback = "128", .allowed = number_from_0, .meaning = "Events of a span."},
    config_field<std::size_t>{.member = &tracer_config::link_count_limit, .name = "link_count_limit",
        .standard = "OTEL_SPAN_LINK_COUNT_LIMIT",
        .fallback = "128", .allowed = number_from_0, .meaning = "Links of a span."},
    config_field<std::size_t>{.member = &tracer_config::event_attribute_count_limit, .name = "event_attribute_count_limit",
        .standard = "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        .fallback = "128", .allowed = number_from_0, .meaning = "Attributes of an event."},
    config_field<std::size_t>{.member = &tracer_config::link_attribute_count_limit, .name = "link_attribute_count_limit",
        .standard = "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        .fallback = "128", .allowed = number_from_0, .meaning = "Attributes of a link."},
    config_field<std::size_t>{.member = &tracer_config::attribute_value_length_limit, .name = "attribute_value_length_limit",
        .standard = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", .standard_general = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        .fallback = "2147483647", .allowed = number_from_0, .meaning = "Characters of a string, bytes of a byte array, also in arrays and maps; a single value is cut at 64 KiB in any case."},
    config_field<std::vector<std::string>>{.member = &tracer_config::propagators, .name = "propagators",
        .standard = "OTEL_PROPAGATORS", .fallback = "tracecontext,baggage", .allowed = "tracecontext, baggage, none",
        .valid = [](std::vector<std::string> const& names) { for (auto const& name : names) if (!list_has("tracecontext, baggage, none", name)) return false; return true; }, .by_rule = true,
        .meaning = "How contexts travel between processes."},
    config_field<std::string>{.member = &tracer_config::sampler, .name = "sampler", .standard = "OTEL_TRACES_SAMPLER",
        .allowed = "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio",
        .kind = setting_kind::word,
        .meaning = "OpenTelemetry's name of a sampler, read where `TRACER_SAMPLING_RATE` is unset; unset, `parentbased_traceidratio` with the sampling rate."},
    config_field<tracer_config::pairs>{.member = &tracer_config::resource_attributes, .name = "resource_attributes",
        .standard = "OTEL_RESOURCE_ATTRIBUTES", .allowed = "key=value,... percent-encoded",
        .meaning = "Further attributes of the resource. One bad entry discards the whole variable."},
    config_field<std::string>{.member = &tracer_config::redact, .name = "redact", .variable = "TRACER_REDACT",
        .allowed = "rules between commas: KEY with `*` and `?`, detect:NAME, match:/PATTERN/, each with or without =ACTION; action=ACTION",
        .meaning = "What is taken out of spans, resource and scope before they leave the process, and by which action: `mask`, `hash` or `drop`. Under Redaction is how they are written."},
    config_field<std::string>{.member = &tracer_config::redact_key, .name = "redact_key", .variable = "TRACER_REDACT_KEY",
        .allowed = "32 hexadecimal digits", .kind = setting_kind::secret,
        .valid = [](std::string const& key) { return key.empty() || redaction_key::from_hex(key); },
        .meaning = "The key of redaction's hashes; unset, a random one for each process."},
    config_field<bool>{.member = &tracer_config::sdk_disabled, .name = "sdk_disabled", .standard = "OTEL_SDK_DISABLED",
        .fallback = "false", .allowed = "true, false",
        .meaning = "Nothing is recorded, whatever the type; contexts are still passed on."},
    config_field<std::string>{.member = &tracer_config::log_level, .name = "log_level", .variable = "TRACER_LOG_LEVEL",
        .standard = "OTEL_LOG_LEVEL", .allowed = "debug, info, warn, error, off", .kind = setting_kind::word,
        .meaning = "From which level the library's own log speaks; unset, `warn`."});
// clang-format on

template <class Visitor>
void for_each_config_field(Visitor&& visit) {
  boost::hana::for_each(config_fields, static_cast<Visitor&&>(visit));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
