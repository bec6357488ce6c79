// OTLP over gRPC: to an OpenTelemetry Collector, Jaeger, or any backend that takes OTLP on port 4317.
//
// The bytes come from encoder/otlp_protobuf.hpp, the connection from transport/grpc.hpp (libcurl), the retries from
// delivery/delivery.hpp; exporter/batch_channel.hpp joins them. Rules: opentelemetry-proto, docs/specification.md,
// OTLP/gRPC.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/exporter/channel_exporter.hpp>
#include <fulgurite/exporter/grpc_wire.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Where the spans go, and how.
struct otlp_grpc_options {
  /// `http://` is clear text, `https://` is TLS. Without a port it is 80 or 443. A path is not used.
  std::string endpoint = "http://localhost:4317";
  /// Metadata of every call, of which nothing is ever logged. What a name that ends in `-bin` has is octets. Names that
  /// are gRPC's own (`grpc-...`, `te`, `content-type` and their like) are left out.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool gzip = true;
  /// For a batch, all its attempts included; 0 means no limit.
  std::chrono::milliseconds timeout{10'000};
  /// PEM files: whom to trust instead of the system's list, and who we are: both or none, of one file or of two.
  std::string ca_file = {}, client_certificate = {}, client_key = {};
  delivery_options delivery = {};
  /// `http://user:password@host:port` of a proxy that knows CONNECT; empty: none.
  std::string proxy = {};
  /// How many requests a batch may be split into, under way at the same time. With a spool it is one.
  std::size_t concurrent_requests = 1;
};

namespace detail {

using otlp_grpc_channel = batch_channel<otlp_protobuf_encoder, grpc_wire>;

/// What is wrong with the options, or nothing; what is right is in `to`.
inline std::string read_grpc_options(otlp_grpc_options& options, grpc_wire_options& to) {
  std::string problem;
  for (auto const& [name, value] : options.headers)
    if (!is_valid_metadata(name, value))
      problem = "a header has no valid name for gRPC, or a value that is not printable ASCII";
  // Octets are no matter for HTTP's rules: they go over the wire in base64.
  grpc_metadata given = std::exchange(options.headers, {});
  if (problem.empty()) problem = read_http_options(options, to);
  for (auto& [name, value] : given)
    if (is_reserved_metadata(name))
      log(log_level::warn, "otlp_grpc: the header " + name + " is gRPC's own and left out");
    else
      to.headers.emplace_back(std::move(name), std::move(value));
  if (problem.empty() && to.endpoint.path != "/")
    log(log_level::warn, "otlp_grpc: the endpoint's path is not used by gRPC; for OTLP over HTTP take otlp_http");
  to.endpoint.path.clear();
  return problem;
}

}  // namespace detail

/// Sends each batch and waits for the answer. Construction never throws: what is wrong with the options is logged, and
/// every batch then fails.
class otlp_grpc_exporter : public detail::channel_exporter<detail::otlp_grpc_channel> {
 public:
  explicit otlp_grpc_exporter(otlp_grpc_options options = {}) noexcept
      : channel_exporter("otlp_grpc", options.timeout) {
    construct([&] {
      detail::grpc_wire_options to;
      std::string problem = detail::read_grpc_options(options, to);
      if (problem.empty())
        open({.gzip = options.gzip, .delivery = options.delivery}, std::move(to), options.concurrent_requests);
      return problem;
    });
  }
};

static_assert(check_exporter<otlp_grpc_exporter>());

}  // namespace v1
}  // namespace fulgurite
