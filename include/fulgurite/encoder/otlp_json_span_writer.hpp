// Writes one span as OTLP's JSON object, from a record in place or from anything with its members.
//
// Part of encoder/otlp_json.hpp, which makes requests of them. The mapping is OTLP's (opentelemetry-proto,
// docs/specification.md, JSON Protobuf Encoding): lowerCamelCase names, ids in hexadecimal, other bytes in base64,
// 64-bit integers as decimal text, enumerations as numbers. Zero scalars and empty strings are left out, except the
// value of an attribute.
#pragma once

#include <fulgurite/encoder/json_bytes.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/resource.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Writes the objects below a request. Every function takes where to write and returns where it ended; there is room
/// for half of `json_bytes_slack` bytes in both places.
class otlp_json_writer {
 public:
  explicit otlp_json_writer(growing_bytes& memory) noexcept : bytes_(memory) {}

  template <class Span>
  std::byte* span(std::byte* out, Span const& one) {
    const std::string_view name = one.name();
    out = put(bytes_.room(out, 256 + json_bytes_slack), "{\"traceId\":\"");
    out = write_json_id(out, one.trace_id());
    out = put(write_json_id(put(out, "\",\"spanId\":\""), one.span_id()), '"');
    if (one.has_items()) out = text(out, ",\"traceState\":", one.trace_state());
    if (one.parent_span_id().is_valid())
      out = put(write_json_id(put(out, ",\"parentSpanId\":\""), one.parent_span_id()), '"');
    out = number(out, ",\"flags\":", one.flags());
    out = text(bytes_.room(out, json_bytes_slack), ",\"name\":", name);
    out = write_json_number(put(out, ",\"kind\":"), static_cast<unsigned>(one.kind()) + 1);
    out = nanoseconds(bytes_.room(out, 2 * json_bytes_slack), ",\"startTimeUnixNano\":\"", one.start_time());
    out = nanoseconds(out, ",\"endTimeUnixNano\":\"", one.end_time());
    out = attributes(out, [&](auto&& visit) { one.for_each_attribute(visit); });
    if (one.has_items()) out = items(out, one);
    if (one.status() != status_code::unset || !one.status_description().empty()) out = status(out, one);
    return put(bytes_.room(out, 1 + json_bytes_slack), '}');
  }

  /// The member `attributes` of an object that begins with it; nothing when there are none.
  std::byte* first_attributes(std::byte* out, std::vector<attribute> const& all) {
    list entries("\"attributes\":[");
    owned_attributes(all).for_each(
        [&](std::string_view key, auto const& value) { out = entry(entries.next(out), key, value, 0); });
    return bytes_.room(entries.close(out), json_bytes_slack);
  }

  /// A string member, left out when it is empty. `before` is what stands before its value, the comma included.
  template <std::size_t Size>
  std::byte* text(std::byte* out, const char (&before)[Size], std::string_view value) {
    return value.empty() ? out : write_json_string(bytes_, put(out, before), value);
  }

 private:
  /// Writes what stands before and between the elements of a list; one without elements is left out whole.
  class list {
   public:
    explicit constexpr list(std::string_view opening) noexcept : opening_(opening) {}
    std::byte* next(std::byte* out) noexcept {
      if (open_) return put(out, ',');
      open_ = true;
      std::memcpy(out, opening_.data(), opening_.size());
      return out + opening_.size();
    }
    std::byte* close(std::byte* out) const noexcept { return open_ ? put(out, ']') : out; }

   private:
    std::string_view opening_;
    bool open_ = false;
  };

  /// A number, left out when it is zero; there is room for it.
  template <std::size_t Size>
  static std::byte* number(std::byte* out, const char (&before)[Size], std::uint32_t value) noexcept {
    return value == 0 ? out : write_json_number(put(out, before), value);
  }
  template <std::size_t Size>
  static std::byte* nanoseconds(std::byte* out, const char (&before)[Size], std::int64_t value) noexcept {
    return put(write_json_number(put(out, before), static_cast<std::uint64_t>(value)), '"');
  }

  template <class Visit>
  [[gnu::always_inline]] std::byte* attributes(std::byte* out, Visit&& for_each) {
    list entries(",\"attributes\":[");
    for_each([&](std::string_view key, auto const& value) { out = entry(entries.next(out), key, value, 0); });
    return bytes_.room(entries.close(out), json_bytes_slack);
  }

