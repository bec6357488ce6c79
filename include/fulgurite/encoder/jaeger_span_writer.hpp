// Writes one span as Jaeger's Thrift struct, from a record in place or from anything with its members.
//
// Part of encoder/jaeger_thrift.hpp, which makes batches of them. Structs and field numbers: jaeger-idl,
// thrift/jaeger.thrift. The mapping is OpenTelemetry's as it stood before its removal from the specification
// (trace/sdk_exporters/jaeger.md and common/mapping-to-non-otlp.md). Where that leaves a thing open, the OpenTelemetry
// Collector's translator decides: trace state becomes the tag `w3c.tracestate`, and the empty value an empty text.
//
// What the mapping makes itself (`error`, `span.kind`, `otel.status_code`, ...) wins over an attribute of that name, so
// that no tag stands twice. Doubles that are no numbers become text: one of them keeps Jaeger 1.62 from showing the
// whole trace. Times are cut to microseconds; a duration is the difference in nanoseconds, cut, and never below zero,
// because Jaeger reads it as unsigned.
#pragma once

#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/encoder/thrift_writer.hpp>
#include <fulgurite/record/resource.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The tags that every span of a scope has: their bytes, which are the same in each.
struct jaeger_scope {
  std::string tags = {};
  std::size_t count = 0;
  bool has_name = false, has_version = false;
};

/// Writes the elements of Jaeger's lists. Every function takes where to write and returns where it ended.
template <class Protocol>
class jaeger_span_writer {
 public:
  explicit jaeger_span_writer(growing_bytes& memory) noexcept : thrift_(memory) {}

  /// One Span.
  template <class Span>
  std::byte* span(std::byte* out, Span const& one, jaeger_scope const& scope) {
    const bool has_items = one.has_items();
    out = memory().room(out, 16 * thrift_writer<Protocol>::field_room);
    out = number(out, 1, 0, one.trace_id().low());
    out = number(out, 2, 1, one.trace_id().high());
    out = number(out, 3, 2, one.span_id().number());
    out = number(out, 4, 3, one.parent_span_id().number());
    out = thrift_.text(out, 5, 4, one.name());
    int last = 5;
    if (has_items) out = references(out, last, one);
    out = thrift_.i32(out, 7, last, static_cast<std::int32_t>(one.flags() & 1U));  // sampled; 2 would mean debug
    out = thrift_.i64(out, 8, 7, microseconds(one.start_time()));
    out = thrift_.i64(out, 9, 8, duration(one.start_time(), one.end_time()));
    last = 9;
    out = tags(out, last, one, scope, has_items);
    if (has_items) out = logs(out, last, one);
    return thrift_.stop(out);
  }

  /// One Tag, with its value's own type; arrays and maps are JSON text.
  template <class Value>
  std::byte* tag(std::byte* out, std::string_view key, Value const& value) {
    switch (value.type()) {
      case value_type::string:
        return text_tag(out, key, value.text());
      case value_type::unsigned_integer:
        if (value.integer() < 0) break;
        [[fallthrough]];
      case value_type::integer:
        return integer_tag(out, key, value.integer());
      case value_type::real:
        if (value.real() - value.real() != 0) [[unlikely]]
          return text_tag(out, key, value.real() != value.real() ? "NaN" : value.real() > 0 ? "Infinity" : "-Infinity");
        return thrift_.stop(thrift_.real(tag_head(out, key, 1), 4, 2, value.real()));
      case value_type::boolean:
        return boolean_tag(out, key, value.boolean());
      case value_type::bytes:
        return thrift_.stop(thrift_.binary(tag_head(out, key, 4), 7, 2, value.text()));
      case value_type::null:
        return text_tag(out, key, {});
      default:
        break;
    }
    return written_tag(out, key, value);
  }
  std::byte* text_tag(std::byte* out, std::string_view key, std::string_view value) {
    return thrift_.stop(thrift_.text(tag_head(out, key, 0), 3, 2, value));
  }

