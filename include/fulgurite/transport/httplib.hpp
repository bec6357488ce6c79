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
#include <openssl/ssl.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

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

/// A server's side of a connection, in memory: takes what is written, and answers.
class canned_answer : public httplib::Stream {
 public:
  // Of all the library's versions, which have some of them each: none can be marked as overriding.
  // NOLINTBEGIN(modernize-use-override)
  bool is_readable() const { return true; }
  bool wait_readable() const { return true; }
  bool is_writable() const { return true; }
  bool wait_writable() const { return true; }
  ssize_t read(char* to, std::size_t size) {
    const std::size_t taken = std::min(size, rest_.size());
    std::memcpy(to, rest_.data(), taken);
    rest_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char*, std::size_t size) { return static_cast<ssize_t>(size); }
  void get_remote_ip_and_port(std::string&, int&) const {}
  void get_local_ip_and_port(std::string&, int&) const {}
  socket_t socket() const { return static_cast<socket_t>(-1); }
  std::time_t duration() const { return 0; }
  // NOLINTEND(modernize-use-override)
  /// Whether the answer was read to its end.
  bool is_used() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_ = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
};

/// A client that reads an answer from wherever it is.
class answer_reader : public httplib::ClientImpl {
 public:
  answer_reader() : ClientImpl("127.0.0.1", 1) {}
  /// False where this version of the library has no such function.
  template <class Stream>
  bool read_from(Stream& stream) {
    httplib::Request request;
    request.method = "GET";
    request.path = "/";
    httplib::Response response;
    httplib::Error error = httplib::Error::Success;
    if constexpr (requires { this->process_request(stream, request, response, false, error); })
      return this->process_request(stream, request, response, false, error);
    else
      return false;
  }
};

/// Has the library and OpenSSL make what they make once in a process, or once in a thread, and destroy at its end: the
/// patterns that answers are read with, the handler that cleans OpenSSL up. What is registered for exit() after this
/// runs while they are still there. No file of certificates is read. False when this version of the library cannot be
/// asked. Throws std::bad_alloc.
inline bool prepare_httplib() {
  OPENSSL_init_ssl(0, nullptr);
  canned_answer answer;
  return answer_reader().read_from(answer) && answer.is_used();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
