// Where spans go by a configuration: one destination for each exporter that it makes.
//
// The exporters are those of a traced program (config/exporter_factory.hpp), but for two things: their time limits are
// short, so that somebody who waits at a terminal gets an answer, and they have no spool, so that nothing of another
// program's is sent and nothing of the doctor's stays there.
#pragma once

#include "settings.hpp"

#include <fulgurite/config/loaded_config.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/transport/http_message.hpp>

#include <memory>
#include <string>
#include <vector>

namespace fulgurite_server {

enum class backend {
  otlp_grpc,
  otlp_http,
  xray,
  jaeger_http,
  jaeger_udp,
  zipkin,
  agentops_local,
  agentops_cloud,
  console,
  file
};

struct destination {
  backend kind = backend::otlp_grpc;
  /// As OTEL_TRACES_EXPORTER spells it; `agentops` for that.
  std::string word = {};
  /// In words: `OTLP over gRPC`.
  std::string speaks = {};
  /// The whole address, which may hold a key in its query; of a file its path.
  std::string url = {};
  /// The same in words, as it may be shown.
  std::string address = {};
  /// Which setting the address comes from, or would; the variable's own text, never shown.
  setting_place set_by = {};
  std::string given = {};
  /// Which setting says the protocol of OTLP, or would; whether it does.
  setting_place protocol_set_by = {};
  bool protocol_said = false;
  /// What the exporter is made of.
  fulgurite::tracer_config config = {};
};

/// Which setting switches tracing off, in words; empty where it is on.
std::string off_because(fulgurite::loaded_config const& from, variables const& read);

/// None where tracing is off.
std::vector<destination> destinations_of(fulgurite::loaded_config const& from, variables const& read);

/// Whether this program can speak gRPC: it was built with libcurl.
bool has_grpc() noexcept;

/// The exporter that goes there.
std::shared_ptr<fulgurite::any_exporter> exporter_to(destination const& to);

/// A request that an exporter over HTTP could make and that holds no spans.
struct empty_request {
  /// With the credentials that belong to this address.
  fulgurite::detail::http_headers headers = {};
  std::string body = {};
};
empty_request empty_request_to(destination const& to);

/// The proxy that is configured for this address; empty: none.
std::string proxy_to(destination const& to, std::string const& url);

/// The configuration without what may only be shown to the backend that it was meant for.
fulgurite::tracer_config without_credentials(fulgurite::tracer_config config);

}  // namespace fulgurite_server
