// One OTLP request over gRPC, and what its answer means: the wire of `otlp_grpc_exporter` (exporter/batch_channel.hpp
// says what a wire has).
//
// The method is `opentelemetry.proto.collector.trace.v1.TraceService/Export`; what it means that a call failed is in
// exporter/grpc_status.hpp, the connection in transport/grpc.hpp.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/exporter/batch_channel.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/grpc_status.hpp>
#include <fulgurite/exporter/http_options.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/transport/grpc.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct grpc_wire_options {
  /// Its path is not used: the method is the path.
  http_endpoint endpoint = {};
  /// Metadata.
  grpc_metadata headers = {};
  tls_options tls = {};
  http_proxy proxy = {};
};

class grpc_wire {
 public:
  using options = grpc_wire_options;
  using time_point = std::chrono::steady_clock::time_point;

  explicit grpc_wire(options to) : options_(std::move(to)), client_(options_.endpoint, options_.tls, options_.proxy) {
    options_.endpoint.path.clear();
    metadata_ = options_.headers;
    const auto is_agent = [](auto const& one) { return equal_ignoring_case(one.first, "user-agent"); };
    if (std::none_of(metadata_.begin(), metadata_.end(), is_agent))
      metadata_.emplace_back(
          "user-agent", std::string("fulgurite/") + library_version + " OTel-OTLP-Exporter-Cpp/" + library_version);
  }

  options settings_for_child() const { return options_; }
  /// Without the path: it is not used.
  std::string address() const { return options_.endpoint.to_text(); }
  /// Of what is in a spool: the same as over HTTP.
  std::string_view content_type() const noexcept { return "application/x-protobuf"; }

  attempt post(spooled_request const& request, time_point deadline) {
    const grpc_answer answer =
        client_.send({method, metadata_, request.body, request.content_encoding == "gzip"}, deadline);
    attempt made = judge(answer, address());
    made.reason = without_header_values(std::move(made.reason), options_.headers);
    if (made.result == attempt::outcome::delivered) {
      otlp_response response = parse_otlp_response(answer.body);
      made.rejected = response.rejected;
      made.message = without_header_values(std::move(response.message), options_.headers);
    }
    return made;
  }

  /// Asks with an empty ExportTraceServiceRequest, over a connection of its own: from any thread.
  health_report check(time_point deadline) const {
    health_report report{.reachable = false, .endpoint = address(), .reason = {}, .latency = {}};
    grpc_client client(options_.endpoint, options_.tls, options_.proxy);
    const time_point start = std::chrono::steady_clock::now();
    const grpc_answer answer = client.send({method, metadata_, {}, false}, deadline);
    report.latency = std::chrono::steady_clock::now() - start;
    report.reachable = answer.why == grpc_answer::failure::none && answer.code == grpc_code::ok;
    report.reason = without_header_values(in_words(answer), options_.headers);
    return report;
  }

  /// Its libraries have made what they make once.
  static constexpr bool is_exit_safe() noexcept { return true; }
  void close() noexcept { client_.close(); }
  void interrupt() noexcept { client_.interrupt(); }

 private:
  static constexpr std::string_view method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

  options options_;
  grpc_metadata metadata_;
  grpc_client client_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
