// What an OTLP backend answers: ExportTraceServiceResponse, or google.rpc.Status with an error.
//
// In protobuf or in JSON. Two messages of two fields each, from a network that may send anything: read by hand, and
// what is malformed is read as if it said nothing.
#pragma once

#include <fulgurite/text/flat_json.hpp>
#include <fulgurite/text/utf8.hpp>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A varint off the front of the data; nothing when it is cut off or longer than 10 bytes.
inline std::optional<std::uint64_t> take_varint(std::string_view& data) noexcept {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 70 && !data.empty(); shift += 7) {
    const auto octet = static_cast<unsigned char>(data.front());
    data.remove_prefix(1);
    number |= static_cast<std::uint64_t>(octet & 0x7f) << (shift < 64 ? shift : 63);
    if (octet < 0x80) return number;
  }
  return std::nullopt;
}

/// Calls `visit(field, number, content)` for each field of a message: `number` of a varint, `content` of a
/// length-delimited field. False where the data is no message.
template <class F>
bool for_each_field(std::string_view data, F&& visit) {
  while (!data.empty()) {
    const std::optional<std::uint64_t> tag = take_varint(data);
    if (!tag || *tag >> 3 == 0) return false;
    std::uint64_t number = 0;
    std::string_view content;
    std::size_t skip = 0;
    switch (*tag & 7) {
      case 0: {
        const std::optional<std::uint64_t> value = take_varint(data);
        if (!value) return false;
        number = *value;
        break;
      }
      case 1:
        skip = 8;
        break;
      case 2: {
        const std::optional<std::uint64_t> size = take_varint(data);
        if (!size || *size > data.size()) return false;
        content = data.substr(0, static_cast<std::size_t>(*size));
        skip = content.size();
        break;
      }
      case 5:
        skip = 4;
        break;
      default:
        return false;
    }
    if (skip > data.size()) return false;
    data.remove_prefix(skip);
    visit(*tag >> 3, number, content);
  }
  return true;
}

struct otlp_response {
  /// Spans that the backend did not take.
  std::uint64_t rejected = 0;
  /// The backend's own words.
  std::string message = {};
};

/// Text from a backend, fit for a line in a log: UTF-8, no control characters, not long.
inline std::string for_log(std::string_view text) {
  constexpr std::size_t longest = 300;
  std::string clean = to_utf8(text.substr(0, longest));
  for (char& c : clean)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  if (text.size() > longest) clean += "...";
  return clean;
}

/// The text without these others in it, which are secrets: a backend may quote a request in its answer.
inline std::string without_texts(std::string text, std::initializer_list<std::string_view> secrets) {
  constexpr std::string_view hidden = "********";
  for (const std::string_view secret : secrets)
    for (std::size_t at = 0; secret.size() > 3 && (at = text.find(secret, at)) != std::string::npos;
         at += hidden.size())
      text.replace(at, secret.size(), hidden);
  // What was cut off for the log may have been cut in one.
  constexpr std::string_view cut = "...";
  if (!text.ends_with(cut)) return text;
  for (const std::string_view secret : secrets)
    for (std::size_t length = secret.size(); length > 3; --length)
      if (std::string_view(text).substr(0, text.size() - cut.size()).ends_with(secret.substr(0, length))) {
        text.replace(text.size() - cut.size() - length, length, hidden);
        break;
      }
  return text;
}

/// The text without the values of these headers: credentials are among them.
template <class Headers>
std::string without_header_values(std::string text, Headers const& headers) {
  for (auto const& [name, value] : headers) {
    const std::size_t space = value.find(' ');  // a scheme, then the secret
    text = without_texts(std::move(text), {value, std::string_view(value).substr(space + 1)});
  }
  return text;
}

/// Reads ExportTraceServiceResponse.
inline otlp_response parse_otlp_response(std::string_view body) {
  otlp_response response;
  for_each_field(body, [&](std::uint64_t field, std::uint64_t, std::string_view partial) {
    if (field != 1) return;
    for_each_field(partial, [&](std::uint64_t inner, std::uint64_t number, std::string_view text) {
      // A negative count makes no sense and is read as none.
      if (inner == 1) response.rejected = number >> 63 != 0 ? 0 : number;
      if (inner == 2) response.message = for_log(text);
    });
  });
  return response;
}

/// Reads ExportTraceServiceResponse in JSON; numbers may be texts.
inline otlp_response parse_otlp_json_response(std::string_view body) {
  otlp_response response;
  const std::optional<text_members> whole = read_json_members(body);
  const std::optional<text_members> partial =
      whole ? read_json_members(find_member(*whole, "partialSuccess")) : std::nullopt;
  if (!partial) return response;
  const std::string_view rejected = find_member(*partial, "rejectedSpans");
  std::from_chars(rejected.data(), rejected.data() + rejected.size(), response.rejected);
  response.message = for_log(find_member(*partial, "errorMessage"));
  return response;
}

/// What an error's body says: the message of google.rpc.Status, or the text itself when it is text.
inline std::string parse_error_body(std::string_view body, std::string_view content_type) {
  if (content_type.find("protobuf") == std::string_view::npos) return for_log(body);
  std::string message;
  for_each_field(body, [&](std::uint64_t field, std::uint64_t, std::string_view text) {
    if (field == 2) message = for_log(text);
  });
  return message;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
