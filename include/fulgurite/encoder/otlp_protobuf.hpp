// OTLP in protobuf: the bytes of an ExportTraceServiceRequest (which equals TracesData), made from records in place.
//
// `otlp_protobuf_encoder` takes a batch's resource and scope, then span after span; between them its caller looks at
// the size and stops where a request would become too large (OTLP's default limit is 64 MiB). Everything but the spans
// stands before them and depends on their length, so room is left in front and filled from the back at the end. Field
// numbers: opentelemetry-proto 1.11, trace/v1/trace.proto and common/v1/common.proto. The JSON form is
// encoder/otlp_json.hpp.
#pragma once

#include <fulgurite/encoder/protobuf_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Writes the messages below a request. Every function takes where to write and returns where it ended.
class otlp_protobuf_writer {
 public:
  explicit otlp_protobuf_writer(growing_bytes& memory) noexcept : bytes_(memory) {}

  /// ScopeSpans.spans: one Span, with its tag.
  template <class Span>
  std::byte* span(std::byte* out, Span const& span) {
    const std::string_view name = span.name();
    // What is known to stay below 128 bytes needs one byte of length; for the others two are guessed.
    bool small = false;
    if constexpr (requires { span.header(); }) small = !span.header().schema && !span.has_items() && name.size() <= 40;
    const std::ptrdiff_t guess = small ? 1 : 2;
    out = write_tag(bytes_.room(out, 160 + name.size()), 0x12) + guess;
    const std::ptrdiff_t start = out - bytes_.begin();
    out = ids(out, span.trace_id(), span.span_id());
    if (span.has_items()) out = text(out, 0x1a, span.trace_state());
    out = bytes_.room(out, 160 + name.size());
    if (span.parent_span_id().is_valid()) {
      out = write_tag(write_tag(out, 0x22), 8);
      out = write_packed(out, span.parent_span_id().wire());
    }
    out = text(out, 0x2a, name);
    out = bytes_.room(out, 64);
    out = write_tag(write_tag(out, 0x30), static_cast<std::uint8_t>(static_cast<unsigned>(span.kind()) + 1));
    out = time(out, 0x39, span.start_time());
    out = time(out, 0x41, span.end_time());
    span.for_each_attribute([&](std::string_view key, auto const& value) { out = entry(out, 0x4a, key, value, 0); });
    if (span.has_items()) out = items(out, span);
    if (span.status() != status_code::unset || !span.status_description().empty())
      out = write_nested(bytes_, out, 0x7a, [&](std::byte* at) {
        at = bytes_.room(text(at, 0x12, span.status_description()), 8);
        return number(at, 0x18, static_cast<std::uint64_t>(span.status()));
      });
    if (const std::uint32_t flags = span.flags(); flags != 0) {
      out = write_tag(write_tag(bytes_.room(out, 8), 0x85), 0x01);
      out = write_fixed(out, flags);
    }
    const auto size = static_cast<std::size_t>(out - bytes_.begin() - start);
    const auto width = static_cast<std::ptrdiff_t>(varint_size(size));
    if (width != guess) [[unlikely]] {
      out = bytes_.room(out, max_varint);
      std::memmove(bytes_.begin() + start - guess + width, bytes_.begin() + start, size);
      out += width - guess;
    }
    write_varint(bytes_.begin() + start - guess, size);
    return out;
  }

  /// Resource or InstrumentationScope: a list of attributes under `tag`.
  std::byte* attributes(std::byte* out, std::uint8_t tag, std::vector<attribute> const& all) {
    for (attribute const& a : all) out = entry(out, tag, a.key, owned_value_view(a.value), 0);
    return out;
  }

  /// A string field, left out when it is empty.
  std::byte* text(std::byte* out, std::uint8_t tag, std::string_view value) {
    return value.empty() ? out : present_text(out, tag, value);
  }

 private:
  std::byte* ids(std::byte* out, trace_id const& trace, span_id span) noexcept {
    out = write_tag(write_tag(out, 0x0a), 16);
    out = write_packed(write_packed(out, trace.wire_first()), trace.wire_second());
    out = write_tag(write_tag(out, 0x12), 8);
    return write_packed(out, span.wire());
  }

