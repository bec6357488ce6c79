// Writes one span as OTLP's protobuf message, from a record in place or from anything with its members.
//
// Part of encoder/otlp_protobuf.hpp, which makes requests of them. Field numbers: opentelemetry-proto 1.11,
// trace/v1/trace.proto and common/v1/common.proto.
#pragma once

#include <fulgurite/encoder/prepared_schema.hpp>
#include <fulgurite/encoder/protobuf_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/record/packed_value.hpp>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Writes the messages below a request. Every function takes where to write and returns where it ended.
class otlp_protobuf_writer {
 public:
  /// `prepared` may be null.
  explicit otlp_protobuf_writer(growing_bytes& memory, prepared_schemas* prepared = nullptr) noexcept
      : bytes_(memory), prepared_(prepared) {}

  /// ScopeSpans.spans: one Span, with its tag.
  template <class Span>
  std::byte* span(std::byte* out, Span const& one) {
    if constexpr (requires { one.header(); })
      if (one.status() == status_code::unset)
        if (std::byte* const end = plain_span(out, one)) return end;
    const std::string_view name = one.name();
    out = write_tag(bytes_.room(out, 160 + name.size()), 0x12) + usual_width;
    const std::ptrdiff_t start = out - bytes_.begin();
    out = ids(out, one.trace_id(), one.span_id());
    if (one.has_items()) out = text(out, 0x1a, one.trace_state());
    out = parent(bytes_.room(out, 160 + name.size()), one.parent_span_id());
    out = text(out, 0x2a, name);
    out = kind_and_times(bytes_.room(out, 64), one);
    one.for_each_attribute([&](std::string_view key, auto const& value) { out = entry(out, 0x4a, key, value, 0); });
    if (one.has_items()) out = items(out, one);
    if (one.status() != status_code::unset || !one.status_description().empty())
      out = write_nested(bytes_, out, 0x7a, [&](std::byte* at) {
        at = bytes_.room(text(at, 0x12, one.status_description()), 8);
        return number(at, 0x18, static_cast<std::uint64_t>(one.status()));
      });
    if (one.flags() != 0) out = flags(bytes_.room(out, 8), one.flags());
    out = bytes_.room(out, max_varint);
    return with_length(bytes_.begin() + start, out, usual_width);
  }

  /// Resource or InstrumentationScope: a list of attributes under `tag`.
  std::byte* attributes(std::byte* out, std::uint8_t tag, std::vector<attribute> const& all) {
    for (attribute const& a : all) out = entry(out, tag, a.key, owned_value_view(a.value), 0);
    return out;
  }

  std::byte* attributes(std::byte* out, std::uint8_t tag, resource const& of) {
    for_each_attribute(of, [&](std::string_view key, attribute_value const& value) {
      out = entry(out, tag, key, owned_value_view(value), 0);
    });
    return out;
  }

  /// A string field, left out when it is empty.
  std::byte* text(std::byte* out, std::uint8_t tag, std::string_view value) {
    return value.empty() ? out : present_text(out, tag, value);
  }

 private:
  std::byte* ids(std::byte* out, trace_id const& trace, span_id one) noexcept {
    out = write_tag(write_tag(out, 0x0a), 16);
    out = write_packed(write_packed(out, trace.wire_first()), trace.wire_second());
    out = write_tag(write_tag(out, 0x12), 8);
    return write_packed(out, one.wire());
  }

  std::byte* parent(std::byte* out, span_id one) noexcept {
    return one.is_valid() ? write_packed(write_tag(write_tag(out, 0x22), 8), one.wire()) : out;
  }
  template <class Span>
  std::byte* kind_and_times(std::byte* out, Span const& one) noexcept {
    out = write_tag(write_tag(out, 0x30), static_cast<std::uint8_t>(static_cast<unsigned>(one.kind()) + 1));
    return time(time(out, 0x39, one.start_time()), 0x41, one.end_time());
  }
  static std::byte* flags(std::byte* out, std::uint32_t all) noexcept {
    return write_fixed(write_tag(write_tag(out, 0x85), 0x01), all);
  }

