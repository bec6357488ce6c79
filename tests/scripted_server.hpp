// A server on loopback that answers as the test says, byte by byte: what a well-behaved library will not do.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fulgurite_test {

/// One accepted connection.
class connection {
 public:
  struct request {
    std::string head;  // with the empty line
    std::string body;

    /// The value of a header named in lower case; empty when there is none.
    std::string header(std::string_view name) const {
      std::string lower;
      for (const char c : head) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      const std::size_t at = lower.find("\r\n" + std::string(name) + ": ");
      if (at == std::string::npos) return {};
      const std::size_t from = at + name.size() + 4;
      return head.substr(from, head.find("\r\n", from) - from);
    }
  };

  explicit connection(int socket) : socket_(socket) {}
  ~connection() { ::close(socket_); }
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;

  /// A whole request; an empty head when the other side closed.
  request read_request() {
    request got;
    while (got.head.find("\r\n\r\n") == std::string::npos)
      if (!read_more(got.head)) return {};
    const std::size_t end = got.head.find("\r\n\r\n") + 4;
    got.body = got.head.substr(end);
    got.head.resize(end);
    const std::string size = got.header("content-length");
    const std::size_t length = size.empty() ? 0 : std::stoul(size);
    while (got.body.size() < length)
      if (!read_more(got.body)) return {};
    return got;
  }
  /// Whatever comes next.
  std::string read_some() {
    std::string got;
    read_more(got);
    return got;
  }
  /// False when the other side is gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool answer(std::string_view status, std::string_view body = {}, std::string_view more = {}) {
    return send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                std::string(more) + "\r\n" + std::string(body));
  }
  /// Closes with RST instead of FIN.
  void reset() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  /// Waits until the other side closes.
  void wait_for_end() {
    std::string ignored;
    while (read_more(ignored)) ignored.clear();
  }

 private:
  bool read_more(std::string& into) {
    char buffer[65536];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    into.append(buffer, static_cast<std::size_t>(got));
    return true;
  }

  int socket_;
};

/// Binds to a free port of loopback. Ports from 32768 up are handed to outgoing connections.
inline std::uint16_t bind_somewhere(int socket) {
  static unsigned next = 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(21000 + (static_cast<unsigned>(getpid()) * 31U + next++) % 10000U);
    address.sin_port = htons(port);
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return port;
  }
  throw std::runtime_error("no free port");
}

/// A port where nobody listens, and nobody else can while this lives: connections to it are refused.
class refusing_port {
 public:
  refusing_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), port_(bind_somewhere(socket_)) {}
  refusing_port(refusing_port const&) = delete;
  refusing_port& operator=(refusing_port const&) = delete;
  ~refusing_port() { ::close(socket_); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1/traces"; }
  std::uint16_t port() const noexcept { return port_; }

 private:
  int socket_;
  std::uint16_t port_;
};

/// Serves one connection after the other, each by the next handler; the last one serves whatever comes after.
class scripted_server {
 public:
  using handler = std::function<void(connection&)>;

  explicit scripted_server(std::vector<handler> handlers) : handlers_(std::move(handlers)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    port_ = bind_somewhere(socket_);
    if (::listen(socket_, 16) != 0) throw std::runtime_error("cannot listen");
    thread_ = std::thread([this] { serve(); });
  }
  /// Ends the connection that is being served, too.
  ~scripted_server() {
    ending_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    {
      const std::lock_guard lock(mutex_);
      if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
    }
    thread_.join();
    ::close(socket_);
  }
  scripted_server(scripted_server const&) = delete;
  scripted_server& operator=(scripted_server const&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  std::string url(std::string_view path = "/v1/traces") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int connections() const noexcept { return connections_; }

 private:
  void serve() {
    for (std::size_t i = 0;; ++i) {
      const int accepted = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) return;
      ++connections_;
      connection one(accepted);
      const auto serving = [this](int socket) {
        const std::lock_guard lock(mutex_);
        current_ = socket;
      };
      serving(accepted);
      if (ending_) return serving(-1);
      handlers_[i < handlers_.size() ? i : handlers_.size() - 1](one);
      serving(-1);  // before it is closed
    }
  }

  std::vector<handler> handlers_;
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  int current_ = -1;
  std::thread thread_;
};

}  // namespace fulgurite_test
