// An attribute's value as JSON text: what formats get that know no arrays and no maps.
//
// The rules are OpenTelemetry's for protocols other than its own (common/README.md, AnyValue representation for
// non-OTLP protocols): octets in base64, numbers that are none by their names, the empty value as null.
#pragma once

#include <fulgurite/encoder/json_text.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/value_view.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Appends a value of any type: a `packed_value`, or anything with its members. An unsigned integer above 2^63-1 is
/// decimal text in quotes, as it is everywhere; what is nested too deep is null.
template <class Value>
inline void append_json_value(std::string& out, Value const& value, int depth = 0) {
  switch (value.type()) {
    case value_type::null:
      break;
    case value_type::boolean:
      out += value.boolean() ? "true" : "false";
      return;
    case value_type::unsigned_integer:
      if (value.integer() < 0) {
        out += '"';
        append_number(out, static_cast<std::uint64_t>(value.integer()));
        out += '"';
        return;
      }
      [[fallthrough]];
    case value_type::integer:
      return append_number(out, value.integer());
    case value_type::real:
      return append_json_real(out, value.real());
    case value_type::string:
      return append_json_string(out, value.text());
    case value_type::bytes:
      out += '"';
      append_base64(out, value.text());
      out += '"';
      return;
    case value_type::array: {
      if (depth >= max_value_depth) break;
      char separator = '[';
      value.for_each_element([&](auto const& element) {
        out += separator;
        separator = ',';
        append_json_value(out, element, depth + 1);
      });
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case value_type::map: {
      if (depth >= max_value_depth) break;
      char separator = '{';
      value.for_each_entry([&](std::string_view key, auto const& entry) {
        out += separator;
        separator = ',';
        append_json_string(out, key);
        out += ':';
        append_json_value(out, entry, depth + 1);
      });
      out += separator == '{' ? "{}" : "}";
      return;
    }
  }
  out += "null";
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
