#include "advice.hpp"

#include "cause.hpp"
#include "http.hpp"

#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/config/values.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <optional>
#include <utility>

namespace fulgurite_server {
namespace {

using fulgurite::deadline;
using fulgurite::tracer_config;
using fulgurite::detail::endpoint_parts;

std::string origin_of(endpoint_parts const& parts, std::string_view scheme, unsigned port) {
  const bool brackets = parts.host.find(':') != std::string_view::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, brackets ? "[" : "", parts.host, brackets ? "]" : "", port);
}

/// Another way to the same host.
struct candidate {
  std::string url = {};
  /// Of OTLP.
  std::string protocol = {};
  /// What it would be, in words.
  std::string speaks = {};
  /// The same port, and as safe: it may see the credentials.
  bool trusted = false;
};

/// A server that answers whatever it is asked takes no span that it does not understand.
bool takes_spans(destination const& like, candidate const& at, std::shared_ptr<const test_span> const& span,
                 deadline until) {
  destination there = like;
  if (!at.trusted) there.config = without_credentials(std::move(there.config));
  there.url = at.url;
  if (like.word == "otlp") {
    there.kind = at.protocol == "grpc" ? backend::otlp_grpc : backend::otlp_http;
    if (at.protocol == "grpc" && !has_grpc()) return false;
    there.config.otlp_endpoint = at.url;
    there.config.otlp_protocol = at.protocol;
  } else if (like.word == "jaeger") {
    there.config.jaeger_endpoint = at.url;
  } else {
    there.config.zipkin_endpoint = at.url;
  }
  const deadline soon = std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(1000));
  const auto exporter = exporter_to(there);
  const outcome answer = ask_health(exporter, soon);
  if (answer.good) return deliver(exporter, span, soon).good && !is_web_page(there, soon);
  const cause why = cause_of(answer.reason);
  // A certificate that is not trusted is one.
  return why == cause::credentials || why == cause::forbidden ||
         (why == cause::certificate && at.url.starts_with("https"));
}

/// Whether the protocol needs no setting of its own when the address is that.
bool follows(destination const& to, candidate const& at) {
  if (to.protocol_said) return to.config.otlp_protocol == at.protocol;
  if (to.set_by.name.starts_with("OTEL_")) return at.protocol == "http/protobuf";
  tracer_config changed;
  changed.otlp_endpoint = at.url;
  return fulgurite::otlp_target_of(changed) == fulgurite::otlp_target{at.protocol, at.url};
}

/// The settings that lead there.
std::string how_to_set(destination const& to, candidate const& at) {
  std::string url = at.url;
  const bool otlp = to.word == "otlp";
  // Of the address for all signals the path follows.
  constexpr std::string_view traces = "/v1/traces";
  if (to.set_by.name == "OTEL_EXPORTER_OTLP_ENDPOINT" && url.ends_with(traces)) url.resize(url.size() - traces.size());
  std::vector<std::string> changes;
  if (url != to.given) changes.push_back(to.set_by.with(url));
  if (otlp && !follows(to, at)) changes.push_back(to.protocol_set_by.with(at.protocol));
  return fmt::format("Set {}.", fmt::join(changes, " and "));
}

std::string standard_path(destination const& to) {
  if (to.word == "otlp") return "/v1/traces";
  return to.word == "jaeger" ? "/api/traces" : "/api/v2/spans";
}

std::vector<candidate> candidates(destination const& to, endpoint_parts const& parts, cause why) {
  std::vector<candidate> all;
  const bool otlp = to.word == "otlp";
  const std::string scheme = fulgurite::detail::lower_case(parts.scheme), path = standard_path(to),
                    protocol = to.config.otlp_protocol;
  const std::string http = protocol.empty() || protocol == "grpc" ? "http/protobuf" : protocol;
  const bool is_grpc = to.kind == backend::otlp_grpc, is_tls = scheme == "https";
  const auto add = [&](std::string_view by, unsigned port, bool grpc) {
    const bool same_port = port == parts.port && by == scheme;
    all.push_back({origin_of(parts, by, port) + (grpc ? "" : path), otlp ? (grpc ? "grpc" : http) : "",
                   otlp ? (grpc ? "OTLP over gRPC" : "OTLP over HTTP") : to.speaks, same_port});
  };
  const bool spoke = why == cause::path || why == cause::format || why == cause::bad_request ||
                     why == cause::not_grpc || why == cause::closed || why == cause::tls || why == cause::silent ||
                     why == cause::redirect || why == cause::web_page;
  if (spoke) {
    if (otlp && why == cause::format)
      all.push_back(to.config.otlp_protocol == "http/json"
                        ? candidate{to.url, "http/protobuf", "OTLP over HTTP in protobuf", true}
                        : candidate{to.url, "http/json", "OTLP over HTTP in JSON", true});
    if (is_grpc || parts.path != path) add(scheme, parts.port, false);
    if (otlp && !is_grpc) add(scheme, parts.port, true);
    const std::string_view other = is_tls ? "http" : "https";
    if (why != cause::path && why != cause::format && why != cause::web_page) {
      add(other, parts.port, is_grpc);
      if (otlp) add(other, parts.port, !is_grpc);
    }
  }
  if (why == cause::refused || why == cause::silent || (spoke && !otlp)) {
    if (otlp) {
      for (const unsigned port : {4318U, 4317U})
        if (port != parts.port) add(scheme, port, port == 4317);
      if (fulgurite::detail::is_loopback(parts.host) && parts.port != 14318) add("http", 14318, false);
    } else if (const unsigned port = to.word == "jaeger" ? 14268 : 9411; port != parts.port)
      add(scheme, port, false);
  }
  return all;
}

