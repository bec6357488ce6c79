// OTLP in protobuf: the bytes of an ExportTraceServiceRequest (which equals TracesData), made from records in place.
//
// `otlp_protobuf_encoder` takes a batch's resource and scope, then span after span; between them its caller looks at
// the size and stops where a request would become too large (OTLP's default limit is 64 MiB). Everything but the spans
// stands before them and depends on their length, so room is left in front and filled from the back at the end. A span
// itself is written by encoder/otlp_span_writer.hpp. The JSON form is encoder/otlp_json.hpp.
#pragma once

#include <fulgurite/encoder/otlp_span_writer.hpp>
#include <fulgurite/encoder/prepared_schema.hpp>
#include <fulgurite/encoder/protobuf_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The Resource and the InstrumentationScope of a request, each with its tag.
inline std::string otlp_resource(const resource* of) {
  growing_bytes memory;
  otlp_protobuf_writer writer(memory);
  const std::byte* const end = write_nested(memory, memory.begin(), 0x0a,
                                            [&](std::byte* at) { return of ? writer.attributes(at, 0x0a, *of) : at; });
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(end - memory.begin())};
}
inline std::string otlp_scope(const instrumentation_scope* scope) {
  growing_bytes memory;
  otlp_protobuf_writer writer(memory);
  const std::byte* const end = write_nested(memory, memory.begin(), 0x0a, [&](std::byte* at) {
    if (!scope) return at;
    at = writer.text(writer.text(at, 0x0a, scope->name), 0x12, scope->version);
    return writer.attributes(at, 0x1a, scope->attributes);
  });
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(end - memory.begin())};
}

}  // namespace detail

/// Builds one request after the other in the same memory. Throws `std::bad_alloc` only.
class otlp_protobuf_encoder {
 public:
  /// Starts a request for spans of this resource and scope. They are encoded once as long as they stay the same.
  void begin(std::shared_ptr<const resource> const& of, std::shared_ptr<const instrumentation_scope> const& scope) {
    if (head_.empty() || of != resource_ || scope != scope_) {
      head_ = detail::otlp_resource(of.get());
      resource_size_ = head_.size();
      head_ += detail::otlp_scope(scope.get());
      resource_ = of;
      scope_ = scope;
    }
    prepared_.clear();
    const std::size_t front = head_.size() + 2 * (1 + detail::max_varint);
    spans_ = static_cast<std::ptrdiff_t>(front);
    out_ = bytes_.room(bytes_.begin(), front + 4096) + front;
  }
  void begin(span_batch const& batch) { begin(batch.shared_resource(), batch.shared_scope()); }

  /// Adds a span: a `record_view`, or anything with its members.
  template <class Span>
  void add(Span const& one) {
    out_ = detail::otlp_protobuf_writer(bytes_, &prepared_).span(out_, one);
  }
  void add(span_data const& one) { add(detail::span_data_view(one)); }

  /// The size of the request as it is now, in bytes; at most 20 too large.
  std::size_t size() const noexcept { return static_cast<std::size_t>(out_ - bytes_.begin()); }
  /// Takes back whatever was added since `size()` was this.
  void cut(std::size_t size) noexcept { out_ = bytes_.begin() + size; }

  /// The finished request. Valid until the next `begin`.
  std::span<const std::byte> finish() noexcept {
    const auto spans = static_cast<std::size_t>(out_ - bytes_.begin() - spans_);
    const std::size_t scope_size = head_.size() - resource_size_;
    const std::size_t in_scope = scope_size + spans;
    const std::size_t in_resource = resource_size_ + 1 + detail::varint_size(in_scope) + in_scope;
    const std::size_t front = 1 + detail::varint_size(in_resource) + in_resource - spans;
    std::byte* const first = bytes_.begin() + spans_ - front;
    std::byte* at = detail::write_varint(detail::write_tag(first, 0x0a), in_resource);
    std::memcpy(at, head_.data(), resource_size_);
    at = detail::write_varint(detail::write_tag(at + resource_size_, 0x12), in_scope);
    std::memcpy(at, head_.data() + resource_size_, scope_size);
    return {first, front + spans};
  }

  /// Gives memory back if more than `size` bytes are held.
  void shrink(std::size_t size) noexcept { bytes_.shrink(size); }

 private:
  std::shared_ptr<const resource> resource_;
  std::shared_ptr<const instrumentation_scope> scope_;
  std::string head_;
  std::size_t resource_size_ = 0;
  detail::prepared_schemas prepared_;
  detail::growing_bytes bytes_;
  std::ptrdiff_t spans_ = 0;
  std::byte* out_ = nullptr;
};

/// One request with all spans of a batch, in the encoder's memory: valid until it is used again.
inline std::span<const std::byte> to_otlp_protobuf(span_batch const& batch, otlp_protobuf_encoder& encoder) {
  encoder.begin(batch);
  batch.for_each([&](record_view const& record) { encoder.add(record); });
  return encoder.finish();
}

/// One TracesData, the spans grouped by resource and scope. A span without a resource or a scope gets an empty one.
/// A template, so that only who calls it compiles it.
template <class = void>
std::string to_otlp_protobuf(std::span<const span_data> spans) {
  std::string out;
  const auto field = [](std::string& to, char tag, std::string_view content) {
    std::byte size[detail::max_varint];
    const std::byte* const end = detail::write_varint(size, content.size());
    to += tag;
    to.append(reinterpret_cast<const char*>(size), static_cast<std::size_t>(end - size));
    to += content;
  };
  for (detail::resource_group const& of : detail::grouped(spans)) {
    std::string in_resource = detail::otlp_resource(of.of);
    for (detail::scope_group const& scope : of.scopes) {
      detail::growing_bytes memory;
      std::byte* at = memory.begin();
      for (const span_data* one : scope.spans)
        at = detail::otlp_protobuf_writer(memory).span(at, detail::span_data_view(*one));
      std::string in_scope = detail::otlp_scope(scope.scope);
      in_scope.append(reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(at - memory.begin()));
      field(in_resource, 0x12, in_scope);
    }
    field(out, 0x0a, in_resource);
  }
  return out;
}

}  // namespace v1
}  // namespace fulgurite
