// Jaeger's own format: the bytes of its Thrift struct `Batch`, made from records in place.
//
// `jaeger_thrift_encoder` is used as `otlp_protobuf_encoder` is (encoder/otlp_protobuf.hpp). Over HTTP a collector
// takes the bare struct in the binary protocol; over UDP an agent takes one message `emitBatch` a datagram, on one port
// in the compact protocol, on another in the binary one. Nothing in front of the spans depends on their length but
// their count, so room is left there and filled from the back at the end. A span itself, and how it is mapped, is in
// encoder/jaeger_span_writer.hpp. Structs: jaeger-idl, thrift/jaeger.thrift and thrift/agent.thrift.
#pragma once

#include <fulgurite/encoder/jaeger_span_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/encoder/thrift_writer.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What stands around the spans.
enum class jaeger_form {
  batch,   ///< the struct `Batch`: the body of an HTTP request
  message  ///< a call of `emitBatch` that wants no answer: a datagram
};

namespace detail {

/// What stands before the list of spans: the message's head, the Process, and the list's number.
template <class Protocol>
std::string jaeger_head(const resource* of, jaeger_form form) {
  growing_bytes memory;
  thrift_writer<Protocol> thrift(memory);
  jaeger_span_writer<Protocol> writer(memory);
  std::byte* out = memory.room(memory.begin(), 64);
  if (form == jaeger_form::message) {
    out = Protocol::message(out, thrift_message::oneway, "emitBatch", 0);
    out = Protocol::field(out, thrift_type::structure, 1, 0);  // the argument `batch`
  }
  out = Protocol::field(out, thrift_type::structure, 1, 0);  // Batch.process
  const std::vector<attribute> all = of ? all_attributes(*of) : std::vector<attribute>();
  std::string name;
  for (attribute const& a : all)
    if (a.key == "service.name") {
      const auto* text = std::get_if<std::string>(&a.value.as_variant());
      name.clear();
      if (text)
        name = *text;
      else
        append_json_value(name, owned_value_view(a.value));
    }
  out = thrift.text(out, 1, 0, name.empty() ? "unknown_service" : std::string_view(name));
  int last = 1;
  out = thrift.list(out, 2, last, thrift_type::structure, [&](std::byte* at, std::size_t& count) {
    for (attribute const& a : all) {
      if (a.key == "service.name") continue;
      at = writer.tag(at, a.key, owned_value_view(a.value));
      ++count;
    }
    return at;
  });
  out = memory.room(thrift.stop(out), thrift_writer<Protocol>::field_room);
  out = Protocol::field(out, thrift_type::list, 2, 1);  // Batch.spans
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(out - memory.begin())};
}

/// The tags of a scope, under the names of today and those of before.
template <class Protocol>
jaeger_scope jaeger_scope_tags(const instrumentation_scope* scope) {
  jaeger_scope made;
  if (!scope) return made;
  growing_bytes memory;
  jaeger_span_writer<Protocol> writer(memory);
  std::byte* out = memory.room(memory.begin(), 1);
  const auto add = [&](std::string_view key, std::string_view value) {
    out = writer.text_tag(out, key, value);
    ++made.count;
  };
  made.has_name = !scope->name.empty();
  made.has_version = !scope->version.empty();
  if (made.has_name) add("otel.scope.name", scope->name);
  if (made.has_version) add("otel.scope.version", scope->version);
  if (made.has_name) add("otel.library.name", scope->name);
  if (made.has_version) add("otel.library.version", scope->version);
  made.tags.assign(reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(out - memory.begin()));
  return made;
}

}  // namespace detail

/// Builds one batch after the other in the same memory. `Protocol` is `detail::thrift_binary` or
/// `detail::thrift_compact`. Throws `std::bad_alloc` only.
template <class Protocol>
class jaeger_thrift_encoder {
 public:
  using protocol = Protocol;

  explicit jaeger_thrift_encoder(jaeger_form form = jaeger_form::batch) noexcept : form_(form) {}

  /// Starts a batch for spans of this resource and scope. They are encoded once as long as they stay the same.
  void begin(std::shared_ptr<const resource> const& of, std::shared_ptr<const instrumentation_scope> const& scope) {
    if (head_.empty() || of != resource_ || scope != shared_scope_) {
      head_.clear();
      scope_ = detail::jaeger_scope_tags<Protocol>(scope.get());
      head_ = detail::jaeger_head<Protocol>(of.get(), form_);
      resource_ = of;
      shared_scope_ = scope;
    }
    ends_.clear();
    used_ = head_.size() + Protocol::max_list;
    static_cast<void>(bytes_.room(bytes_.begin(), used_ + 4096));
  }
  void begin(span_batch const& batch) { begin(batch.shared_resource(), batch.shared_scope()); }

  /// Adds a span: a `record_view`, or anything with its members.
  template <class Span>
  void add(Span const& one) {
    const std::byte* const end =
        bytes_.room(detail::jaeger_span_writer<Protocol>(bytes_).span(bytes_.begin() + used_, one, scope_), stops);
    ends_.push_back(static_cast<std::size_t>(end - bytes_.begin()));
    used_ = ends_.back();
  }
  void add(span_data const& one) { add(detail::span_data_view(one)); }

  /// The size of the batch as it is now, in bytes; at most 5 too large.
  std::size_t size() const noexcept { return used_ + stops; }
  /// Takes back whatever was added since `size()` was this.
  void cut(std::size_t size) noexcept {
    used_ = size - stops;
    while (!ends_.empty() && ends_.back() > used_) ends_.pop_back();
  }
  /// How many spans it holds.
  std::size_t count() const noexcept { return ends_.size(); }

  /// The finished batch. Valid until the next `begin`.
  std::span<const std::byte> finish() noexcept {
    const std::size_t list = Protocol::list_size(ends_.size());
    std::byte* const first = bytes_.begin() + (Protocol::max_list - list);
    std::memcpy(first, head_.data(), head_.size());
    Protocol::list(first + head_.size(), detail::thrift_type::structure, ends_.size());
    std::byte* end = bytes_.begin() + used_;
    *end++ = std::byte{0};                                     // of Batch
    if (form_ == jaeger_form::message) *end++ = std::byte{0};  // of the arguments
    return {first, end};
  }

  /// Gives memory back if more than `size` bytes are held.
  void shrink(std::size_t size) noexcept { bytes_.shrink(size); }

 private:
  /// Room for the stops of both structs.
  static constexpr std::size_t stops = 2;

  jaeger_form form_;
  std::shared_ptr<const resource> resource_;
  std::shared_ptr<const instrumentation_scope> shared_scope_;
  std::string head_;
  detail::jaeger_scope scope_;
  detail::growing_bytes bytes_;
  /// How far the spans go, and where each ends: what was cut must leave the count right.
  std::size_t used_ = 0;
  std::vector<std::size_t> ends_;
};

/// The binary protocol: over HTTP, and to an agent's port 6832.
using jaeger_binary_encoder = jaeger_thrift_encoder<detail::thrift_binary>;
/// The compact protocol: to an agent's port 6831.
using jaeger_compact_encoder = jaeger_thrift_encoder<detail::thrift_compact>;

/// All spans of a batch, in the encoder's memory: valid until it is used again.
template <class Protocol>
std::span<const std::byte> to_jaeger_thrift(span_batch const& batch, jaeger_thrift_encoder<Protocol>& encoder) {
  encoder.begin(batch);
  batch.for_each([&](record_view const& record) { encoder.add(record); });
  return encoder.finish();
}

}  // namespace v1
}  // namespace fulgurite
