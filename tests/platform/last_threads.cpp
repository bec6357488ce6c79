#include <fulgurite/platform/last_threads.hpp>

#include <doctest/doctest.h>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <thread>

namespace fd = fulgurite::detail;

TEST_CASE("a main thread that runs is not gone") {
  CHECK(fd::thread_state_letter(getpid()) != 0);
  CHECK_FALSE(fd::main_thread_is_gone());
  CHECK(fd::thread_state_letter(1'000'000'000) == 0);
}

TEST_CASE("a thread of the program's is told from one of the library's") {
  std::atomic<bool> ends{false};
  std::atomic<int> started{0};
  std::thread own([&] {
    const fd::library_thread_mark mark;
    ++started;
    while (!ends) std::this_thread::yield();
  });
  while (started != 1) std::this_thread::yield();
  std::thread others([&] {
    ++started;
    while (!ends) std::this_thread::yield();
  });
  while (started != 2) std::this_thread::yield();
  CHECK_FALSE(fd::only_library_threads_left());
  ends = true;
  own.join();
  others.join();
}

TEST_CASE("when the main thread has ended, the last thread of the library learns that it is the last") {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    std::thread([] {
      const fd::library_thread_mark mark;
      while (!fd::main_thread_is_gone()) usleep(1'000);
      while (!fd::only_library_threads_left()) usleep(1'000);
      _exit(7);
    }).detach();
    std::thread([] { usleep(50'000); }).detach();
    syscall(SYS_exit, 0);  // of this thread alone; pthread_exit() would unwind the test's frames
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
