// Jaeger's own format over HTTP: a Thrift batch to a collector's port 14268.
//
// The bytes come from encoder/jaeger_thrift.hpp, which has the mapping. Over UDP: exporter/jaeger_udp.hpp. A collector
// of Jaeger 2 takes OTLP only (exporter/otlp_http.hpp).
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/encoder/jaeger_thrift.hpp>
#include <fulgurite/exporter/channel_exporter.hpp>
#include <fulgurite/exporter/http_wire.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Where the spans go, and how.
struct jaeger_http_options {
  /// Used exactly as given.
  std::string endpoint = "http://localhost:14268/api/traces";
  /// Sent with every request. They are never logged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// A collector of Jaeger does not unpack requests; one of OpenTelemetry does.
  bool gzip = false;
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

struct jaeger_dialect {
  static constexpr std::string_view content_type = "application/x-thrift";
  /// A Batch of the process `health` and no spans, in Thrift's binary protocol.
  static constexpr char probe_bytes[] =
      "\x0c\0\x01"              // field 1, struct: Process
      "\x0b\0\x01\0\0\0\x06"    //   field 1, string: service name, 6 octets
      "health"                  //
      "\0"                      //   end
      "\x0f\0\x02\x0c\0\0\0\0"  // field 2, list of structs: none
      "\0";                     // end
  static constexpr std::string_view probe{probe_bytes, sizeof probe_bytes - 1};
  static void read(http_answer const&, attempt&) noexcept {}  // 202 and nothing more
};

using jaeger_http_channel = batch_channel<jaeger_binary_encoder, http_wire<jaeger_dialect>>;

}  // namespace detail

/// Sends each batch and waits for the answer. Construction never throws: what is wrong with the options is logged, and
/// every batch then fails.
class jaeger_http_exporter : public detail::channel_exporter<detail::jaeger_http_channel> {
 public:
  explicit jaeger_http_exporter(jaeger_http_options options = {}) noexcept
      : channel_exporter("jaeger_http", options.timeout) {
    construct_over_http(options);
  }
};

static_assert(check_exporter<jaeger_http_exporter>());

}  // namespace v1
}  // namespace fulgurite