std::optional<std::string> better_address(destination const& to, endpoint_parts const& parts, cause why,
                                          std::shared_ptr<const test_span> const& span, deadline until) {
  for (candidate const& each : candidates(to, parts, why)) {
    if (std::chrono::steady_clock::now() >= until) break;
    if (!takes_spans(to, each, span, until)) continue;
    return fmt::format("{} works at {}. {}", each.speaks, fulgurite::detail::without_secrets(each.url),
                       how_to_set(to, each));
  }
  return {};
}

/// Ports that are known for something else.
std::string about_port(destination const& to, endpoint_parts const& parts) {
  struct known {
    unsigned port;
    std::string_view word, sentence;
  };
  constexpr std::array<known, 7> ports{
      {{4317, "otlp", "4317 is usually the port of OTLP over gRPC."},
       {4318, "otlp", "4318 is usually the port of OTLP over HTTP."},
       {9411, "zipkin", "9411 is usually Zipkin's port: TRACER_TYPE=zipkin and ZIPKIN_ENDPOINT go there."},
       {14268, "jaeger",
        "14268 is usually the port of Jaeger's Thrift: TRACER_TYPE=jaeger and JAEGER_ENDPOINT go there."},
       {6831, "jaeger", "6831 is usually Jaeger's agent: JAEGER_ENDPOINT=udp://HOST:6831 goes there."},
       {14250, "", "14250 is usually a port of Jaeger that takes its own gRPC only; it takes OTLP on 4317 and 4318."},
       {16686, "", "16686 is usually Jaeger's web page; it takes spans on 4317, 4318 and 14268."}}};
  for (known const& each : ports)
    if (each.port == parts.port && each.word != to.word) return std::string(each.sentence);
  return {};
}

bool in_container() { return access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0; }

std::string own_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string program(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return program.substr(0, program.rfind('/'));
}

std::string about_credentials(destination const& to) {
  tracer_config const& config = to.config;
  const auto given = [](bool is) { return is ? "; it is set, so its value is wrong or too old." : "; it is not set."; };
  switch (to.kind) {
    case backend::otlp_grpc:
    case backend::otlp_http:
      return std::string("OTEL_EXPORTER_OTLP_HEADERS carries the credentials, such as authorization=Bearer%20TOKEN") +
             given(!config.otlp_headers.empty());
    case backend::xray:
      return "X-Ray did not accept AWS's credentials: see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, "
             "or AWS_PROFILE, and whether they allow xray:PutTraceSegments.";
    case backend::jaeger_http:
      return std::string("JAEGER_AUTH_TOKEN, or JAEGER_USER and JAEGER_PASSWORD, carry the credentials") +
             (config.jaeger_auth_token.empty() && config.jaeger_user.empty() && config.jaeger_headers.empty()
                  ? "; none is set."
                  : "; what is set was not accepted.");
    case backend::zipkin:
      return std::string("ZIPKIN_HEADERS carries the credentials, such as authorization=Bearer%20TOKEN") +
             given(!config.zipkin_headers.empty());
    case backend::agentops_cloud:
      return std::string("AGENTOPS_API_KEY is the key of AgentOps' cloud") + given(!config.agentops_api_key.empty());
    default:
      return "The backend wants other credentials.";
  }
}