  /// Spans with attributes are mostly of 128 to 16,383 bytes.
  static constexpr std::ptrdiff_t usual_width = 2;

  /// Writes the length of what lies from `start` to `end` before it, where `guess` bytes are left for it; returns the
  /// new end. There is room for a longer length.
  static std::byte* with_length(std::byte* start, std::byte* end, std::ptrdiff_t guess) noexcept {
    const auto size = static_cast<std::size_t>(end - start);
    const auto width = static_cast<std::ptrdiff_t>(varint_size(size));
    if (width != guess) [[unlikely]] {
      std::memmove(start - guess + width, start, size);
      end += width - guess;
    }
    write_varint(start - guess, size);
    return end;
  }

  // ------------------------------------------------------- a record with its name and its schema's attributes, only

  static constexpr std::size_t most_plain_name = 127;

  /// Null where it is not that plain. `at` may move, and what was written does not count then.
  template <class Record>
  [[gnu::always_inline]] std::byte* plain_span(std::byte*& at, Record const& one) {
    const attribute_schema* const schema = one.header().schema;
    const std::byte* const payload = one.begin() + sizeof(record_header);
    const auto size = static_cast<std::size_t>(one.end() - payload);
    prepared_schemas::schema const* ready = nullptr;
    std::size_t room = 128 + most_plain_name;
    if (schema) {
      if (!prepared_) return nullptr;
      ready = &prepared_->find(*schema);
      const std::size_t numbers = schema->count * sizeof(std::uint64_t);
      if (!ready->usable || numbers + padded(ready->octets(payload)) != size) return nullptr;
      room += size + schema->count * (prepared_schemas::field::capacity + 4 * max_varint);
    } else if (size != 0)
      return nullptr;
    const std::string_view name = one.name();
    if (name.empty() || name.size() > most_plain_name) return nullptr;
    std::byte* out = at = bytes_.room(at, room);
    const std::ptrdiff_t guess = schema || name.size() > 40 ? usual_width : 1;
    out = write_tag(out, 0x12) + guess;
    std::byte* const start = out;
    out = parent(ids(out, one.trace_id(), one.span_id()), one.parent_span_id());
    out = write_tag(write_tag(out, 0x2a), static_cast<std::uint8_t>(name.size()));
    if (!copy_utf8(out, name)) return nullptr;
    out = kind_and_times(out + name.size(), one);
    if (schema) {
      out = slots(out, payload, *ready, schema->count);
      if (!out) return nullptr;
    }
    return with_length(start, flags(out, one.flags()), guess);
  }

  [[gnu::always_inline]] static std::byte* head(std::byte* out, prepared_schemas::field const& field) noexcept {
    constexpr std::size_t half = prepared_schemas::field::capacity / 2;
    std::memcpy(out, field.head, half);
    if (field.size > half) std::memcpy(out + half, field.head + half, half);
    return out + field.size;
  }
  /// The head of a value whose content takes `content` bytes, if its lengths are of one byte.
  [[gnu::always_inline]] static std::byte* head(std::byte* out, prepared_schemas::field const& field,
                                                std::size_t content) noexcept {
    std::byte* const end = head(out, field);
    out[1] = static_cast<std::byte>(field.size - 2U + content);
    end[-2] = static_cast<std::byte>(1 + content);
    return end;
  }
  /// The same for any content.
  [[gnu::noinline]] static std::byte* long_head(std::byte* out, prepared_schemas::field const& field,
                                                std::size_t content) noexcept {
    const std::size_t key = static_cast<std::size_t>(field.size) - 4;  // with its tag, and that of the value
    out = write_varint(write_tag(out, field.tag), key + varint_size(1 + content) + 1 + content);
    std::memcpy(out, field.head + 2, key);
    out = write_varint(out + key, 1 + content);
    *out = field.head[field.size - 1];
    return out + 1;
  }

