#include "traces_data.hpp"

#include "otlp_schema.hpp"

#include <fulgurite/text/base64.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/json_text.hpp>

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <map>

namespace fulgurite_server {
namespace {

void put_hex(std::string& out, std::string_view bytes) {
  out += '"';
  for (const char c : bytes) fulgurite::detail::append_hex_octet(out, static_cast<unsigned char>(c));
  out += '"';
}

void put_base64(std::string& out, std::string_view bytes) {
  out += '"';
  fulgurite::detail::append_base64(out, bytes);
  out += '"';
}

void put_real(std::string& out, double value) {
  if (std::isnan(value))
    out += "\"NaN\"";
  else if (std::isinf(value))
    out += value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  else if (value == 0 && std::signbit(value))
    out += "-0.0";  // many parsers take "-0" for the integer
  else
    out += fmt::format("{}", value);
}

void put_message(std::string& out, std::string_view bytes, otlp_message const& message);

void put_value(std::string& out, otlp_field const& field, wire_field const& from) {
  switch (field.type) {
    case otlp_type::text:
      fulgurite::detail::append_json_string(out, from.payload);
      break;
    case otlp_type::data:
      put_base64(out, from.payload);
      break;
    case otlp_type::id:
      put_hex(out, from.payload);
      break;
    case otlp_type::boolean:
      out += from.value != 0 ? "true" : "false";
      break;
    case otlp_type::integer:
      out += fmt::format("\"{}\"", static_cast<std::int64_t>(from.value));
      break;
    case otlp_type::fixed64:
      out += fmt::format("\"{}\"", from.value);
      break;
    case otlp_type::choice:
      out += fmt::to_string(static_cast<std::int32_t>(from.value));
      break;
    case otlp_type::count:
    case otlp_type::fixed32:
      out += fmt::to_string(static_cast<std::uint32_t>(from.value));
      break;
    case otlp_type::real:
      put_real(out, std::bit_cast<double>(from.value));
      break;
    case otlp_type::message:
      put_message(out, from.payload, *field.inner);
      break;
  }
}

/// A field that is not repeated may still come twice: of scalars the last counts, messages are joined, and of a `oneof`
/// only the last member stays. Fields are counted and read again rather than kept: a hostile message of millions of
/// tiny fields must not take many times its size.
void put_message(std::string& out, std::string_view bytes, otlp_message const& message) {
  struct seen {
    std::size_t times = 0;
    wire_field last = {};
  };
  std::vector<seen> found(message.fields.size());
  wire_field field;
  for (wire_reader reader(bytes, bytes.data()); reader.read(field);) {
    const otlp_field* const known = find_field(message, field.number);
    if (!known) continue;
    seen& entry = found[static_cast<std::size_t>(known - message.fields.data())];
    if (message.one_of && entry.times == 0) found.assign(found.size(), {});
    ++entry.times;
    entry.last = field;
  }
  const auto each = [&](std::uint32_t number, auto f) {
    for (wire_reader reader(bytes, bytes.data()); reader.read(field);)
      if (field.number == number) f(wire_field(field));
  };
  char separator = '{';
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].times == 0) continue;
    otlp_field const& known = message.fields[i];
    out += separator;
    separator = ',';
    out += '"';
    out += known.json_name;
    out += "\":";
    if (known.repeated) {
      char between = '[';
      each(known.number, [&](wire_field const& one) {
        out += between;
        between = ',';
        put_value(out, known, one);
      });
      out += ']';
    } else if (known.type == otlp_type::message && found[i].times > 1) {
      std::string joined;
      each(known.number, [&](wire_field const& one) { joined += one.payload; });
      put_message(out, joined, *known.inner);
    } else {
      put_value(out, known, found[i].last);
    }
  }
  if (separator == '{') out += '{';
  out += '}';
}

}  // namespace

std::string to_protobuf(stored_trace const& trace) {
  // Position of the resource -> of the scope -> encoded spans.
  struct group {
    std::size_t resource;
    std::vector<std::pair<std::size_t, std::string>> scopes;
    std::map<std::size_t, std::size_t> position = {};
  };
  std::vector<group> groups;
  std::map<std::size_t, std::size_t> position;
  for (stored_span const& span : trace.spans) {
    const auto [at, new_resource] = position.try_emplace(span.resource, groups.size());
    if (new_resource) groups.push_back({span.resource, {}});
    group& in = groups[at->second];
    const auto [scope_at, new_scope] = in.position.try_emplace(span.scope, in.scopes.size());
    if (new_scope) in.scopes.emplace_back(span.scope, std::string());
    put_bytes(in.scopes[scope_at->second].second, 2, span.body);
  }
  std::string out;
  for (group const& in : groups) {
    std::string resource_spans;
    span_owner const& resource = trace.resources[in.resource];
    if (resource.body) put_bytes(resource_spans, 1, *resource.body);
    for (auto const& [index, spans] : in.scopes) {
      std::string scope_spans;
      span_owner const& scope = trace.scopes[index];
      if (scope.body) put_bytes(scope_spans, 1, *scope.body);
      scope_spans += spans;
      if (!scope.schema_url.empty()) put_bytes(scope_spans, 3, scope.schema_url);
      put_bytes(resource_spans, 2, scope_spans);
    }
    if (!resource.schema_url.empty()) put_bytes(resource_spans, 3, resource.schema_url);
    put_bytes(out, 1, resource_spans);
  }
  return out;
}

std::string to_json(std::string_view traces_data) {
  read_request(traces_data);  // throws; below, nothing is checked again
  std::string out;
  put_message(out, traces_data, otlp::traces_data);
  return out;
}

}  // namespace fulgurite_server
