// What exporters over HTTP/1.1 and over gRPC share beside their channel: how options are read, and who they say they
// are.
#pragma once

#include <fulgurite/platform/version.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/http_message.hpp>
#include <fulgurite/transport/proxy.hpp>
#include <fulgurite/transport/tls_options.hpp>

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The product and the version (opentelemetry-specification, protocol/exporter.md, User Agent).
inline std::string user_agent() {
  return std::string("fulgurite/") + library_version + " OTel-OTLP-Exporter-Cpp/" + library_version;
}

/// What says how long a message is and how it is packed (RFC 9112): two who disagree about it read two requests in one.
inline bool is_framing_header(std::string_view name) noexcept {
  for (const char* const own :
       {"content-length", "content-encoding", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
    if (equal_ignoring_case(name, own)) return true;
  return false;
}
/// A pipe or a device, which whoever reads it may wait for, for ever; what is not there is said when it is needed.
inline bool is_no_file(std::string const& path) noexcept {
  struct stat about{};
  return !path.empty() && ::stat(path.c_str(), &about) == 0 && !S_ISREG(about.st_mode);
}

/// What is wrong with an exporter's options, or nothing; what is right is in `to`.
template <class Options, class WireOptions>
std::string read_http_options(Options& options, WireOptions& to) {
  std::string problem = parse_endpoint(options.endpoint, to.endpoint);
  for (auto const& [name, value] : options.headers)
    if (problem.empty() && !is_valid_header(name, value))
      problem = "a header has no valid name, or a control character in its value";
    else if (problem.empty() && is_framing_header(name))
      problem = "the header " + name + " is the connection's own and cannot be set";
  if (problem.empty() && options.client_certificate.empty() != options.client_key.empty())
    problem = options.client_key.empty() ? "the client's certificate has no key: client_key is empty"
                                         : "the client's key has no certificate: client_certificate is empty";
  for (std::string const& file : {options.ca_file, options.client_certificate, options.client_key})
    if (problem.empty() && is_no_file(file))
      problem = file + " is no file: a certificate or key is read from a PEM file";
  if (problem.empty()) problem = parse_proxy(options.proxy, to.proxy);
  to.headers = std::move(options.headers);
  to.tls = {std::move(options.ca_file), std::move(options.client_certificate), std::move(options.client_key)};
  return problem;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
