// OTLP over HTTP in JSON: for backends and proxies that take no protobuf. It is several times larger than protobuf
// (exporter/otlp_http.hpp) and takes longer to write and to read.
//
// The bytes come from encoder/otlp_json.hpp. Rules: opentelemetry-proto, docs/specification.md, OTLP/HTTP.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/exporter/otlp_http.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct otlp_json_dialect {
  static constexpr std::string_view content_type = "application/json";
  static constexpr std::string_view probe = "{}";  // an empty ExportTraceServiceRequest

  static void read(http_answer const& answer, attempt& to) {
    otlp_response response = parse_otlp_json_response(answer.body);
    to.rejected = response.rejected;
    to.message = std::move(response.message);
  }
};

using otlp_json_channel = batch_channel<otlp_json_encoder, http_wire<otlp_json_dialect>>;

}  // namespace detail

/// `otlp_http_exporter` with another encoding; the same options.
class otlp_http_json_exporter : public detail::channel_exporter<detail::otlp_json_channel> {
 public:
  explicit otlp_http_json_exporter(otlp_http_options options = {}) noexcept
      : channel_exporter("otlp_http_json", options.timeout) {
    construct_over_http(options);
  }
};

static_assert(check_exporter<otlp_http_json_exporter>());

}  // namespace v1
}  // namespace fulgurite
