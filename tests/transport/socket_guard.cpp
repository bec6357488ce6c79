#include <fulgurite/transport/socket_guard.hpp>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

using fulgurite::detail::socket_guard;
using namespace std::chrono_literals;

namespace {

struct pair {
  pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0); }
  ~pair() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  /// Returns when the connection is shut down.
  ssize_t read() {
    char c;
    return ::recv(ends[0], &c, 1, 0);
  }
  int ends[2];
};

auto in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("a deadline ends what blocks on the socket, every time") {
  socket_guard guard;
  for (int i = 0; i < 3; ++i) {
    pair sockets;
    guard.begin(in(10ms));
    guard.adopt(sockets.ends[0]);
    CHECK(sockets.read() == 0);
    CHECK(guard.state() == socket_guard::verdict::expired);
    guard.end();
  }
}

TEST_CASE("what is adopted after the deadline is ended at once") {
  socket_guard guard;
  pair sockets;
  guard.begin(in(-1s));
  while (guard.state() == socket_guard::verdict::none) std::this_thread::yield();
  guard.adopt(sockets.ends[0]);
  CHECK(sockets.read() == 0);
}

TEST_CASE("an interruption ends it, and an interruption of nothing does nothing") {
  socket_guard guard;
  pair sockets;
  guard.interrupt();
  guard.begin(in(1h));
  CHECK(guard.state() == socket_guard::verdict::none);
  guard.adopt(sockets.ends[0]);
  std::thread other([&] { guard.interrupt(); });
  CHECK(sockets.read() == 0);
  other.join();
  CHECK(guard.state() == socket_guard::verdict::interrupted);
  guard.end();
}

TEST_CASE("after the end a deadline touches nothing") {
  socket_guard guard;
  pair sockets;
  guard.begin(in(20ms));
  guard.adopt(sockets.ends[0]);
  guard.end();
  std::this_thread::sleep_for(40ms);
  CHECK(guard.state() == socket_guard::verdict::none);
  CHECK(::send(sockets.ends[1], "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(sockets.read() == 1);
}

TEST_CASE("a number that another file got since is not touched") {
  socket_guard guard;
  int number = -1;
  {
    pair gone;
    guard.begin(in(1h));
    guard.adopt(gone.ends[0]);
    number = gone.ends[0];
  }
  pair fresh;
  CHECK((fresh.ends[0] == number || fresh.ends[1] == number));
  guard.interrupt();
  CHECK(::send(fresh.ends[1], "x", 1, MSG_NOSIGNAL) == 1);
  CHECK(fresh.read() == 1);
}