  [[gnu::always_inline]] static std::byte* slots(std::byte* out, const std::byte* slots,
                                                 prepared_schemas::schema const& ready, std::uint32_t count) noexcept {
    const auto* octets = reinterpret_cast<const char*>(slots + count * sizeof(std::uint64_t));
    for (std::uint32_t i = 0; i < count; ++i, slots += sizeof(std::uint64_t)) {
      prepared_schemas::field const& field = ready.fields[i];
      const auto slot = read_packed<std::uint64_t>(slots);
      switch (field.type) {
        case value_type::string: {
          if (slot == absent_slot) break;
          const std::string_view text(octets, static_cast<std::size_t>(slot));
          octets += slot;
          const std::size_t content = varint_size(slot) + text.size();
          const bool fits = field.size - 2U + content < 0x80;
          out = write_varint(fits ? head(out, field, content) : long_head(out, field, content), slot);
          if (!copy_utf8(out, text)) [[unlikely]]
            return nullptr;
          out += text.size();
          break;
        }
        case value_type::real:
          out = write_fixed(head(out, field), slot);
          break;
        case value_type::boolean:
          out = write_tag(head(out, field), slot != 0 ? 1 : 0);
          break;
        case value_type::unsigned_integer:
          if (slot >> 63 != 0) [[unlikely]]
            return nullptr;
          [[fallthrough]];
        default:
          out = write_varint(head(out, field, varint_size(slot)), slot);
      }
    }
    return out;
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
  [[gnu::noinline]] std::byte* items(std::byte* out, Span const& one) {
    const auto dropped = one.dropped();
    out = number(bytes_.room(out, 16), 0x50, dropped.attributes);
    one.for_each_event([&](std::string_view name, std::int64_t when, auto const& list) {
      out = write_nested(bytes_, out, 0x5a, [&](std::byte* at) {
        at = time(bytes_.room(at, 16), 0x09, when);
        at = text(at, 0x12, name);
        list.for_each([&](std::string_view key, auto const& value) { at = entry(at, 0x1a, key, value, 0); });
        return at;
      });
    });
    out = number(bytes_.room(out, 16), 0x60, dropped.events);
    one.for_each_link(
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
    const value_type type = value.type();
    std::size_t size = 0;  // of the AnyValue
    std::string_view held;
    switch (type) {
      case value_type::unsigned_integer:
        if (value.integer() < 0) return long_entry(out, tag, key, value, depth);
        [[fallthrough]];
      case value_type::integer:
        size = 1 + varint_size(static_cast<std::uint64_t>(value.integer()));
        break;
      case value_type::real:
        size = 9;
        break;
      case value_type::boolean:
        size = 2;
        break;
      case value_type::string:
        held = value.text();
        size = 1 + varint_size(held.size()) + held.size();
        break;
      default:
        return long_entry(out, tag, key, value, depth);
    }
    out = bytes_.room(out, key.size() + held.size() + 4 * max_varint + 8);
    std::byte* at =
        write_varint(write_tag(out, tag), 1 + varint_size(key.size()) + key.size() + 1 + varint_size(size) + size);
    at = write_varint(write_tag(at, 0x0a), key.size());
    if (!copy_utf8(at, key)) [[unlikely]]
      return long_entry(out, tag, key, value, depth);
    at = write_varint(write_tag(at + key.size(), 0x12), size);
    switch (type) {
      case value_type::real:
        return write_fixed(write_tag(at, 0x21), std::bit_cast<std::uint64_t>(value.real()));
      case value_type::boolean:
        return write_tag(write_tag(at, 0x10), value.boolean() ? 1 : 0);
      case value_type::string:
        at = write_varint(write_tag(at, 0x0a), held.size());
        if (!copy_utf8(at, held)) [[unlikely]]
          return long_entry(out, tag, key, value, depth);
        return at + held.size();
      default:
        return write_varint(write_tag(at, 0x18), static_cast<std::uint64_t>(value.integer()));
    }
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
  prepared_schemas* prepared_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
