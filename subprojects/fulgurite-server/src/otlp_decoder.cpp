#include "otlp_decoder.hpp"

#include "otlp_schema.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

namespace fulgurite_server {
namespace {

using fulgurite::attribute;
using fulgurite::attribute_value;

constexpr wire_type wire_of(otlp_type type) noexcept {
  switch (type) {
    case otlp_type::boolean:
    case otlp_type::integer:
    case otlp_type::count:
    case otlp_type::choice:
      return wire_type::varint;
    case otlp_type::fixed64:
    case otlp_type::real:
      return wire_type::fixed64;
    case otlp_type::fixed32:
      return wire_type::fixed32;
    case otlp_type::text:
    case otlp_type::data:
    case otlp_type::id:
    case otlp_type::message:
      break;
  }
  return wire_type::bytes;
}

constexpr const char* wire_name(wire_type type) noexcept {
  switch (type) {
    case wire_type::varint:
      return "a varint";
    case wire_type::fixed64:
      return "eight bytes";
    case wire_type::fixed32:
      return "four bytes";
    default:
      return "length-delimited";
  }
}

[[noreturn]] void fail(wire_reader const& reader, wire_field const& at, std::string_view sentence) {
  throw malformed(reader.offset(at.at), sentence);
}

/// The table's field for a field of the wire; null for an unknown one.
const otlp_field* known(wire_reader const& reader, otlp_message const& message, wire_field const& field) {
  const otlp_field* const entry = find_field(message, field.number);
  if (entry && wire_of(entry->type) != field.type)
    fail(reader, field,
         fmt::format("{}.{} is sent as {}, it must be {}", message.name, entry->name, wire_name(field.type),
                     wire_name(wire_of(entry->type))));
  return entry;
}

/// Checks a message and everything in it.
void check(std::string_view bytes, const char* origin, otlp_message const& message, int depth) {
  if (&message == &otlp::any_value && ++depth > max_value_depth)
    throw malformed(static_cast<std::size_t>(bytes.data() - origin),
                    fmt::format("a value is nested deeper than {} levels", max_value_depth));
  wire_reader reader(bytes, origin);
  wire_field field;
  while (reader.read(field)) {
    const otlp_field* const entry = known(reader, message, field);
    if (entry && entry->type == otlp_type::message) check(field.payload, origin, *entry->inner, depth);
    // A link to nowhere is allowed (its attributes or its trace state may say something), half an identifier is not.
    if (entry && &message == &otlp::link && entry->type == otlp_type::id) {
      const std::size_t size = entry->number == 1 ? 16 : 8;
      if (!field.payload.empty() && field.payload.size() != size)
        fail(reader, field,
             fmt::format("Link.{} has {} bytes, {} are needed", entry->name, field.payload.size(), size));
    }
  }
}

std::uint64_t word_at(const char* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

fulgurite::trace_id to_trace_id(std::string_view bytes) noexcept {
  if (bytes.size() != 16) return {};
  return fulgurite::trace_id::from_wire(word_at(bytes.data()), word_at(bytes.data() + 8));
}

fulgurite::span_id to_span_id(std::string_view bytes) noexcept {
  return bytes.size() == 8 ? fulgurite::span_id::from_wire(word_at(bytes.data())) : fulgurite::span_id();
}

std::int64_t to_time(std::uint64_t value) noexcept {
  constexpr auto last = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value > last ? last : value);
}

void check_id(wire_reader const& reader, wire_field const& field, const char* name, std::size_t size) {
  if (field.payload.size() != size)
    fail(reader, field, fmt::format("Span.{} has {} bytes, {} are needed", name, field.payload.size(), size));
  if (field.payload.find_first_not_of('\0') == std::string_view::npos)
    fail(reader, field, fmt::format("Span.{} is all zeros", name));
}

received_span read_span(wire_field const& from, const char* origin) {
  check(from.payload, origin, otlp::span, 0);
  received_span span;
  span.body = from.payload;
  wire_reader reader(from.payload, origin);
  wire_field field;
  while (reader.read(field)) {
    switch (field.number) {
      case 1:
        check_id(reader, field, "trace_id", 16);
        span.trace_id = to_trace_id(field.payload);
        break;
      case 2:
        check_id(reader, field, "span_id", 8);
        span.span_id = to_span_id(field.payload);
        break;
      case 4:
        // Some senders write a root's parent as eight zeros.
        if (!field.payload.empty() && field.payload.size() != 8)
          fail(reader, field, fmt::format("Span.parent_span_id has {} bytes, 8 are needed", field.payload.size()));
        span.parent_span_id = to_span_id(field.payload);
        break;
      case 5:
        span.name = field.payload;
        break;
      case 7:
        span.start_time = to_time(field.value);
        break;
      case 8:
        span.end_time = to_time(field.value);
        break;
      case 15: {
        wire_reader status(field.payload, origin);
        wire_field part;
        while (status.read(part))
          if (part.number == 3) span.failed = part.value == 2;
        break;
      }
      default:
        break;
    }
  }
  if (!span.trace_id.is_valid()) fail(reader, from, "a span has no trace_id");
  if (!span.span_id.is_valid()) fail(reader, from, "a span has no span_id");
  return span;
}

/// A message that may come only once; where it comes again, protobuf joins the two, which is to join their bytes.
void merge(std::optional<std::string>& into, std::string_view payload) {
  if (!into) into.emplace();
  into->append(payload);
}

void read_scope_spans(std::string_view bytes, const char* origin, received_request& out) {
  span_owner scope;
  const std::size_t first = out.spans.size();
  wire_reader reader(bytes, origin);
  wire_field field;
  while (reader.read(field)) {
    if (!known(reader, otlp::scope_spans, field)) continue;
    if (field.number == 1) {
      check(field.payload, origin, otlp::scope, 0);
      merge(scope.body, field.payload);
    } else if (field.number == 2) {
      out.spans.push_back(read_span(field, origin));
      out.spans.back().resource = out.resources.size();
      out.spans.back().scope = out.scopes.size();
    } else {
      scope.schema_url = field.payload;
    }
  }
  if (out.spans.size() != first) out.scopes.push_back(std::move(scope));
}

void read_resource_spans(std::string_view bytes, const char* origin, received_request& out) {
  span_owner resource;
  const std::size_t first = out.spans.size();
  wire_reader reader(bytes, origin);
  wire_field field;
  while (reader.read(field)) {
    if (!known(reader, otlp::resource_spans, field)) continue;
    if (field.number == 1) {
      check(field.payload, origin, otlp::resource, 0);
      merge(resource.body, field.payload);
    } else if (field.number == 2) {
      read_scope_spans(field.payload, origin, out);
    } else {
      resource.schema_url = field.payload;
    }
  }
  if (out.spans.size() != first) out.resources.push_back(std::move(resource));
}

// From here on: values of the library from messages that were checked.

attribute_value decode_value(std::string_view bytes);

/// Calls `f` with each field of a checked message.
template <class F>
void each_field(std::string_view bytes, F f) {
  wire_reader reader(bytes, bytes.data());
  wire_field field;
  while (reader.read(field)) f(field);
}

attribute decode_attribute(std::string_view bytes) {
  attribute result;
  std::string value;
  each_field(bytes, [&](wire_field const& field) {
    if (field.number == 1) result.key = field.payload;
    if (field.number == 2) value += field.payload;
  });
  result.value = decode_value(value);
  return result;
}

attribute_value decode_value(std::string_view bytes) {
  attribute_value result;
  attribute_value::variant& out = result;
  each_field(bytes, [&](wire_field const& field) {
    switch (field.number) {
      case 1:
        out.emplace<std::string>(field.payload);
        break;
      case 2:
        out.emplace<bool>(field.value != 0);
        break;
      case 3:
        out.emplace<std::int64_t>(static_cast<std::int64_t>(field.value));
        break;
      case 4:
        out.emplace<double>(std::bit_cast<double>(field.value));
        break;
      case 5: {
        using array = std::vector<attribute_value>;
        array& values = std::holds_alternative<array>(out) ? std::get<array>(out) : out.emplace<array>();
        each_field(field.payload, [&](wire_field const& element) {
          if (element.number == 1) values.push_back(decode_value(element.payload));
        });
        break;
      }
      case 6: {
        using map = std::vector<attribute>;
        map& entries = std::holds_alternative<map>(out) ? std::get<map>(out) : out.emplace<map>();
        each_field(field.payload, [&](wire_field const& entry) {
          if (entry.number == 1) entries.push_back(decode_attribute(entry.payload));
        });
        break;
      }
      case 7: {
        const auto* first = reinterpret_cast<const std::byte*>(field.payload.data());
        out.emplace<fulgurite::bytes>(first, first + field.payload.size());
        break;
      }
      default:
        break;
    }
  });
  return result;
}

std::shared_ptr<const fulgurite::resource> decode_resource(std::string_view bytes) {
  auto result = std::make_shared<fulgurite::resource>();
  const auto take = [](attribute& from, std::string& member) {
    auto* text = std::get_if<std::string>(&static_cast<attribute_value::variant&>(from.value));
    if (!text || text->empty() || !member.empty()) return false;
    member = std::move(*text);
    return true;
  };
  each_field(bytes, [&](wire_field const& field) {
    if (field.number != 1) return;
    attribute entry = decode_attribute(field.payload);
    if (entry.key == "service.name" && take(entry, result->service_name)) return;
    if (entry.key == "service.version" && take(entry, result->service_version)) return;
    if (entry.key == "deployment.environment.name" && take(entry, result->environment)) return;
    result->attributes.push_back(std::move(entry));
  });
  return result;
}

std::shared_ptr<const fulgurite::instrumentation_scope> decode_scope(std::string_view bytes) {
  auto result = std::make_shared<fulgurite::instrumentation_scope>();
  each_field(bytes, [&](wire_field const& field) {
    if (field.number == 1) result->name = field.payload;
    if (field.number == 2) result->version = field.payload;
    if (field.number == 3) result->attributes.push_back(decode_attribute(field.payload));
  });
  return result;
}

fulgurite::span_event decode_event(std::string_view bytes) {
  fulgurite::span_event result;
  each_field(bytes, [&](wire_field const& field) {
    if (field.number == 1) result.time = to_time(field.value);
    if (field.number == 2) result.name = field.payload;
    if (field.number == 3) result.attributes.push_back(decode_attribute(field.payload));
  });
  return result;
}

fulgurite::span_link decode_link(std::string_view bytes) {
  fulgurite::span_link result;
  fulgurite::trace_id trace;
  fulgurite::span_id span;
  fulgurite::trace_state state;
  std::uint64_t flags = 0;
  each_field(bytes, [&](wire_field const& field) {
    if (field.number == 1) trace = to_trace_id(field.payload);
    if (field.number == 2) span = to_span_id(field.payload);
    if (field.number == 3) state = fulgurite::trace_state::from_header(field.payload);
    if (field.number == 4) result.attributes.push_back(decode_attribute(field.payload));
    if (field.number == 6) flags = field.value;
  });
  result.context = fulgurite::span_context(trace, span, fulgurite::trace_flags(static_cast<std::uint8_t>(flags)),
                                           (flags & fulgurite::span_data::is_remote) != 0, std::move(state));
  return result;
}

fulgurite::span_data decode_span(received_span const& from) {
  fulgurite::span_data result;
  result.name = from.name;
  result.trace_id = from.trace_id;
  result.span_id = from.span_id;
  result.parent_span_id = from.parent_span_id;
  result.start_time = from.start_time;
  result.end_time = from.end_time;
  result.flags = 0;
  each_field(from.body, [&](wire_field const& field) {
    const auto number = static_cast<std::uint32_t>(field.value);
    switch (field.number) {
      case 3:
        result.trace_state = field.payload;
        break;
      case 6:
        // 0 is unspecified, which receivers may take for internal (trace.proto, SpanKind).
        result.kind = field.value >= 1 && field.value <= 5 ? static_cast<fulgurite::span_kind>(field.value - 1)
                                                           : fulgurite::span_kind::internal;
        break;
      case 9:
        result.attributes.push_back(decode_attribute(field.payload));
        break;
      case 10:
        result.dropped_attributes_count = number;
        break;
      case 11:
        result.events.push_back(decode_event(field.payload));
        break;
      case 12:
        result.dropped_events_count = number;
        break;
      case 13:
        result.links.push_back(decode_link(field.payload));
        break;
      case 14:
        result.dropped_links_count = number;
        break;
      case 15:
        each_field(field.payload, [&](wire_field const& part) {
          if (part.number == 2) result.status.description = part.payload;
          if (part.number == 3)
            result.status.code =
                part.value <= 2 ? static_cast<fulgurite::status_code>(part.value) : fulgurite::status_code::unset;
        });
        break;
      case 16:
        result.flags = number;
        break;
      default:
        break;
    }
  });
  return result;
}

}  // namespace

received_request read_request(std::string_view bytes) {
  received_request result;
  wire_reader reader(bytes, bytes.data());
  wire_field field;
  while (reader.read(field))
    if (known(reader, otlp::traces_data, field)) read_resource_spans(field.payload, bytes.data(), result);
  return result;
}

std::vector<fulgurite::span_data> decode_spans(std::string_view bytes) {
  const received_request request = read_request(bytes);
  std::vector<std::shared_ptr<const fulgurite::resource>> resources;
  for (span_owner const& resource : request.resources)
    resources.push_back(resource.body ? decode_resource(*resource.body) : nullptr);
  std::vector<std::shared_ptr<const fulgurite::instrumentation_scope>> scopes;
  for (span_owner const& scope : request.scopes) scopes.push_back(scope.body ? decode_scope(*scope.body) : nullptr);
  std::vector<fulgurite::span_data> spans;
  spans.reserve(request.spans.size());
  for (received_span const& span : request.spans) {
    spans.push_back(decode_span(span));
    spans.back().resource = resources[span.resource];
    spans.back().scope = scopes[span.scope];
  }
  return spans;
}

std::string service_name(std::string_view resource) {
  std::string found;
  each_field(resource, [&](wire_field const& field) {
    if (field.number != 1 || !found.empty()) return;
    // The key first: only one value is worth the copy.
    bool named = false;
    each_field(field.payload, [&](wire_field const& part) {
      if (part.number == 1) named = part.payload == "service.name";
    });
    if (!named) return;
    const attribute entry = decode_attribute(field.payload);
    if (const auto* text = std::get_if<std::string>(&entry.value.as_variant())) found = *text;
  });
  return found;
}

}  // namespace fulgurite_server
