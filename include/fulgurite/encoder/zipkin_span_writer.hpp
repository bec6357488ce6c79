// Writes one span as Zipkin's v2 JSON, from a record in place or from anything with its members.
//
// Part of encoder/zipkin_json.hpp, which makes requests of them and says what the mapping is. The tags are written as
// if no key stood twice; where one does (encoder/zipkin_tags.hpp), they are written again with care.
#pragma once

#include <fulgurite/encoder/distinct_keys.hpp>
#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/encoder/prepared_schema.hpp>
#include <fulgurite/encoder/zipkin_endpoint.hpp>
#include <fulgurite/encoder/zipkin_tags.hpp>
#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/record/record_view.hpp>
#include <fulgurite/text/fast_decimal.hpp>
#include <fulgurite/text/fast_hex.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A key as it stands before its tag's value: `,"key":"`.
struct prepared_tag {
  static constexpr std::size_t capacity = 64;

  /// False: too long, or with something to escape.
  bool prepare(std::string_view key) noexcept {
    if (key.size() + 5 > capacity) return false;
    std::memcpy(head, ",\"", 2);
    if (!copy_plain_json(head + 2, key)) return false;
    std::memcpy(head + 2 + key.size(), "\":\"", 3);
    size = static_cast<std::uint8_t>(key.size() + 5);
    role = zipkin_remote_endpoint::role_of(key);
    return true;
  }

  char head[capacity];
  std::uint8_t size;
  value_type type;
  zipkin_remote_endpoint::role role;
};

/// Writes spans, each with a comma in front.
class zipkin_span_writer {
 public:
  zipkin_span_writer(growing_bytes& memory, zipkin_fixed_tags const& fixed,
                     schema_cache<prepared_tag>& prepared) noexcept
      : bytes_(memory), fixed_(fixed), prepared_(prepared) {}

  template <class Span>
  char* span(char* out, Span const& one) {
    const std::string_view name = one.name(), head = fixed_.head();
    out = text_room(bytes_, out, 256 + name.size() + head.size());
    out = id(id(write_literal(out, ",{\"traceId\":\""), one.trace_id().high()), one.trace_id().low());
    out = id(write_literal(out, "\",\"id\":\""), one.span_id().number());
    if (one.parent_span_id().is_valid())
      out = id(write_literal(out, "\",\"parentId\":\""), one.parent_span_id().number());
    out = kind(out, one.kind());
    if (!name.empty()) {
      out = write_json_text<json_place::alone>(bytes_, write_literal(out, ",\"name\":\""), name);
      out = text_room(bytes_, out, 192 + head.size());
      *out++ = '"';
    }
    out = times(out, one.start_time(), one.end_time());
    out = write_raw(out, head);
    const std::ptrdiff_t tags = out - text_begin(bytes_) - static_cast<std::ptrdiff_t>(head.size()) +
                                static_cast<std::ptrdiff_t>(fixed_.before_tags());
    zipkin_remote_endpoint remote;
    const bool calls = one.kind() == span_kind::client || one.kind() == span_kind::producer;
    out = attributes(text_room(bytes_, out, json_slack), one, calls ? &remote : nullptr);
    if (!out) [[unlikely]]
      out = attributes_with_care(text_begin(bytes_) + tags, one, calls ? &remote : nullptr);
    if (one.has_items()) out = counts(out, one);
    out = status(out, one);
    char* const first = text_begin(bytes_) + tags;
    if (out == first)
      out -= std::size(",\"tags\":") - 1;
    else {
      *first = '{';
      *out++ = '}';
    }
    out = text_room(bytes_, out, json_slack);
    if (remote.found()) out = remote.write(bytes_, out);
    if (one.has_items()) out = annotations(out, one);
    *out++ = '}';
    return text_room(bytes_, out, json_slack);
  }

 private:
  static char* id(char* out, std::uint64_t number) noexcept {
    write_16_digits(number, out);
    return out + 16;
  }
  /// With the quote that ends the id before.
  static char* kind(char* out, span_kind of) noexcept {
    switch (of) {
      case span_kind::server:
        return write_literal(out, "\",\"kind\":\"SERVER\"");
      case span_kind::client:
        return write_literal(out, "\",\"kind\":\"CLIENT\"");
      case span_kind::producer:
        return write_literal(out, "\",\"kind\":\"PRODUCER\"");
      case span_kind::consumer:
        return write_literal(out, "\",\"kind\":\"CONSUMER\"");
      case span_kind::internal:
        break;
    }
    return write_literal(out, "\"");
  }

