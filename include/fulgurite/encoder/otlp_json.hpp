// OTLP in JSON: one TracesData, as a file exporter writes it on a line, which is what `http/json` sends, too: in JSON
// an ExportTraceServiceRequest is the same object.
//
// `otlp_json_encoder` takes a batch's resource and scope, then span after span, as `otlp_protobuf_encoder`
// (encoder/otlp_protobuf.hpp) does. A span itself is written by encoder/otlp_json_span_writer.hpp, which has the
// mapping's rules.
#pragma once

#include <fulgurite/encoder/otlp_json_span_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Each takes where to write, and returns where it ended, with room for half of `json_bytes_slack` bytes behind.
inline std::byte* begin_json_resource(growing_bytes& memory, std::byte* out, const resource* of) {
  out = put(memory.room(out, json_bytes_slack), "{\"resource\":{");
  if (of) out = otlp_json_writer(memory).first_attributes(out, all_attributes(*of));
  return put(out, "},\"scopeSpans\":[");
}
inline std::byte* begin_json_scope(growing_bytes& memory, std::byte* out, const instrumentation_scope* scope) {
  out = put(memory.room(out, json_bytes_slack), "{\"scope\":{");
  if (scope) {
    otlp_json_writer writer(memory);
    out = writer.text(out, "\"name\":", scope->name);
    const bool named = !scope->name.empty(), versioned = !scope->version.empty();
    if (named && versioned) out = put(out, ',');
    out = writer.text(out, "\"version\":", scope->version);
    if ((named || versioned) && !scope->attributes.empty()) out = put(out, ',');
    out = writer.first_attributes(out, scope->attributes);
  }
  return put(out, "},\"spans\":[");
}

inline constexpr std::string_view json_request_start = "{\"resourceSpans\":[";
inline constexpr std::string_view json_request_end = "]}]}]}";

inline std::byte* put_text(growing_bytes& memory, std::byte* out, std::string_view text) {
  out = memory.room(out, text.size() + json_bytes_slack);
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace detail

/// Builds one request after the other in the same memory, each on one line. Throws `std::bad_alloc` only.
class otlp_json_encoder {
 public:
  /// Starts a request for spans of this resource and scope. They are encoded once as long as they stay the same.
  void begin(std::shared_ptr<const resource> const& of, std::shared_ptr<const instrumentation_scope> const& scope) {
    if (head_.empty() || of != resource_ || scope != scope_) {
      head_.clear();
      detail::growing_bytes memory;
      std::byte* at = detail::put_text(memory, memory.begin(), detail::json_request_start);
      at = detail::begin_json_scope(memory, detail::begin_json_resource(memory, at, of.get()), scope.get());
      head_.assign(reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(at - memory.begin()));
      resource_ = of;
      scope_ = scope;
    }
    out_ = detail::put_text(bytes_, bytes_.room(bytes_.begin(), head_.size() + 4096), head_);
  }
  void begin(span_batch const& batch) { begin(batch.shared_resource(), batch.shared_scope()); }

  /// Adds a span: a `record_view`, or anything with its members.
  template <class Span>
  void add(Span const& one) {
    std::byte* const at = is_empty() ? out_ : detail::put(out_, ',');
    out_ = detail::otlp_json_writer(bytes_).span(at, one);
  }
  void add(span_data const& one) { add(detail::span_data_view(one)); }

  /// The size of the request as it is now, in bytes.
  std::size_t size() const noexcept { return spans_end() + detail::json_request_end.size(); }
  /// Takes back whatever was added since `size()` was this.
  void cut(std::size_t size) noexcept { out_ = bytes_.begin() + (size - detail::json_request_end.size()); }

  /// The finished request, UTF-8. Valid until the next `begin`.
  std::span<const std::byte> finish() noexcept {
    std::memcpy(out_, detail::json_request_end.data(), detail::json_request_end.size());
    return {bytes_.begin(), size()};
  }

  /// Gives memory back if more than `size` bytes are held.
  void shrink(std::size_t size) noexcept { bytes_.shrink(size); }

 private:
  bool is_empty() const noexcept { return spans_end() == head_.size(); }
  std::size_t spans_end() const noexcept { return static_cast<std::size_t>(out_ - bytes_.begin()); }

  std::shared_ptr<const resource> resource_;
  std::shared_ptr<const instrumentation_scope> scope_;
  /// What stands before the first span.
  std::string head_;
  detail::growing_bytes bytes_;
  std::byte* out_ = nullptr;
};

/// One request with all spans of a batch, in the encoder's memory: valid until it is used again.
inline std::span<const std::byte> to_otlp_json(span_batch const& batch, otlp_json_encoder& encoder) {
  encoder.begin(batch);
  batch.for_each([&](record_view const& record) { encoder.add(record); });
  return encoder.finish();
}

/// The same as a text.
template <class = void>
std::string to_otlp_json(span_batch const& batch) {
  otlp_json_encoder encoder;
  const std::span<const std::byte> request = to_otlp_json(batch, encoder);
  return {reinterpret_cast<const char*>(request.data()), request.size()};
}

/// One TracesData in JSON, on one line, the spans grouped by resource and scope. A span without a resource or a scope
/// gets an empty one. A template, so that only who calls it compiles it.
template <class = void>
std::string to_otlp_json(std::span<const span_data> spans) {
  detail::growing_bytes memory;
  std::byte* at = detail::put_text(memory, memory.begin(), detail::json_request_start);
  const auto comma_unless_first = [&at](std::size_t i) {
    if (i != 0) at = detail::put(at, ',');
  };
  for (std::size_t i = 0; detail::resource_group const& of : detail::grouped(spans)) {
    comma_unless_first(i++);
    at = detail::begin_json_resource(memory, at, of.of);
    for (std::size_t j = 0; detail::scope_group const& scope : of.scopes) {
      comma_unless_first(j++);
      at = detail::begin_json_scope(memory, at, scope.scope);
      for (std::size_t k = 0; const span_data* one : scope.spans) {
        comma_unless_first(k++);
        at = detail::otlp_json_writer(memory).span(at, detail::span_data_view(*one));
      }
      at = detail::put(at, "]}");
    }
    at = detail::put_text(memory, at, "]}");
  }
  at = detail::put_text(memory, at, "]}");
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(at - memory.begin())};
}

}  // namespace v1
}  // namespace fulgurite
