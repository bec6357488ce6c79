// Zipkin v2 JSON: the array of spans of `POST /api/v2/spans`, made from records in place.
//
// The format is openzipkin/zipkin-api's zipkin2-api.yaml, the mapping OpenTelemetry's trace/sdk_exporters/zipkin.md
// with common/mapping-to-non-otlp.md and common/README.md (AnyValue representation for non-OTLP protocols):
//
//   ids            lower-case hexadecimal; `parentId` not for a root
//   kind           CLIENT, SERVER, PRODUCER, CONSUMER; none for internal
//   times          whole microseconds, cut off; `duration` at least 1, as servers take 0 for unknown; no `timestamp`
//                  at or before the epoch
//   localEndpoint  the resource's `service.name`, else `unknown_service`
//   remoteEndpoint for clients and producers: encoder/zipkin_endpoint.hpp
//   tags           the attributes of span, scope and resource, the scope, dropped counts: encoder/zipkin_tags.hpp.
//                  All values are texts: arrays and maps are JSON, bytes are base64, the empty value is an empty text
//   status         `otel.status_code` OK or ERROR; with an error `error`, its description or an empty text
//   annotations    the events: the name, or `"name": {attributes}` where it has some
//
// What is empty is left out. Links, the trace state and the trace flags have no mapping and are not sent, nor what is
// dropped of an event or a link; `shared` and `debug` are not written: span ids are not shared, and a record does not
// know of B3's debug flag. Text that is no UTF-8 gets U+FFFD; keys that become equal by that stand once.
//
// `zipkin_json_encoder` is used as `otlp_protobuf_encoder` is. A span itself is written by
// encoder/zipkin_span_writer.hpp.
#pragma once

#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/encoder/prepared_schema.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/encoder/zipkin_span_writer.hpp>
#include <fulgurite/encoder/zipkin_tags.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace fulgurite {
inline namespace v1 {

/// Builds one request after the other in the same memory. Throws `std::bad_alloc` only, and the request then is as it
/// was before.
class zipkin_json_encoder {
 public:
  /// Starts a request for spans of this resource and scope; either may be null. What they say is encoded once as long
  /// as they stay the same.
  void begin(std::shared_ptr<const resource> const& of, std::shared_ptr<const instrumentation_scope> const& scope) {
    if (fixed_.head().empty() || of != resource_ || scope != scope_) {
      fixed_.describe(of.get(), scope.get());
      resource_ = of;
      scope_ = scope;
    }
    prepared_.clear();
    used_ = 0;
    bytes_.room(bytes_.begin(), 4096);
  }
  void begin(span_batch const& batch) { begin(batch.shared_resource(), batch.shared_scope()); }

  /// Adds a span: a `record_view`, or anything with its members.
  template <class Span>
  void add(Span const& one) {
    detail::zipkin_span_writer writer(bytes_, fixed_, prepared_);
    const char* const end = writer.span(detail::text_begin(bytes_) + used_, one);
    used_ = static_cast<std::size_t>(end - detail::text_begin(bytes_));
  }
  void add(span_data const& one) { add(detail::span_data_view(one)); }

  /// The size of the request as it is now, in bytes; without a span 1 too small.
  std::size_t size() const noexcept { return used_ + 1; }
  /// Takes back whatever was added since `size()` was this.
  void cut(std::size_t size) noexcept { used_ = size - 1; }

  /// The finished request. Valid until the next `begin`.
  std::span<const std::byte> finish() noexcept {
    // Every span has a comma in front of it: the first becomes the bracket.
    std::byte* const first = bytes_.begin();
    const std::size_t end = used_ == 0 ? 1 : used_;
    first[0] = std::byte{'['};
    first[end] = std::byte{']'};
    return {first, end + 1};
  }

  /// Gives memory back if more than `size` bytes are held.
  void shrink(std::size_t size) noexcept { bytes_.shrink(size); }

 private:
  std::shared_ptr<const resource> resource_;
  std::shared_ptr<const instrumentation_scope> scope_;
  detail::zipkin_fixed_tags fixed_;
  detail::schema_cache<detail::prepared_tag> prepared_;
  detail::growing_bytes bytes_;
  std::size_t used_ = 0;
};

/// One request with all spans of a batch, in the encoder's memory: valid until it is used again.
inline std::span<const std::byte> to_zipkin_json(span_batch const& batch, zipkin_json_encoder& encoder) {
  encoder.begin(batch);
  batch.for_each([&](record_view const& record) { encoder.add(record); });
  return encoder.finish();
}

/// One array of all spans, each with its own resource and scope; a span without them gets empty ones.
inline std::string to_zipkin_json(std::span<const span_data> spans) {
  std::string out = "[";
  zipkin_json_encoder encoder;
  for (span_data const& one : spans) {
    encoder.begin(one.resource, one.scope);
    encoder.add(one);
    const std::span<const std::byte> array = encoder.finish();
    if (out.size() > 1) out += ',';
    out.append(reinterpret_cast<const char*>(array.data()) + 1, array.size() - 2);
  }
  return out += ']';
}

}  // namespace v1
}  // namespace fulgurite
