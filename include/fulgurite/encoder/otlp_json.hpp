// OTLP in JSON: one TracesData, as a file exporter writes it on a line and `http/json` sends it.
//
// The mapping is OTLP's (opentelemetry-proto, docs/specification.md, JSON Protobuf Encoding): lowerCamelCase names, ids
// in hexadecimal, other bytes in base64, 64-bit integers as decimal text, enumerations as numbers. Zero scalars and
// empty strings are left out, except the value of an attribute. The protobuf form is encoder/otlp_protobuf.hpp.
#pragma once

#include <fulgurite/encoder/json_text.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Writes the parts of TracesData into a string. A comma is put by whoever writes the next member.
class otlp_json_writer {
 public:
  explicit otlp_json_writer(std::string& out) noexcept : out_(out) {}

  void begin_resource(const resource* of) {
    out_ += "{\"resource\":{";
    if (of) {
      out_ += "\"attributes\":[";
      bool first = true;
      for_each_attribute(*of, [&](std::string_view key, attribute_value const& value) {
        if (!first) out_ += ',';
        first = false;
        entry(key, owned_value_view(value), 0);
      });
      out_ += ']';
    }
    out_ += "},\"scopeSpans\":[";
  }
  void begin_scope(const instrumentation_scope* scope) {
    out_ += "{\"scope\":{";
    if (scope) {
      member first(out_, true);
      first.text("name", scope->name);
      first.text("version", scope->version);
      if (!scope->attributes.empty()) {
        first.separate();
        owned_attribute_list(scope->attributes);
      }
    }
    out_ += "},\"spans\":[";
  }
  void end_scope() { out_ += "]}"; }
  void end_resource() { out_ += "]}"; }

  template <class Span>
  void span(Span const& one) {
    out_ += "{\"traceId\":\"";
    id(one.trace_id());
    out_ += "\",\"spanId\":\"";
    id(one.span_id());
    out_ += '"';
    member next(out_);
    next.text("traceState", one.trace_state());
    if (one.parent_span_id().is_valid()) {
      out_ += ",\"parentSpanId\":\"";
      id(one.parent_span_id());
      out_ += '"';
    }
    next.number("flags", one.flags());
    next.text("name", one.name());
    next.number("kind", static_cast<unsigned>(one.kind()) + 1);
    next.nanoseconds("startTimeUnixNano", one.start_time());
    next.nanoseconds("endTimeUnixNano", one.end_time());
    attributes(next, [&](auto&& visit) { one.for_each_attribute(visit); });
    const auto dropped = one.dropped();
    next.number("droppedAttributesCount", dropped.attributes);
    list events(out_, ",\"events\":[");
    one.for_each_event([&](std::string_view name, std::int64_t time, auto&& items) {
      events.next();
      out_ += '{';
      member of_event(out_, true);
      of_event.nanoseconds("timeUnixNano", time);
      of_event.text("name", name);
      attributes(of_event, [&](auto&& visit) { items.for_each(visit); });
      out_ += '}';
    });
    events.close();
    next.number("droppedEventsCount", dropped.events);
    list links(out_, ",\"links\":[");
    one.for_each_link(
        [&](trace_id const& trace, span_id linked, std::uint32_t flags, std::string_view state, auto&& items) {
          links.next();
          out_ += "{\"traceId\":\"";
          id(trace);
          out_ += "\",\"spanId\":\"";
          id(linked);
          out_ += '"';
          member of_link(out_);
          of_link.text("traceState", state);
          attributes(of_link, [&](auto&& visit) { items.for_each(visit); });
          of_link.number("flags", flags);
          out_ += '}';
        });
    links.close();
    next.number("droppedLinksCount", dropped.links);
    if (one.status() != status_code::unset || !one.status_description().empty()) {
      out_ += ",\"status\":{";
      member of_status(out_, true);
      of_status.text("message", one.status_description());
      of_status.number("code", static_cast<unsigned>(one.status()));
      out_ += '}';
    }
    out_ += '}';
  }

 private:
  /// Writes members of an object; zero and empty ones are left out.
  class member {
   public:
    explicit member(std::string& out, bool first = false) noexcept : out_(out), first_(first) {}

    void separate() {
      if (!first_) out_ += ',';
      first_ = false;
    }
    void key(std::string_view name) {
      separate();
      out_ += '"';
      out_ += name;
      out_ += "\":";
    }
    void text(std::string_view name, std::string_view value) {
      if (value.empty()) return;
      key(name);
      append_json_string(out_, value);
    }
    void number(std::string_view name, std::uint32_t value) {
      if (value == 0) return;
      key(name);
      append_number(out_, value);
    }
    void nanoseconds(std::string_view name, std::int64_t time) {
      key(name);
      out_ += '"';
      append_number(out_, static_cast<std::uint64_t>(time));
      out_ += '"';
    }

   private:
    std::string& out_;
    bool first_;
  };

