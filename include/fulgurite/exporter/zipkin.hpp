// Zipkin v2 JSON over HTTP: to Zipkin, or whatever takes its spans (an OpenTelemetry Collector, Jaeger).
//
// The bytes come from encoder/zipkin_json.hpp, which has the mapping. Zipkin answers 202 before it stores, so that
// delivered means taken, not kept.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/encoder/zipkin_json.hpp>
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
struct zipkin_options {
  /// Used exactly as given.
  std::string endpoint = "http://localhost:9411/api/v2/spans";
  /// Sent with every request. They are never logged.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Zipkin 3.6.1 breaks characters beyond ASCII, here and there, in requests that it must unpack: only for others.
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

struct zipkin_dialect {
  static constexpr std::string_view content_type = "application/json";
  static constexpr std::string_view probe = "[]";
  static void read(http_answer const&, attempt&) noexcept {}  // 202 and nothing more
};

using zipkin_channel = batch_channel<zipkin_json_encoder, http_wire<zipkin_dialect>>;

}  // namespace detail

/// Sends each batch and waits for the answer. Construction never throws: what is wrong with the options is logged, and
/// every batch then fails.
class zipkin_exporter : public detail::channel_exporter<detail::zipkin_channel> {
 public:
  explicit zipkin_exporter(zipkin_options options = {}) noexcept : channel_exporter("zipkin", options.timeout) {
    construct_over_http(options);
  }
};

static_assert(check_exporter<zipkin_exporter>());

}  // namespace v1
}  // namespace fulgurite
