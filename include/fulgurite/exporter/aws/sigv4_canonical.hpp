// The canonical request of AWS Signature Version 4: the one text that both sides make of a request, so that what a
// client library or a proxy may do to its form (order, case, spaces, escapes) does not change the signature.
//
// Rules: AWS General Reference, "Create a signed AWS API request", step 1. Where they leave something open, botocore
// and AWS's own test suite decide; tests/integration/sigv4_reference.py compares with both. exporter/aws/sigv4.hpp
// signs the text.
#pragma once

#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/percent.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A header's name and value, as in transport/http.hpp.
using sigv4_header = std::pair<std::string, std::string>;

/// How a service wants the path. The defaults are those of every service but S3.
struct sigv4_path_rules {
  /// Dot segments and doubled slashes are taken out.
  bool normalize = true;
  /// The path, which was encoded for the wire, is encoded once more.
  bool encode_again = true;
};

/// Percent-encodes all but unreserved characters (RFC 3986, 2.3) and those of `also`.
inline void append_uri_encoded(std::string& out, std::string_view text, std::string_view also = {}) {
  for (const char c : text) {
    const char lower = lower_case(c);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
        also.find(c) != std::string_view::npos)
      out += c;
    else
      append_percent_octet(out, c);
  }
}

/// The canonical path of one that stands in a request, without its query. Never empty.
inline std::string canonical_path(std::string_view path, sigv4_path_rules rules = {}) {
  std::string plain;
  if (rules.normalize) {
    std::vector<std::string_view> segments;
    const bool slash_at_end = path.ends_with('/');
    while (!path.empty()) {
      const std::string_view segment = path.substr(0, path.find('/'));
      path.remove_prefix(std::min(path.size(), segment.size() + 1));
      if (segment == "..") {
        if (!segments.empty()) segments.pop_back();
      } else if (!segment.empty() && segment != ".")
        segments.push_back(segment);
    }
    for (const std::string_view segment : segments) plain.append("/").append(segment);
    if (slash_at_end || segments.empty()) plain += '/';
  } else {
    if (!path.starts_with('/')) plain += '/';
    plain += path;
  }
  if (!rules.encode_again) return plain;
  std::string encoded;
  append_uri_encoded(encoded, plain, "/");
  return encoded;
}

/// The canonical form of what follows the question mark: encoded anew, sorted by name, then by value.
inline std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> members;
  while (!query.empty()) {
    const std::string_view member = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), member.size() + 1));
    if (member.empty()) continue;
    const std::string_view name = member.substr(0, member.find('='));
    auto& [encoded_name, encoded_value] = members.emplace_back();
    append_uri_encoded(encoded_name, percent_octets(name));
    if (name.size() < member.size()) append_uri_encoded(encoded_value, percent_octets(member.substr(name.size() + 1)));
  }
  std::sort(members.begin(), members.end());
  std::string out;
  for (auto const& [name, value] : members) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

/// Whether a header is never part of a signature: proxies and client libraries add it or change it. botocore's list.
inline bool is_never_signed(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 15> never{"authorization",
                                                   "baggage",
                                                   "connection",
                                                   "expect",
                                                   "keep-alive",
                                                   "proxy-authenticate",
                                                   "proxy-authorization",
                                                   "te",
                                                   "traceparent",
                                                   "tracestate",
                                                   "trailer",
                                                   "transfer-encoding",
                                                   "upgrade",
                                                   "user-agent",
                                                   "x-amzn-trace-id"};
  return std::any_of(never.begin(), never.end(), [&](std::string_view one) { return equal_ignoring_case(one, name); });
}

/// A value without white space around it, and with one space for each run of it inside.
inline std::string canonical_header_value(std::string_view value) {
  std::string out;
  bool space = false;
  for (const char c : value) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
      space = !out.empty();
      continue;
    }
    if (std::exchange(space, false)) out += ' ';
    out += c;
  }
  return out;
}

/// The canonical headers: a line each, and their names with semicolons between.
struct canonical_header_lines {
  std::string lines = {}, names = {};
};

/// Of all that may be signed: names in lower case and sorted, the values of one name joined in their order.
inline canonical_header_lines canonical_headers(std::span<const sigv4_header> headers) {
  std::map<std::string, std::string> sorted;
  for (auto const& [name, value] : headers) {
    if (is_never_signed(name)) continue;
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return lower_case(c); });
    const auto [at, is_first] = sorted.try_emplace(std::move(lower));
    if (!is_first) at->second += ',';
    at->second += canonical_header_value(value);
  }
  canonical_header_lines out;
  for (auto const& [name, value] : sorted) {
    if (!out.names.empty()) out.names += ';';
    out.names += name;
    out.lines.append(name).append(":").append(value).append("\n");
  }
  return out;
}

/// The whole of it. `target` is the path with its query, as in the request's first line; `payload_hash` is in
/// lower-case hexadecimal digits.
inline std::string canonical_request(std::string_view method, std::string_view target,
                                     canonical_header_lines const& headers, std::string_view payload_hash,
                                     sigv4_path_rules rules = {}) {
  const std::size_t question = std::min(target.find('?'), target.size());
  std::string out(method);
  out.append("\n").append(canonical_path(target.substr(0, question), rules));
  out.append("\n").append(canonical_query(target.substr(std::min(question + 1, target.size()))));
  out.append("\n").append(headers.lines).append("\n").append(headers.names);
  out.append("\n").append(payload_hash);
  return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