  /// Whole microseconds of a time; what is before the epoch is at it, as Zipkin knows no earlier time.
  static std::uint64_t microseconds(std::int64_t time) noexcept {
    return time > 0 ? static_cast<std::uint64_t>(time) / 1000 : 0;
  }
  static char* times(char* out, std::int64_t start, std::int64_t end) noexcept {
    if (const std::uint64_t at = microseconds(start); at != 0)
      out = write_microseconds(write_literal(out, ",\"timestamp\":"), at);
    const std::uint64_t took =
        end > start ? (static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(start)) / 1000 : 0;
    return write_number(write_literal(out, ",\"duration\":"), took == 0 ? 1 : took);  // 0: unknown
  }

  /// Null where a key may stand twice.
  template <class Span>
  char* attributes(char* out, Span const& one, zipkin_remote_endpoint* remote) {
    const auto every = [&](auto&& visit) { one.for_each_attribute(visit); };
    const auto write = [&](std::string_view key, auto const& value) {
      if (out) out = attribute(out, key, value, remote);
    };
    if constexpr (requires { one.header(); }) {
      if (fixed_.overlaps_counts() && one.has_items()) [[unlikely]]
        return nullptr;
      if (!one.header().schema && !one.has_items()) return out;
      if (const attribute_schema* const schema = one.header().schema;
          schema && (one.has_distinct_keys() || !one.has_items()))
        if (schema_cache<prepared_tag>::schema const& ready = prepared(*schema); ready.usable) {
          out = slots(out, one.begin() + sizeof(record_header), ready, schema->count, remote);
          for (const std::byte* at = one.items(); at != one.end();) {
            const item_view item(at);
            at = item.end();
            if (item.kind() == item_kind::attribute) write(item.name(), item.value());
          }
          return out;
        }
    } else if (fixed_.overlaps_counts() || !plainly_distinct(every))
      return nullptr;
    every(write);
    return out;
  }

  schema_cache<prepared_tag>::schema const& prepared(attribute_schema const& schema) noexcept {
    return prepared_.find(schema, [this](prepared_tag& made, schema_field const& field) {
      return !fixed_.clashes(field.key_view()) && made.prepare(field.key_view());
    });
  }

  char* slots(char* out, const std::byte* slots, schema_cache<prepared_tag>::schema const& ready, std::uint32_t count,
              zipkin_remote_endpoint* remote) {
    const auto* octets = reinterpret_cast<const char*>(slots + count * sizeof(std::uint64_t));
    for (std::uint32_t i = 0; i < count; ++i, slots += sizeof(std::uint64_t)) {
      prepared_tag const& field = ready.fields[i];
      const auto word = read_packed<std::uint64_t>(slots);
      if (field.type == value_type::string && word == absent_slot) continue;
      constexpr std::size_t half = prepared_tag::capacity / 2;
      out = text_room(bytes_, out, prepared_tag::capacity + json_slack);
      std::memcpy(out, field.head, half);
      if (field.size > half) std::memcpy(out + half, field.head + half, half);
      out += field.size;
      if (field.type == value_type::string) {
        const std::string_view text(octets, static_cast<std::size_t>(word));
        octets += word;
        if (remote && field.role != 0) [[unlikely]]
          remote->note(field.role, packed_value(value_type::string, text));
        out = write_json_text<json_place::alone>(bytes_, out, text);
      } else {
        const packed_value value(field.type, slots);
        if (remote && field.role != 0) [[unlikely]]
          remote->note(field.role, value);
        out = write_value_text(bytes_, out, value);
      }
      *out++ = '"';
    }
    return text_room(bytes_, out, json_slack);
  }

  /// Null where the key needs care.
  template <class Value>
  char* attribute(char* out, std::string_view key, Value const& value, zipkin_remote_endpoint* remote) {
    if (fixed_.clashes(key)) [[unlikely]]
      return nullptr;
    out = write_literal(text_room(bytes_, out, key.size() + 8 + json_slack), ",\"");
    if (!copy_plain_json(out, key)) [[unlikely]]
      return nullptr;
    return tag_value(out + key.size(), key, value, remote);
  }
  template <class Value>
  char* tag_value(char* out, std::string_view key, Value const& value, zipkin_remote_endpoint* remote) {
    if (remote) remote->note(zipkin_remote_endpoint::role_of(key), value);
    out = write_value_text(bytes_, write_literal(out, "\":\""), value);
    *out++ = '"';
    return text_room(bytes_, out, json_slack);
  }

