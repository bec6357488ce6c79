#include <fulgurite/context/quiet_thread.hpp>

#include <doctest/doctest.h>

using fulgurite::detail::quiet_thread;

TEST_CASE("a thread of ours takes no signal of the program's") {
  sigset_t blocked;
  sigemptyset(&blocked);
  quiet_thread([&] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); }).join();
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGUSR1, SIGPROF}) CHECK(sigismember(&blocked, signal) == 1);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  CHECK(sigismember(&own, SIGTERM) == 0);
}