  /// A number, left out when it is zero; there is room for it.
  static std::byte* number(std::byte* out, std::uint8_t tag, std::uint64_t value) noexcept {
    return value == 0 ? out : write_varint(write_tag(out, tag), value);
  }

  /// Nanoseconds, left out when they are zero; there is room for them.
  static std::byte* time(std::byte* out, std::uint8_t tag, std::int64_t value) noexcept {
    return value == 0 ? out : write_fixed(write_tag(out, tag), static_cast<std::uint64_t>(value));
  }

  /// Events, links and counts of what was dropped.
  template <class Span>
  [[gnu::noinline]] std::byte* items(std::byte* out, Span const& span) {
    const auto dropped = span.dropped();
    out = number(bytes_.room(out, 16), 0x50, dropped.attributes);
    span.for_each_event([&](std::string_view name, std::int64_t when, auto const& list) {
      out = write_nested(bytes_, out, 0x5a, [&](std::byte* at) {
        at = time(bytes_.room(at, 16), 0x09, when);
        at = text(at, 0x12, name);
        list.for_each([&](std::string_view key, auto const& value) { at = entry(at, 0x1a, key, value, 0); });
        return at;
      });
    });
    out = number(bytes_.room(out, 16), 0x60, dropped.events);
    span.for_each_link(
        [&](trace_id const& trace, span_id linked, std::uint32_t flags, std::string_view state, auto const& list) {
          out = write_nested(bytes_, out, 0x6a, [&](std::byte* at) {
            at = text(ids(bytes_.room(at, 32), trace, linked), 0x1a, state);
            list.for_each([&](std::string_view key, auto const& value) { at = entry(at, 0x22, key, value, 0); });
            return flags == 0 ? at : write_fixed(write_tag(bytes_.room(at, 8), 0x35), flags);
          });
        });
    return number(bytes_.room(out, 16), 0x70, dropped.links);
  }

  [[gnu::always_inline]] std::byte* present_text(std::byte* out, std::uint8_t tag, std::string_view value) {
    out = bytes_.room(out, value.size() + 2 * max_varint);
    std::byte* const at = write_varint(write_tag(out, tag), value.size());
    if (copy_utf8(at, value)) [[likely]]
      return at + value.size();
    return replaced_text(out, tag, value);
  }
  [[gnu::noinline]] std::byte* replaced_text(std::byte* out, std::uint8_t tag, std::string_view value) {
    const std::string clean = to_utf8(value);
    out = bytes_.room(out, clean.size() + 2 * max_varint);
    out = write_varint(write_tag(out, tag), clean.size());
    std::memcpy(out, clean.data(), clean.size());
    return out + clean.size();
  }

  /// A KeyValue under `tag`.
  template <class Value>
  std::byte* entry(std::byte* out, std::uint8_t tag, std::string_view key, Value const& value, int depth) {
    if (key.empty()) [[unlikely]]
      return long_entry(out, tag, key, value, depth);
    constexpr std::size_t overhead = 4 * max_varint + 8;
    const std::size_t key_part = 1 + varint_size(key.size()) + key.size();
    const value_type type = value.type();
    // `size` is AnyValue's; what it holds is written by `any`.
    const auto head = [&](std::size_t size, std::size_t room) {
      out = bytes_.room(out, key.size() + room + overhead);
      std::byte* at = write_varint(write_tag(out, tag), key_part + 1 + varint_size(size) + size);
      at = write_varint(write_tag(at, 0x0a), key.size());
      if (!copy_utf8(at, key)) [[unlikely]]
        return static_cast<std::byte*>(nullptr);
      return write_varint(write_tag(at + key.size(), 0x12), size);
    };
    switch (type) {
      case value_type::integer:
      case value_type::unsigned_integer: {
        const auto bits = static_cast<std::uint64_t>(value.integer());
        if (type == value_type::unsigned_integer && value.integer() < 0) break;
        if (std::byte* const at = head(1 + varint_size(bits), 0)) return write_varint(write_tag(at, 0x18), bits);
        break;
      }
      case value_type::real:
        if (std::byte* const at = head(9, 0))
          return write_fixed(write_tag(at, 0x21), std::bit_cast<std::uint64_t>(value.real()));
        break;
      case value_type::boolean:
        if (std::byte* const at = head(2, 0)) return write_tag(write_tag(at, 0x10), value.boolean() ? 1 : 0);
        break;
      case value_type::string: {
        const std::string_view held = value.text();
        std::byte* at = head(1 + varint_size(held.size()) + held.size(), held.size());
        if (!at) break;
        at = write_varint(write_tag(at, 0x0a), held.size());
        if (!copy_utf8(at, held)) [[unlikely]]
          break;
        return at + held.size();
      }
      default:
        break;
    }
    return long_entry(out, tag, key, value, depth);
  }