  /// Writes a list that is left out when nothing is in it.
  class list {
   public:
    list(std::string& out, std::string_view opening) noexcept : out_(out), opening_(opening) {}
    void next() {
      if (open_)
        out_ += ',';
      else
        out_ += opening_;
      open_ = true;
    }
    void close() {
      if (open_) out_ += ']';
    }

   private:
    std::string& out_;
    std::string_view opening_;
    bool open_ = false;
  };

  void id(trace_id const& trace) {
    char digits[32];
    write_hex(trace.high(), digits);
    write_hex(trace.low(), digits + 16);
    out_.append(digits, sizeof digits);
  }
  void id(span_id one) {
    char digits[16];
    write_hex(one.number(), digits);
    out_.append(digits, sizeof digits);
  }

  template <class Visit>
  void attributes(member& next, Visit&& for_each) {
    bool any = false;
    for_each([&](std::string_view key, auto const& value) {
      if (any)
        out_ += ',';
      else {
        next.key("attributes");
        out_ += '[';
      }
      any = true;
      entry(key, value, 0);
    });
    if (any) out_ += ']';
  }
  void owned_attribute_list(std::vector<attribute> const& all) {
    out_ += "\"attributes\":[";
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i != 0) out_ += ',';
      entry(all[i].key, owned_value_view(all[i].value), 0);
    }
    out_ += ']';
  }

  template <class Value>
  void entry(std::string_view key, Value const& value, int depth) {
    out_ += "{\"key\":";
    append_json_string(out_, key);
    out_ += ",\"value\":";
    any_value(value, depth);
    out_ += '}';
  }

  template <class Value>
  void any_value(Value const& value, int depth) {
    switch (value.type()) {
      case value_type::null:
        out_ += "{}";
        return;
      case value_type::boolean:
        out_ += value.boolean() ? "{\"boolValue\":true}" : "{\"boolValue\":false}";
        return;
      case value_type::integer:
        integer(value.integer());
        return;
      case value_type::unsigned_integer:
        if (value.integer() >= 0) return integer(value.integer());
        out_ += "{\"stringValue\":\"";
        append_number(out_, static_cast<std::uint64_t>(value.integer()));
        out_ += "\"}";
        return;
      case value_type::real:
        out_ += "{\"doubleValue\":";
        append_json_real(out_, value.real());
        break;
      case value_type::string:
        out_ += "{\"stringValue\":";
        append_json_string(out_, value.text());
        break;
      case value_type::bytes:
        out_ += "{\"bytesValue\":\"";
        append_base64(out_, value.text());
        out_ += '"';
        break;
      case value_type::array:
        if (depth >= max_value_depth) return void(out_ += "{}");
        nested("{\"arrayValue\":{", [&](list& values) {
          value.for_each_element([&](auto const& element) {
            values.next();
            any_value(element, depth + 1);
          });
        });
        return;
      case value_type::map:
        if (depth >= max_value_depth) return void(out_ += "{}");
        nested("{\"kvlistValue\":{", [&](list& values) {
          value.for_each_entry([&](std::string_view key, auto const& element) {
            values.next();
            entry(key, element, depth + 1);
          });
        });
        return;
    }
    out_ += '}';
  }
  void integer(std::int64_t number) {
    out_ += "{\"intValue\":\"";
    append_number(out_, number);
    out_ += "\"}";
  }
  template <class Fill>
  void nested(std::string_view opening, Fill&& fill) {
    out_ += opening;
    list values(out_, "\"values\":[");
    fill(values);
    values.close();
    out_ += "}}";
  }

  std::string& out_;
};

}  // namespace detail

/// One TracesData in JSON, on one line, the spans grouped by resource and scope. A span without a resource or a scope
/// gets an empty one. A template, so that only who calls it compiles it.
template <class = void>
std::string to_otlp_json(std::span<const span_data> spans) {
  std::string out = "{\"resourceSpans\":[";
  detail::otlp_json_writer writer(out);
  for (std::size_t i = 0; const detail::resource_group& of : detail::grouped(spans)) {
    if (i++ != 0) out += ',';
    writer.begin_resource(of.of);
    for (std::size_t j = 0; const detail::scope_group& scope : of.scopes) {
      if (j++ != 0) out += ',';
      writer.begin_scope(scope.scope);
      for (std::size_t k = 0; const span_data* one : scope.spans) {
        if (k++ != 0) out += ',';
        writer.span(detail::span_data_view(*one));
      }
      writer.end_scope();
    }
    writer.end_resource();
  }
  out += "]}";
  return out;
}

/// The same of a batch, its records read in place.
template <class = void>
std::string to_otlp_json(span_batch const& batch) {
  std::string out = "{\"resourceSpans\":[";
  detail::otlp_json_writer writer(out);
  writer.begin_resource(&batch.resource());
  writer.begin_scope(&batch.scope());
  bool first = true;
  batch.for_each([&](record_view const& record) {
    if (!first) out += ',';
    first = false;
    writer.span(record);
  });
  writer.end_scope();
  writer.end_resource();
  out += "]}";
  return out;
}

}  // namespace v1
}  // namespace fulgurite
