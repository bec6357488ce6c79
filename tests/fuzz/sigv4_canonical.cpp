// Fuzz target: an endpoint's path and query, and headers, on their way into a signature. The first line is the path
// with its query, each other line a header. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/exporter/aws/sigv4_canonical.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace d = fulgurite::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  const std::string_view target = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), target.size() + 1));
  std::vector<d::sigv4_header> headers;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view name = line.substr(0, line.find(':'));
    headers.emplace_back(name, line.substr(std::min(line.size(), name.size() + 1)));
  }
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view query = target.substr(std::min(target.size(), path.size() + 1));
  const std::string canonical = d::canonical_path(path);
  // Nothing but what a request line may hold, no empty and no dot segment.
  for (const char c : canonical + d::canonical_query(query))
    if (c <= ' ' || c >= 0x7f || c == '?' || c == '"') std::abort();
  if (canonical.front() != '/') std::abort();
  for (const char* segment : {"//", "/./", "/../"})
    if (canonical.find(segment) != std::string::npos) std::abort();
  // Canonical is canonical: a second time changes nothing but the encoding of the path.
  if (d::canonical_path(canonical, {.encode_again = false}) != canonical) std::abort();
  if (d::canonical_query(d::canonical_query(query)) != d::canonical_query(query)) std::abort();
  const auto lines = d::canonical_headers(headers);
  // A name with a semicolon in it is none that a request may have (RFC 9110, 5.1), and may look like several here.
  const bool tokens = std::none_of(headers.begin(), headers.end(),
                                   [](auto const& header) { return header.first.find(';') != std::string_view::npos; });
  if ((tokens && lines.names.find("authorization;") == 0) ||
      std::count(lines.names.begin(), lines.names.end(), ';') > static_cast<std::ptrdiff_t>(size))
    std::abort();
  std::reverse(headers.begin(), headers.end());
  if (d::canonical_headers(headers).names != lines.names) std::abort();
  static_cast<void>(d::canonical_request("POST", target, lines, "00"));
  return 0;
}
