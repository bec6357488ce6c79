// A UDP port on loopback that takes datagrams, and one that refuses them.
#pragma once

#include "scripted_server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace fulgurite_test {

class datagram_receiver {
 public:
  datagram_receiver() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), port_(bind_somewhere(socket_)) {
    const int size = 4 * 1024 * 1024;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  datagram_receiver(datagram_receiver const&) = delete;
  datagram_receiver& operator=(datagram_receiver const&) = delete;
  ~datagram_receiver() { ::close(socket_); }

  std::uint16_t port() const noexcept { return port_; }
  /// The next datagram; waits for it.
  std::string receive() {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 20'000) != 1) throw std::runtime_error("no datagram came");
    std::string got(70'000, '\0');
    got.resize(static_cast<std::size_t>(::recv(socket_, got.data(), got.size(), 0)));
    return got;
  }
  /// Every datagram that is there. On loopback whatever was sent is.
  std::vector<std::string> receive_all() {
    std::vector<std::string> all;
    for (pollfd waiting{socket_, POLLIN, 0}; ::poll(&waiting, 1, 0) == 1;) all.push_back(receive());
    return all;
  }

 private:
  int socket_;
  std::uint16_t port_;
};

/// A port that nobody else can have while this lives, and that refuses: its socket is connected to somebody else.
class refusing_datagram_port {
 public:
  refusing_datagram_port() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), port_(bind_somewhere(socket_)) {
    sockaddr_in other{};
    other.sin_family = AF_INET;
    other.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    other.sin_port = htons(9);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&other), sizeof other) != 0)
      throw std::runtime_error("cannot connect");
  }
  refusing_datagram_port(refusing_datagram_port const&) = delete;
  refusing_datagram_port& operator=(refusing_datagram_port const&) = delete;
  ~refusing_datagram_port() { ::close(socket_); }

  std::uint16_t port() const noexcept { return port_; }

 private:
  int socket_;
  std::uint16_t port_;
};

}  // namespace fulgurite_test
