#include <fulgurite/engine/worker_thread.hpp>

#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <string>

TEST_CASE("a worker's thread is named, takes no signal and does not trace; who starts it keeps its mask") {
  std::mutex mutex;
  std::condition_variable changed;
  bool done = false, blocks = false, suppressed = false;
  std::string name;
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  fulgurite::detail::start_worker_thread("fulgurite-test", [&]() noexcept {
    const std::lock_guard lock(mutex);
    char given[16] = {};
    pthread_getname_np(pthread_self(), given, sizeof given);
    name = given;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    blocks = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGALRM) == 1;
    const fulgurite::detail::thread_state* const state = fulgurite::detail::own_thread();
    suppressed = state && state->suppressed;
    done = true;
    changed.notify_one();
  });
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int signal : {SIGTERM, SIGALRM, SIGUSR1})
    CHECK(sigismember(&before, signal) == sigismember(&after, signal));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return done; });
  CHECK(name == "fulgurite-test");
  CHECK(blocks);
  CHECK(suppressed);
}
