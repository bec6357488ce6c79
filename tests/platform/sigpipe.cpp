#include <fulgurite/platform/sigpipe.hpp>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

using fulgurite::detail::sigpipe_blocked;

namespace {

volatile std::sig_atomic_t raised = 0;

void write_to_closed_pipe() {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  close(ends[0]);
  CHECK(write(ends[1], "x", 1) == -1);
  CHECK(errno == EPIPE);
  close(ends[1]);
}

struct counting_handler {
  counting_handler() : before(std::signal(SIGPIPE, [](int) { raised = raised + 1; })) { raised = 0; }
  ~counting_handler() { std::signal(SIGPIPE, before); }
  void (*before)(int);
};

}  // namespace

TEST_CASE("the signal is kept from the thread, and only while the guard exists") {
  const counting_handler counting;
  {
    const sigpipe_blocked outer;
    {
      const sigpipe_blocked inner;
      write_to_closed_pipe();
    }
    write_to_closed_pipe();
  }
  CHECK(raised == 0);
  write_to_closed_pipe();
  CHECK(raised == 1);
}

TEST_CASE("a signal of the program's own, pending before, stays") {
  const counting_handler counting;
  sigset_t only, before;
  sigemptyset(&only);
  sigaddset(&only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &only, &before);
  raise(SIGPIPE);
  {
    const sigpipe_blocked quiet;
    write_to_closed_pipe();
  }
  CHECK(raised == 0);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(raised == 1);
}