  /// The tags of the resource, the scope and the span once more, each key once.
  template <class Span>
  [[gnu::noinline]] char* attributes_with_care(char* out, Span const& one, zipkin_remote_endpoint* remote) {
    distinct_keys keys;
    for (std::string_view const key : zipkin_status_tags) keys.add(key, tag_of_mapping);
    const auto dropped = one.dropped();
    const std::uint32_t counts[] = {dropped.attributes, dropped.events, dropped.links};
    std::size_t number = std::size(zipkin_status_tags);
    for (std::size_t i = 0; i < std::size(counts); ++i)
      if (counts[i] != 0) {
        keys.add(zipkin_dropped_tags[i], tag_of_mapping);
        ++number;
      }
    for (zipkin_fixed_tags::tag const& one_fixed : fixed_.all()) keys.add(one_fixed.key, one_fixed.rank);
    one.for_each_attribute([&](std::string_view key, auto const&) { keys.add(key, tag_of_span); });
    keys.decide();
    for (zipkin_fixed_tags::tag const& one_fixed : fixed_.all())
      if (keys.wins(number++)) out = write_raw(text_room(bytes_, out, one_fixed.text.size()), one_fixed.text);
    if (remote) *remote = {};
    one.for_each_attribute([&](std::string_view key, auto const& value) {
      if (!keys.wins(number++)) return;
      out = write_literal(text_room(bytes_, out, 2 + json_slack), ",\"");
      out = write_json_text<json_place::alone>(bytes_, out, key);
      out = tag_value(out, key, value, remote);
    });
    return text_room(bytes_, out, json_slack);
  }

  template <class Span>
  char* counts(char* out, Span const& one) {
    const auto dropped = one.dropped();
    const std::uint32_t counts[] = {dropped.attributes, dropped.events, dropped.links};
    for (std::size_t i = 0; i < std::size(counts); ++i) {
      if (counts[i] == 0) continue;
      out = write_literal(text_room(bytes_, out, 96), ",\"");
      out = write_number(write_literal(write_raw(out, zipkin_dropped_tags[i]), "\":\""), counts[i]);
      *out++ = '"';
    }
    return text_room(bytes_, out, json_slack);
  }

  template <class Span>
  char* status(char* out, Span const& one) {
    if (one.status() == status_code::unset) [[likely]]
      return out;
    if (one.status() == status_code::ok)
      return text_room(bytes_, write_literal(out, ",\"otel.status_code\":\"OK\""), json_slack);
    out = write_literal(text_room(bytes_, out, 64 + json_slack), ",\"otel.status_code\":\"ERROR\",\"error\":\"");
    out = write_json_text<json_place::alone>(bytes_, out, one.status_description());
    *out++ = '"';
    return text_room(bytes_, out, json_slack);
  }

  template <class Span>
  char* annotations(char* out, Span const& one) {
    bool any = false;
    one.for_each_event([&](std::string_view name, std::int64_t time, auto const& attributes) {
      out = text_room(bytes_, out, 96 + json_slack);
      out = any ? write_literal(out, ",") : write_literal(out, ",\"annotations\":[");
      any = true;
      out = write_microseconds(write_literal(out, "{\"timestamp\":"), microseconds(time));
      out = write_literal(out, ",\"value\":\"");
      if (attributes.empty())
        out = write_json_text<json_place::alone>(bytes_, out, name);
      else {
        out = write_literal(write_json_string<json_place::in_string>(bytes_, out, name), ": ");
        out = write_json_object<json_place::in_string>(
            bytes_, text_room(bytes_, out, json_slack), [&](auto&& visit) { attributes.for_each(visit); }, 0);
      }
      out = write_literal(out, "\"}");
    });
    if (any) *out++ = ']';
    return text_room(bytes_, out, json_slack);
  }

  growing_bytes& bytes_;
  zipkin_fixed_tags const& fixed_;
  schema_cache<prepared_tag>& prepared_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
