// The one header that includes <httplib.h>, and what differs between its versions.
//
// cpp-httplib 0.11 (Debian 12, a compiled library) to 0.53 (upstream's single header) are supported. What is not there
// in all of them is asked for by name in templates: a branch whose condition does not hold is not compiled.
#pragma once

#if !defined(CPPHTTPLIB_OPENSSL_SUPPORT) || !defined(CPPHTTPLIB_ZLIB_SUPPORT)
#error \
    "fulgurite needs cpp-httplib with its own compiler flags: take the dependency fulgurite-http, or add what `pkg-config --cflags cpp-httplib` prints (-DCPPHTTPLIB_OPENSSL_SUPPORT -DCPPHTTPLIB_ZLIB_SUPPORT). Without them a program links and then crashes."
#endif

#include <httplib.h>

#include <cstddef>
#include <string>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The path goes out as it was given. The name changed in the library.
template <class Client>
void keep_path(Client& client) {
  if constexpr (requires { client.set_path_encode(false); })
    client.set_path_encode(false);
  else
    client.set_url_encode(false);
}

/// Newer versions have an error of its own for it.
template <class Error>
bool is_wrong_host(Error error) noexcept {
  if constexpr (requires { Error::SSLServerHostnameVerification; })
    return error == Error::SSLServerHostnameVerification;
  else
    return static_cast<void>(error), false;
}

/// The same for a proxy's refusal.
template <class Error>
bool is_proxy_error(Error error) noexcept {
  if constexpr (requires { Error::ProxyConnection; })
    return error == Error::ProxyConnection;
  else
    return static_cast<void>(error), false;
}

/// Newer versions send `Expect: 100-continue` with whatever exceeds a kilobyte, and then wait a second for servers
/// that do not know it. They decide by the length before the headers are written, so that is when they learn it.
template <class Client>
void announce_length(Client& client, httplib::Request& out) {
  if constexpr (requires { client.set_header_writer(nullptr); }) {
    if (out.content_length_ != 0) out.headers.emplace("Content-Length", std::to_string(out.content_length_));
    // Set each time: the one before refers to the request before.
    client.set_header_writer([&out, length = out.content_length_](httplib::Stream& to, httplib::Headers& headers) {
      out.content_length_ = length;
      std::string lines;
      for (auto const& [name, value] : headers) lines.append(name).append(": ").append(value).append("\r\n");
      lines += "\r\n";
      return to.write(lines.data(), lines.size());
    });
    out.content_length_ = 0;
  }
}

/// OpenSSL's word for what is wrong with a certificate, where this version of the library gives it away.
template <class TlsClient>
std::string verify_error(TlsClient* client) {
  if constexpr (requires { client->get_openssl_verify_result(); })
    if (client && client->get_openssl_verify_result() != X509_V_OK)
      return std::string(": ") + X509_verify_cert_error_string(client->get_openssl_verify_result());
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
