#include <fulgurite/transport/udp.hpp>

#include "../datagrams.hpp"
#include "slow_name.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::datagram_receiver;
using fulgurite_test::refusing_datagram_port;

namespace {

udp_sender::time_point soon() { return std::chrono::steady_clock::now() + 20s; }

udp_sender::outcome send(udp_sender& sender, std::vector<std::string> const& texts,
                         udp_sender::time_point deadline = soon()) {
  std::vector<std::span<const std::byte>> datagrams;
  for (std::string const& text : texts) datagrams.push_back(std::as_bytes(std::span(text)));
  return sender.send(datagrams, deadline);
}

}  // namespace

TEST_CASE("datagrams arrive as they were sent, more than one call takes, in order") {
  datagram_receiver receiver;
  udp_sender sender("127.0.0.1", receiver.port());
  std::vector<std::string> texts{std::string(), std::string(30'000, 'x')};
  for (int i = 0; i < 50; ++i) texts.push_back("datagram " + std::to_string(i));
  const udp_sender::outcome done = send(sender, texts);
  CHECK(done.sent == texts.size());
  CHECK(done.refused == 0);
  CHECK(done.error.empty());
  CHECK(receiver.receive_all() == texts);
  CHECK(send(sender, {}).error.empty());
  CHECK(sender.to_text() == "udp://127.0.0.1:" + std::to_string(receiver.port()));
  CHECK(udp_sender("::1", 5).to_text() == "udp://[::1]:5");
}

TEST_CASE("a name's addresses are tried until one does not refuse") {
  // The receiver has 127.0.0.1 only; where localhost is ::1 first, that refuses.
  datagram_receiver receiver;
  udp_sender sender("localhost", receiver.port());
  const std::vector<std::string> texts{"one", "two", "three"};
  const udp_sender::outcome done = send(sender, texts);
  CHECK(done.sent == 3);
  CHECK(done.refused == 0);
  CHECK(receiver.receive_all() == texts);
}

TEST_CASE("every refusal is learnt of, and nothing stops") {
  const refusing_datagram_port nobody;
  udp_sender sender("127.0.0.1", nobody.port());
  for (int i = 0; i < 3; ++i) {
    const udp_sender::outcome done = send(sender, std::vector<std::string>(40, "x"));
    CHECK(done.sent == 40);
    CHECK(done.error.empty());
    CHECK(done.refused == 40);
  }
}

TEST_CASE("who comes back gets what is sent from then on") {
  std::uint16_t port = 0;
  {
    const datagram_receiver gone;
    port = gone.port();
  }
  udp_sender sender("127.0.0.1", port);
  static_cast<void>(send(sender, {"lost"}));
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const udp_sender::outcome done = send(sender, {"found"});
  CHECK(done.sent == 1);
  CHECK(done.refused == 0);
  char got[16];
  CHECK(std::string_view(got, static_cast<std::size_t>(::recv(socket, got, sizeof got, 0))) == "found");
  ::close(socket);
}

TEST_CASE("errors are said in words") {
  datagram_receiver receiver;
  udp_sender sender("127.0.0.1", receiver.port());
  udp_sender::outcome done = send(sender, {"fits", std::string(max_datagram + 1, 'x'), "never sent"});
  CHECK(done.sent == 1);
  CHECK(done.error == "Message too long");
  CHECK(send(sender, {std::string(max_datagram, 'x')}).sent == 1);
  CHECK(receiver.receive_all().size() == 2);
  udp_sender nowhere("no.such.host.invalid", 5);
  done = send(nowhere, {"x"});
  CHECK(done.sent == 0);
  CHECK(done.error.starts_with("cannot find the host: "));
  // Everybody at once must be asked for.
  udp_sender everybody("255.255.255.255", 5);
  CHECK_FALSE(send(everybody, {"x"}).error.empty());
}

TEST_CASE("the deadline and an interruption end the wait for a name") {
  const fulgurite_test::slow_name silent;
  udp_sender late(fulgurite_test::slow_host, 5);
  const udp_sender::outcome done = send(late, {"x"}, std::chrono::steady_clock::now() + 1ms);
  CHECK(done.sent == 0);
  CHECK(done.error == "cannot find the host: the name server did not answer in time");
  udp_sender stopped(fulgurite_test::slow_host, 5);
  stopped.interrupt();
  const udp_sender::outcome given_up = send(stopped, {"x"}, std::chrono::steady_clock::now() + 1h);
  CHECK(given_up.sent == 0);
  CHECK(given_up.error == "cannot find the host: interrupted");
  // The interruption is over with the next batch.
  stopped.begin();
  CHECK(send(stopped, {"x"}, std::chrono::steady_clock::now() + 1ms).error == done.error);
}

TEST_CASE("a refusal is waited for, but not for long") {
  const refusing_datagram_port nobody;
  datagram_receiver receiver;
  udp_sender to_nobody("127.0.0.1", nobody.port()), to_somebody("127.0.0.1", receiver.port());
  CHECK(to_nobody.wait_for_error(soon()).empty());  // nothing was sent
  REQUIRE(send(to_somebody, {"x"}).sent == 1);
  CHECK(to_somebody.wait_for_error(std::chrono::steady_clock::now() + 20ms).empty());
  to_somebody.interrupt();
  CHECK(to_somebody.wait_for_error(std::chrono::steady_clock::now() + 1h).empty());
}

TEST_CASE("no program that is started gets the socket, and a child can do without it") {
  datagram_receiver receiver;
  udp_sender sender("127.0.0.1", receiver.port());
  const auto sockets = [] {
    std::vector<int> open;
    for (int fd = 0; fd < 200; ++fd)
      if (::fcntl(fd, F_GETFD) >= 0) open.push_back(fd);
    return open;
  };
  const std::vector<int> before = sockets();
  REQUIRE(send(sender, {"x"}).sent == 1);
  std::vector<int> fresh;
  for (const int fd : sockets())
    if (std::find(before.begin(), before.end(), fd) == before.end()) fresh.push_back(fd);
  REQUIRE(fresh.size() == 1);
  CHECK((::fcntl(fresh[0], F_GETFD) & FD_CLOEXEC) != 0);
  const pid_t child = fork();
  if (child == 0) {
    sender.abandon();
    _exit(::fcntl(fresh[0], F_GETFD) < 0 && send(sender, {"from the child"}).sent == 1 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(send(sender, {"from the parent"}).sent == 1);
  CHECK(receiver.receive_all() == std::vector<std::string>{"x", "from the child", "from the parent"});
}