std::string about_certificate(destination const& to, std::string_view reason) {
  if (reason.find("for another host") != std::string_view::npos)
    return "Use the name that stands in the certificate in " + to.set_by.to_text() + ".";
  if (reason.find("client") != std::string_view::npos)
    return "A client's certificate is wanted, or was not accepted: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and "
           "OTEL_EXPORTER_OTLP_CLIENT_KEY say which.";
  return fmt::format(
      "If the authority that signed it is your own, set {}=FILE to its certificate in PEM. An expired certificate must "
      "be renewed.",
      to.word == "otlp" ? "OTEL_EXPORTER_OTLP_CERTIFICATE" : "TRACER_CA_FILE");
}

std::vector<std::string> about_network(destination const& to, std::string_view reason,
                                       std::shared_ptr<const test_span> const& span, deadline until) {
  const auto parts = fulgurite::detail::split_endpoint(to.url);
  if (!parts) return {"The address is set by " + to.set_by.to_text() + "."};
  const cause why = cause_of(reason);
  const std::string host(parts->host);
  const std::string set_by =
      to.kind == backend::agentops_cloud ? "AGENTOPS_API_ENDPOINT or AGENTOPS_EXPORTER_ENDPOINT" : to.set_by.to_text();
  std::vector<std::string> sentences;
  const bool asks_around = to.kind != backend::jaeger_udp && to.kind != backend::xray && to.word != "agentops";
  if (asks_around)
    if (std::optional<std::string> better = better_address(to, *parts, why, span, until)) return {std::move(*better)};
  if (to.set_by.name == "OTEL_EXPORTER_OTLP_ENDPOINT" && parts->path.ends_with("/v1/traces/v1/traces"))
    sentences.emplace_back("To OTEL_EXPORTER_OTLP_ENDPOINT /v1/traces is added: give it without this path.");
  if (std::string port = about_port(to, *parts); !port.empty()) sentences.push_back(std::move(port));
  const auto add = [&](std::string sentence) { sentences.push_back(std::move(sentence)); };
  switch (why) {
    case cause::refused:
      add("Start the backend, or set " + set_by + " to where it is.");
      if (fulgurite::detail::is_loopback(host) && in_container())
        add(fmt::format("This is a container: {} is the container itself, not its host.", host));
      break;
    case cause::no_name:
      add(fmt::format("See the spelling in {}. Names of a container network are known inside it only.", set_by));
      break;
    case cause::silent:
      add(fmt::format("A firewall drops the packets, the server hangs, or it is elsewhere: see {}.", set_by));
      break;
    case cause::certificate:
      add(about_certificate(to, reason));
      break;
    case cause::tls:
      add(fmt::format("Perhaps port {} of {} speaks no TLS, or only versions older than 1.2.", parts->port, host));
      break;
    case cause::path:
    case cause::web_page:
      add(fmt::format("See the address in {}{}.", set_by,
                      to.kind == backend::otlp_grpc ? "" : "; the path is usually " + standard_path(to)));
      break;
    case cause::redirect:
      add("Set " + set_by + " to the address that it leads to; `curl -si ADDRESS` shows it.");
      break;
    case cause::format:
    case cause::bad_request:
    case cause::not_grpc:
    case cause::closed:
      add(fmt::format("What listens at {} port {} does not speak {}: see {}{}.", host, parts->port, to.speaks, set_by,
                      to.word == "otlp" ? " and " + to.protocol_set_by.to_text() : ""));
      break;
    case cause::proxy:
      add(fmt::format("The proxy is set by http_proxy and https_proxy; no_proxy={} goes there without one.", host));
      break;
    case cause::busy:
      add("The backend is there and cannot take spans now: its own log says why.");
      break;
    default:
      if (sentences.empty()) add("The address is set by " + set_by + ".");
  }
  return sentences;
}

}  // namespace

std::vector<std::string> advice(destination const& to, std::string_view reason,
                                std::shared_ptr<const test_span> const& span, deadline until) {
  switch (cause_of(reason)) {
    case cause::credentials:
    case cause::forbidden:
      return {about_credentials(to)};
    case cause::aws_credentials:
      return {"`aws sts get-caller-identity` says which credentials AWS's own program finds."};
    case cause::not_on_path:
      return {fmt::format("Traced programs start it as `fulgurite`: export PATH=\"{}:$PATH\".", own_folder())};
    default:
      break;
  }
  if (to.kind == backend::file) return {"The path is set by " + to.set_by.to_text() + "."};
  if (to.kind == backend::console || to.kind == backend::agentops_local) return {};
  return about_network(to, reason, span, until);
}

}  // namespace fulgurite_server