  /// One Log of an event: its name is the field `event`, unless an attribute is called so.
  template <class Attributes>
  std::byte* event_log(std::byte* out, std::string_view name, std::int64_t time, Attributes const& attributes) {
    return log(out, time, [&](std::byte* at, std::size_t& count) {
      bool named = name.empty();
      attributes.for_each([&](std::string_view key, auto const&) { named = named || key == "event"; });
      if (!named) at = counted(count, text_tag(at, "event", name));
      attributes.for_each([&](std::string_view key, auto const& value) { at = counted(count, tag(at, key, value)); });
      return at;
    });
  }
  /// One Log for what a reference cannot hold of a link: its attributes.
  template <class Attributes>
  std::byte* link_log(std::byte* out, std::int64_t time, trace_id const& trace, span_id linked,
                      Attributes const& attributes) {
    return log(out, time, [&](std::byte* at, std::size_t& count) {
      at = counted(count, text_tag(at, "event", "link"));
      at = counted(count, text_tag(at, "trace_id", trace.to_hex()));
      at = counted(count, text_tag(at, "span_id", linked.to_hex()));
      attributes.for_each([&](std::string_view key, auto const& value) { at = counted(count, tag(at, key, value)); });
      return at;
    });
  }
  /// One SpanRef.
  std::byte* reference(std::byte* out, trace_id const& trace, span_id linked) {
    constexpr std::int32_t follows_from = 1;
    out = memory().room(out, 5 * thrift_writer<Protocol>::field_room);
    out = thrift_.i32(out, 1, 0, follows_from);
    out = number(out, 2, 1, trace.low());
    out = number(out, 3, 2, trace.high());
    return thrift_.stop(number(out, 4, 3, linked.number()));
  }

