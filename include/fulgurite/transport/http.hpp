// An HTTP/1.1 client for one endpoint over cpp-httplib: connections kept, TLS verified, every request within its
// deadline.
//
// What the library leaves open is closed here: its timeouts are for each read (transport/socket_guard.hpp), its name
// lookup blocks (transport/resolver.hpp), its sends raise SIGPIPE (platform/sigpipe.hpp), and its errors are one word.
// Redirects are not followed: they are no part of OTLP. Both forms of the library work (transport/httplib.hpp).
#pragma once

#include <fulgurite/platform/sigpipe.hpp>
#include <fulgurite/platform/standard_descriptors.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/http_message.hpp>
#include <fulgurite/transport/httplib.hpp>
#include <fulgurite/transport/proxy.hpp>
#include <fulgurite/transport/resolver.hpp>
#include <fulgurite/transport/socket_guard.hpp>
#include <fulgurite/transport/tls_options.hpp>

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Sends one request at a time; only `interrupt` may be called from another thread.
class http_client {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit http_client(http_endpoint to, tls_options tls = {}, http_proxy proxy = {})
      : endpoint_(std::move(to)),
        tls_(std::move(tls)),
        proxy_(std::move(proxy)),
        numeric_(is_numeric_host(next_host())),
        address_(next_host()),
        guard_(std::make_unique<socket_guard>()),
        pid_(getpid()) {}
  ~http_client() {
    if (pid_ != getpid()) leave_to_parent();
    const sigpipe_blocked quiet;
    client_.reset();
  }

  http_endpoint const& endpoint() const noexcept { return endpoint_; }

  /// Sends a request and reads the whole answer, or fails when the deadline comes. Throws `std::bad_alloc` only.
  http_answer send(http_request const& request, time_point deadline) {
    if (pid_ != getpid()) leave_to_parent();
    const sigpipe_blocked quiet;
    guard_->begin(deadline, 2 * max_http_answer);
    http_answer answer = send_guarded(request, deadline);
    guard_->end();
    if (!client_ || !client_->is_socket_open()) guard_->release();
    return answer;
  }

  /// Makes the request that is under way fail at once.
  void interrupt() noexcept { guard_->interrupt(); }

  /// Closes the connection, and ends the thread that watches it. The next request opens another.
  void close() noexcept {
    if (pid_ != getpid()) return;
    const sigpipe_blocked quiet;
    client_.reset();
    tls_client_ = nullptr;
    guard_->stop_watching();
  }

 private:
  static constexpr auto shortest = std::chrono::milliseconds(1);
  /// The library says of its own timeout that the connection was closed: the guard comes first.
  static constexpr auto after_guard = std::chrono::milliseconds(100);
  static constexpr const char* too_late = "no answer within the time limit";
  static constexpr const char* gave_up = "given up before a whole answer came";

  /// After a fork connection and thread are the parent's: what the child would do with them the parent would notice.
  void leave_to_parent() {
    static_cast<void>(client_.release());
    static_cast<void>(guard_.release());
    guard_ = std::make_unique<socket_guard>();
    pid_ = getpid();
  }

  http_answer send_guarded(http_request const& request, time_point deadline) {
    if (!client_ || !client_->is_socket_open()) fill_standard_descriptors();
    if (!client_) make_client();
    if (!client_->is_valid()) {
      client_.reset();
      return failed(http_answer::failure::tls, "the client certificate or its key could not be read");
    }
    if (client_->is_socket_open() || numeric_) return attempt(request, deadline, 1);
    lookup names(next_host());
    guard_->set_lookup(&names);
    const resolved found = names.wait(deadline);
    guard_->set_lookup(nullptr);
    if (found.addresses.empty()) {
      if (guard_->state() == socket_guard::verdict::interrupted)
        return failed(http_answer::failure::interrupted, gave_up);
      return failed(http_answer::failure::refused, std::string(proxy_.is_used() ? "the proxy's" : "the host's") +
                                                       " name could not be resolved: " + found.error);
    }
    http_answer answer;
    for (std::size_t i = 0; i < found.addresses.size(); ++i) {
      address_ = found.addresses[i];
      if (proxy_.is_used())
        client_->set_proxy(address_, proxy_.port);
      else
        client_->set_hostname_addr_map({{endpoint_.host, address_}});
      answer = attempt(request, deadline, found.addresses.size() - i);
      if (answer.why != http_answer::failure::refused || std::chrono::steady_clock::now() >= deadline) break;
    }
    return answer;
  }

  /// `left`: how many addresses share the time that is left for connecting.
  http_answer attempt(http_request const& request, time_point deadline, std::size_t left) {
    const auto rest =
        std::max<std::chrono::steady_clock::duration>(deadline - std::chrono::steady_clock::now(), shortest);
    client_->set_read_timeout(rest + after_guard);
    client_->set_write_timeout(rest + after_guard);
    client_->set_connection_timeout(rest / static_cast<int>(left));

    http_answer answer;
    answer.reused = client_->is_socket_open() != 0;
    bool too_large = false;
    httplib::Request out;
    out.method = request.method;
    out.path = request.path;
    for (auto const& [name, value] : request.headers) out.headers.emplace(name, value);
    // A provider instead of `body`, which the library copies.
    out.content_length_ = request.body.size();
    if (!request.body.empty())
      out.content_provider_ = [body = request.body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        return sink.write(reinterpret_cast<const char*>(body.data()) + offset, length);
      };
    out.content_receiver = [&](const char* data, std::size_t size, auto, auto) {
      if (answer.body.size() + size > max_http_answer) {
        too_large = true;
        return false;
      }
      answer.body.append(data, size);
      return true;
    };
    announce_length(*client_, out);
    httplib::Response in;
    httplib::Error error = httplib::Error::Success;
    const bool whole = client_->send(out, in, error);
    if (whole) {
      answer.status = in.status;
      answer.content_type = in.get_header_value("Content-Type");
      answer.retry_after = in.get_header_value("Retry-After");
      answer.date = in.get_header_value("Date");
      return answer;
    }
    http_answer no_answer = explain(error, too_large, deadline);
    no_answer.reused = answer.reused;
    return no_answer;
  }