  /// A KeyValue whose length is not known beforehand, or whose texts must be replaced.
  template <class Value>
  [[gnu::noinline]] std::byte* long_entry(std::byte* out, std::uint8_t tag, std::string_view key, Value const& value,
                                          int depth) {
    return write_nested(bytes_, out, tag, [&](std::byte* at) {
      at = text(at, 0x0a, key);
      return write_nested(bytes_, at, 0x12, [&](std::byte* inner) { return any_value(inner, value, depth); });
    });
  }

  /// The content of an AnyValue; nothing for the empty value.
  template <class Value>
  std::byte* any_value(std::byte* out, Value const& value, int depth) {
    out = bytes_.room(out, 16);
    switch (value.type()) {
      case value_type::null:
        break;
      case value_type::boolean:
        return write_tag(write_tag(out, 0x10), value.boolean() ? 1 : 0);
      case value_type::unsigned_integer:
        if (value.integer() < 0) {
          char digits[24];
          const auto bits = static_cast<std::uint64_t>(value.integer());
          const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, bits);
          return present_text(out, 0x0a, {digits, static_cast<std::size_t>(end.ptr - digits)});
        }
        [[fallthrough]];
      case value_type::integer:
        return write_varint(write_tag(out, 0x18), static_cast<std::uint64_t>(value.integer()));
      case value_type::real:
        return write_fixed(write_tag(out, 0x21), std::bit_cast<std::uint64_t>(value.real()));
      case value_type::string:
        return present_text(out, 0x0a, value.text());
      case value_type::bytes: {
        const std::string_view octets = value.text();
        out = bytes_.room(out, octets.size() + 2 * max_varint);
        out = write_varint(write_tag(out, 0x3a), octets.size());
        if (!octets.empty()) std::memcpy(out, octets.data(), octets.size());
        return out + octets.size();
      }
      case value_type::array:
        if (depth >= max_value_depth) break;
        return write_nested(bytes_, out, 0x2a, [&](std::byte* at) {
          value.for_each_element([&](auto const& element) {
            at = write_nested(bytes_, at, 0x0a, [&](std::byte* inner) { return any_value(inner, element, depth + 1); });
          });
          return at;
        });
      case value_type::map:
        if (depth >= max_value_depth) break;
        return write_nested(bytes_, out, 0x32, [&](std::byte* at) {
          value.for_each_entry(
              [&](std::string_view key, auto const& element) { at = entry(at, 0x0a, key, element, depth + 1); });
          return at;
        });
    }
    return out;
  }

  growing_bytes& bytes_;
};

/// The Resource and the InstrumentationScope of a request, each with its tag.
inline std::string otlp_resource(const resource* of) {
  growing_bytes memory;
  otlp_protobuf_writer writer(memory);
  const std::byte* const end = write_nested(memory, memory.begin(), 0x0a, [&](std::byte* at) {
    return of ? writer.attributes(at, 0x0a, all_attributes(*of)) : at;
  });
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
    const std::size_t front = head_.size() + 2 * (1 + detail::max_varint);
    spans_ = static_cast<std::ptrdiff_t>(front);
    out_ = bytes_.room(bytes_.begin(), front + 4096) + front;
  }
  void begin(span_batch const& batch) { begin(batch.shared_resource(), batch.shared_scope()); }

  /// Adds a span: a `record_view`, or anything with its members.
  template <class Span>
  void add(Span const& span) {
    out_ = detail::otlp_protobuf_writer(bytes_).span(out_, span);
  }
  void add(span_data const& span) { add(detail::span_data_view(span)); }

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
inline std::string to_otlp_protobuf(std::span<const span_data> spans) {
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
      for (const span_data* span : scope.spans)
        at = detail::otlp_protobuf_writer(memory).span(at, detail::span_data_view(*span));
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
