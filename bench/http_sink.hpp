// A server in a process of its own that reads HTTP requests and answers each with nothing.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace fulgurite_bench {

constexpr std::size_t largest_request = std::size_t{8} << 20;

[[noreturn]] inline void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// Answers requests until its peer closes; `on_request(whole, size of the head, compressed)` comes before each answer.
template <class F>
void serve(int connection, F&& on_request) {
  static char buffer[largest_request];
  constexpr std::string_view answer =
      "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";
  std::size_t have = 0;
  for (;;) {
    std::size_t head = 0, body = 0;
    bool compressed = false;
    while (head == 0 || have < head + body) {
      if (have == sizeof buffer) return;
      const ssize_t got = read(connection, buffer + have, sizeof buffer - have);
      if (got <= 0) return;
      have += static_cast<std::size_t>(got);
      if (head != 0) continue;
      const std::string_view text(buffer, have);
      if (const std::size_t end = text.find("\r\n\r\n"); end != std::string_view::npos) {
        head = end + 4;
        const std::string headers(text.substr(0, head));
        if (const char* length = strcasestr(headers.c_str(), "\r\ncontent-length:"))
          body = std::strtoul(length + 17, nullptr, 10);
        compressed = strcasestr(headers.c_str(), "\r\ncontent-encoding: gzip") != nullptr;
      }
    }
    const std::size_t size = head + body;
    on_request(std::string_view(buffer, size), head, compressed);
    if (write(connection, answer.data(), answer.size()) < 0) return;
    have -= size;
    std::memmove(buffer, buffer + size, have);
  }
}

/// A socket of this type on a loopback port below the range from which the kernel takes those of outgoing connections.
inline int bind_somewhere(int type, int& port) {
  const int made = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (port = 20'000 + getpid() % 10'000; port < 32'768; ++port) {
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return made;
  }
  fail("no port is free");
}
inline int listen_somewhere(int& port) {
  const int listener = bind_somewhere(SOCK_STREAM, port);
  if (listen(listener, 16) != 0) fail("listen");
  return listener;
}

/// The process in which the sink runs.
template <class F>
pid_t start_sink(int listener, F on_request) {
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child > 0) return child;
  for (;;) {
    const int connection = accept(listener, nullptr, nullptr);
    if (connection < 0) _exit(1);
    const int yes = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    serve(connection, on_request);
    close(connection);
  }
}

}  // namespace fulgurite_bench