  http_answer explain(httplib::Error error, bool too_large, time_point deadline) {
    using failure = http_answer::failure;
    switch (guard_->state()) {
      case socket_guard::verdict::interrupted:
        return failed(failure::interrupted, gave_up);
      case socket_guard::verdict::expired:
        return failed(failure::timed_out, too_late);
      case socket_guard::verdict::too_large:
        return failed(failure::too_large, "the answer has no end");
      case socket_guard::verdict::none:
        // Where the guard has no thread, the library's own timeouts come instead.
        if (std::chrono::steady_clock::now() >= deadline) return failed(failure::timed_out, too_late);
    }
    if (too_large) return failed(failure::too_large, "the answer is larger than 4 MiB");
    if (is_wrong_host(error)) return failed(failure::tls, "the server's certificate is for another host");
    if (is_proxy_error(error)) return failed(failure::refused, "the proxy makes no connection to the backend");
    switch (error) {
      case httplib::Error::Connection:
        return failed(failure::refused, connect_error());
      case httplib::Error::ConnectionTimeout:
        return failed(failure::refused, "nobody answers at this address");
      case httplib::Error::SSLLoadingCerts:
        return failed(failure::tls, "the trusted certificates could not be read" +
                                        (tls_.ca_file.empty() ? "" : " from " + tls_.ca_file));
      case httplib::Error::SSLServerVerification:
        return failed(failure::tls, "the server's certificate was not accepted" + verify_error(tls_client_));
      case httplib::Error::SSLConnection:
        return failed(failure::disconnected, "the TLS handshake failed");
      case httplib::Error::Write:
        return failed(failure::disconnected, "the connection was closed while the request was sent");
      case httplib::Error::Compression:
        return failed(failure::too_large, "the answer could not be decompressed");
      default:
        return failed(failure::disconnected,
                      std::string("the connection was closed before a whole answer came") +
                          (endpoint_.port == 4317 ? " (this is HTTP/1.1, and 4317 is OTLP's port for gRPC)" : ""));
    }
  }

  static http_answer failed(http_answer::failure why, std::string reason) {
    http_answer answer;
    answer.why = why;
    answer.error = std::move(reason);
    return answer;
  }

  void make_client() {
    if (endpoint_.tls) {
      auto made = std::make_unique<httplib::SSLClient>(endpoint_.host, endpoint_.port, tls_.client_certificate,
                                                       tls_.client_key);
      tls_client_ = made.get();
      client_ = std::move(made);
    } else
      client_ = std::make_unique<httplib::ClientImpl>(endpoint_.host, endpoint_.port);
    if (!tls_.ca_file.empty()) client_->set_ca_cert_path(tls_.ca_file);
    client_->set_keep_alive(true);
    client_->set_tcp_nodelay(true);
    client_->set_follow_location(false);
    client_->set_decompress(true);
    client_->set_socket_options([this](int socket) { guard_->adopt(socket); });
    keep_path(*client_);
    if (!proxy_.is_used()) return;
    client_->set_proxy(address_, proxy_.port);
    if (!proxy_.user.empty()) client_->set_proxy_basic_auth(proxy_.user, proxy_.password);
  }

  /// Where the connection goes to.
  std::string const& next_host() const noexcept { return proxy_.is_used() ? proxy_.host : endpoint_.host; }
  std::uint16_t next_port() const noexcept { return proxy_.is_used() ? proxy_.port : endpoint_.port; }

  /// The library says only that it could not connect; asked again, the system says why.
  std::string connect_error() const { return (proxy_.is_used() ? "the proxy: " : "") + connect_error_alone(); }
  std::string connect_error_alone() const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (getaddrinfo(address_.c_str(), std::to_string(next_port()).c_str(), &hints, &found) != 0)
      return "not an address";
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    const int probe = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) return std::string("no socket: ") + std::strerror(errno);
    int code = ::connect(probe, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    if (code == EINPROGRESS) {
      pollfd wait{probe, POLLOUT, 0};
      socklen_t size = sizeof code;
      if (poll(&wait, 1, 20) == 1) getsockopt(probe, SOL_SOCKET, SO_ERROR, &code, &size);
    }
    ::close(probe);
    if (code == ECONNREFUSED) return "connection refused: nothing listens there";
    if (code == 0 || code == EINPROGRESS) return "no connection";
    return std::string("no connection: ") + std::strerror(code);
  }

  http_endpoint endpoint_;
  tls_options tls_;
  http_proxy proxy_;
  bool numeric_;
  /// The one that was last connected to.
  std::string address_;
  std::unique_ptr<socket_guard> guard_;
  std::unique_ptr<httplib::ClientImpl> client_;
  /// The same, when it speaks TLS.
  httplib::SSLClient* tls_client_ = nullptr;
  pid_t pid_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
