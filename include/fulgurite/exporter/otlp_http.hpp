// OTLP over HTTP: to an OpenTelemetry Collector, Jaeger, or any backend that takes OTLP.
//
// The bytes come from encoder/otlp_protobuf.hpp, the connection from transport/http.hpp, the retries from
// delivery/delivery.hpp; exporter/batch_channel.hpp joins them. Rules: opentelemetry-proto, docs/specification.md,
// OTLP/HTTP. In JSON: exporter/otlp_http_json.hpp.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/exporter/channel_exporter.hpp>
#include <fulgurite/exporter/http_wire.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Where the spans go, and how.
struct otlp_http_options {
  /// The traces URL, used exactly as given: nothing is appended to it.
  std::string endpoint = "http://localhost:4318/v1/traces";
  /// Sent with every request. They are never logged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool gzip = true;
  /// For a batch, all its attempts included; 0 means no limit.
  std::chrono::milliseconds timeout{10'000};
  /// PEM files: whom to trust instead of the system's list, and who we are: both or none, of one file or of two.
  std::string ca_file = {}, client_certificate = {}, client_key = {};
  delivery_options delivery = {};
  /// `http://user:password@host:port` of a proxy; empty: none.
  std::string proxy = {};
  /// How many requests a batch may be split into, under way at the same time. With a spool it is one.
  std::size_t concurrent_requests = 1;
};

namespace detail {

using otlp_channel = batch_channel<otlp_protobuf_encoder, http_wire<otlp_protobuf_dialect>>;

}  // namespace detail

/// Sends each batch in protobuf and waits for the answer. Construction never throws: what is wrong with the options is
/// logged, and every batch then fails.
class otlp_http_exporter : public detail::channel_exporter<detail::otlp_channel> {
 public:
  explicit otlp_http_exporter(otlp_http_options options = {}) noexcept
      : channel_exporter("otlp_http", options.timeout) {
    construct_over_http(options);
  }
};

static_assert(check_exporter<otlp_http_exporter>());

}  // namespace v1
}  // namespace fulgurite