  static constexpr std::int64_t microseconds(std::int64_t nanoseconds) noexcept { return nanoseconds / 1000; }
  static constexpr std::int64_t duration(std::int64_t start, std::int64_t end) noexcept {
    if (end <= start) return 0;
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(end) - static_cast<std::uint64_t>(start)) / 1000);
  }

 private:
  growing_bytes& memory() const noexcept { return thrift_.memory(); }
  static std::byte* counted(std::size_t& count, std::byte* out) noexcept {
    ++count;
    return out;
  }
  std::byte* number(std::byte* out, int id, int last, std::uint64_t bits) {
    return thrift_.i64(out, id, last, static_cast<std::int64_t>(bits));
  }

  std::byte* tag_head(std::byte* out, std::string_view key, std::int32_t type) {
    return thrift_.i32(thrift_.text(out, 1, 0, key), 2, 1, type);
  }
  std::byte* integer_tag(std::byte* out, std::string_view key, std::int64_t value) {
    return thrift_.stop(thrift_.i64(tag_head(out, key, 3), 6, 2, value));
  }
  std::byte* boolean_tag(std::byte* out, std::string_view key, bool value) {
    return thrift_.stop(thrift_.boolean(tag_head(out, key, 2), 5, 2, value));
  }
  /// Of a type that Jaeger does not have.
  template <class Value>
  [[gnu::noinline]] std::byte* written_tag(std::byte* out, std::string_view key, Value const& value) {
    std::string text;
    if (value.type() == value_type::unsigned_integer)
      append_number(text, static_cast<std::uint64_t>(value.integer()));
    else
      append_json_value(text, value);
    return text_tag(out, key, text);
  }

  template <class Fields>
  std::byte* log(std::byte* out, std::int64_t time, Fields&& fields) {
    int last = 1;
    out = thrift_.i64(out, 1, 0, microseconds(time));
    return thrift_.stop(thrift_.list(out, 2, last, thrift_type::structure, fields, true));
  }

  template <class Span>
  [[gnu::noinline]] std::byte* references(std::byte* out, int& last, Span const& one) {
    return thrift_.list(out, 6, last, thrift_type::structure, [&](std::byte* at, std::size_t& count) {
      one.for_each_link([&](trace_id const& trace, span_id linked, std::uint32_t, std::string_view, auto const&) {
        at = counted(count, reference(at, trace, linked));
      });
      return at;
    });
  }
  template <class Span>
  [[gnu::noinline]] std::byte* logs(std::byte* out, int& last, Span const& one) {
    return thrift_.list(out, 11, last, thrift_type::structure, [&](std::byte* at, std::size_t& count) {
      one.for_each_event([&](std::string_view name, std::int64_t time, auto const& attributes) {
        at = counted(count, event_log(at, name, time, attributes));
      });
      one.for_each_link(
          [&](trace_id const& trace, span_id linked, std::uint32_t, std::string_view, auto const& attributes) {
            if (!attributes.empty()) at = counted(count, link_log(at, one.start_time(), trace, linked, attributes));
          });
      return at;
    });
  }

  /// The keys of the tags that a span has from elsewhere than its attributes.
  class made_keys {
   public:
    void add(std::string_view key) noexcept { keys_[count_++] = key; }
    bool contains(std::string_view key) const noexcept {
      for (std::size_t i = 0; i < count_; ++i)
        if (keys_[i] == key) return true;
      return false;
    }

   private:
    std::array<std::string_view, 12> keys_;
    std::size_t count_ = 0;
  };

  template <class Span>
  std::byte* tags(std::byte* out, int& last, Span const& one, jaeger_scope const& scope, bool has_items) {
    const status_code status = one.status();
    const std::string_view description = one.status_description();
    const std::string_view state = has_items ? one.trace_state() : std::string_view();
    const auto dropped = has_items ? one.dropped() : record_view::dropped_counts{};
    made_keys made;
    const auto made_if = [&made](bool there, std::string_view key) {
      if (there) made.add(key);
    };
    made_if(scope.has_name, "otel.scope.name");
    made_if(scope.has_name, "otel.library.name");
    made_if(scope.has_version, "otel.scope.version");
    made_if(scope.has_version, "otel.library.version");
    made_if(one.kind() != span_kind::internal, "span.kind");
    made_if(status != status_code::unset, "otel.status_code");
    made_if(status == status_code::error, "error");
    made_if(!description.empty(), "otel.status_description");
    made_if(!state.empty(), "w3c.tracestate");
    made_if(dropped.attributes != 0, "otel.dropped_attributes_count");
    made_if(dropped.events != 0, "otel.dropped_events_count");
    made_if(dropped.links != 0, "otel.dropped_links_count");
    return thrift_.list(out, 10, last, thrift_type::structure, [&](std::byte* at, std::size_t& count) {
      at = memory().room(at, scope.tags.size());
      std::memcpy(at, scope.tags.data(), scope.tags.size());
      at += scope.tags.size();
      count = scope.count;
      one.for_each_attribute([&](std::string_view key, auto const& value) {
        if (!made.contains(key)) at = counted(count, tag(at, key, value));
      });
      if (one.kind() != span_kind::internal) at = counted(count, text_tag(at, "span.kind", jaeger_kind(one.kind())));
      if (status != status_code::unset)
        at = counted(count, text_tag(at, "otel.status_code", status == status_code::error ? "ERROR" : "OK"));
      if (status == status_code::error) at = counted(count, boolean_tag(at, "error", true));
      if (!description.empty()) at = counted(count, text_tag(at, "otel.status_description", description));
      if (!state.empty()) at = counted(count, text_tag(at, "w3c.tracestate", state));
      const auto dropped_tag = [&](std::string_view key, std::uint32_t value) {
        if (value != 0) at = counted(count, integer_tag(at, key, value));
      };
      dropped_tag("otel.dropped_attributes_count", dropped.attributes);
      dropped_tag("otel.dropped_events_count", dropped.events);
      dropped_tag("otel.dropped_links_count", dropped.links);
      return at;
    });
  }
  static constexpr std::string_view jaeger_kind(span_kind kind) noexcept {
    constexpr std::string_view names[] = {"internal", "server", "client", "producer", "consumer"};
    return names[static_cast<std::size_t>(kind)];
  }

  thrift_writer<Protocol> thrift_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
