#include <fulgurite/context/library_thread.hpp>

#include <doctest/doctest.h>

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

#include <initializer_list>

TEST_CASE("a thread of the library has all signals blocked, and its starter's mask stays") {
  struct {
    sem_t done{};
    sigset_t mask{};
  } shared;
  sem_init(&shared.done, 0, 0);
  const auto work = [](void* given) -> void* {
    auto& to = *static_cast<decltype(shared)*>(given);
    pthread_sigmask(SIG_SETMASK, nullptr, &to.mask);
    sem_post(&to.done);
    return nullptr;
  };
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  REQUIRE(fulgurite::detail::start_library_thread("fulgurite-test", work, &shared));
  sem_wait(&shared.done);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGPROF, SIGALRM}) {
    CHECK(sigismember(&shared.mask, signal) == 1);
    CHECK(sigismember(&after, signal) == sigismember(&before, signal));
  }
}