  /// Events, links and counts of what was dropped.
  template <class Span>
  [[gnu::noinline]] std::byte* items(std::byte* out, Span const& one) {
    const auto dropped = one.dropped();
    out = number(out, ",\"droppedAttributesCount\":", dropped.attributes);
    list events(",\"events\":[");
    one.for_each_event([&](std::string_view name, std::int64_t time, auto const& held) {
      out = nanoseconds(events.next(bytes_.room(out, json_bytes_slack)), "{\"timeUnixNano\":\"", time);
      out = text(bytes_.room(out, json_bytes_slack), ",\"name\":", name);
      out = put(attributes(out, [&](auto&& visit) { held.for_each(visit); }), '}');
    });
    out = bytes_.room(events.close(out), json_bytes_slack);
    out = number(out, ",\"droppedEventsCount\":", dropped.events);
    list links(",\"links\":[");
    one.for_each_link(
        [&](trace_id const& trace, span_id linked, std::uint32_t flags, std::string_view state, auto const& held) {
          out = put(links.next(bytes_.room(out, 2 * json_bytes_slack)), "{\"traceId\":\"");
          out = put(write_json_id(out, trace), "\",\"spanId\":\"");
          out = put(write_json_id(out, linked), '"');
          out = text(out, ",\"traceState\":", state);
          out = attributes(out, [&](auto&& visit) { held.for_each(visit); });
          out = put(number(out, ",\"flags\":", flags), '}');
        });
    out = bytes_.room(links.close(out), json_bytes_slack);
    return bytes_.room(number(out, ",\"droppedLinksCount\":", dropped.links), json_bytes_slack);
  }

  template <class Span>
  std::byte* status(std::byte* out, Span const& one) {
    const std::string_view message = one.status_description();
    out = text(put(out, ",\"status\":{"), "\"message\":", message);
    if (one.status() != status_code::unset) {
      if (!message.empty()) out = put(out, ',');
      out = write_json_number(put(out, "\"code\":"), static_cast<unsigned>(one.status()));
    }
    return put(out, '}');
  }

  /// A KeyValue.
  template <class Value>
  [[gnu::always_inline]] std::byte* entry(std::byte* out, std::string_view key, Value const& value, int depth) {
    out = write_json_string(bytes_, put(bytes_.room(out, json_bytes_slack), "{\"key\":"), key);
    return put(any_value(put(out, ",\"value\":"), value, depth), '}');
  }

  /// An AnyValue; the empty one is `{}`.
  template <class Value>
  std::byte* any_value(std::byte* out, Value const& value, int depth) {
    switch (value.type()) {
      case value_type::null:
        break;
      case value_type::boolean:
        return value.boolean() ? put(out, "{\"boolValue\":true}") : put(out, "{\"boolValue\":false}");
      case value_type::unsigned_integer:
        if (value.integer() < 0) {
          const auto bits = static_cast<std::uint64_t>(value.integer());
          return put(write_json_number(put(out, "{\"stringValue\":\""), bits), "\"}");
        }
        [[fallthrough]];
      case value_type::integer:
        return put(write_json_number(put(out, "{\"intValue\":\""), value.integer()), "\"}");
      case value_type::real:
        return put(write_json_real(put(out, "{\"doubleValue\":"), value.real()), '}');
      case value_type::string:
        return put(write_json_string(bytes_, put(out, "{\"stringValue\":"), value.text()), '}');
      case value_type::bytes:
        return put(write_json_octets(bytes_, put(out, "{\"bytesValue\":"), value.text()), '}');
      case value_type::array:
      case value_type::map:
        if (depth < max_value_depth) return nested(out, value, depth);
    }
    return put(out, "{}");
  }

  template <class Value>
  [[gnu::noinline]] std::byte* nested(std::byte* out, Value const& value, int depth) {
    list values("\"values\":[");
    if (value.type() == value_type::array) {
      out = put(out, "{\"arrayValue\":{");
      value.for_each_element([&](auto const& element) {
        out = any_value(values.next(bytes_.room(out, json_bytes_slack)), element, depth + 1);
      });
    } else {
      out = put(out, "{\"kvlistValue\":{");
      value.for_each_entry([&](std::string_view key, auto const& element) {
        out = entry(values.next(bytes_.room(out, json_bytes_slack)), key, element, depth + 1);
      });
    }
    return put(values.close(bytes_.room(out, 3 + json_bytes_slack)), "}}");
  }

  growing_bytes& bytes_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
