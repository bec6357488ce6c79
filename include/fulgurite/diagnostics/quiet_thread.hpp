// Threads of the library's own.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Starts a thread that no signal is delivered to: the program's handlers belong to the program's threads.
template <class F>
std::thread quiet_thread(F&& run) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  struct restore {
    sigset_t const& mask;
    ~restore() { pthread_sigmask(SIG_SETMASK, &mask, nullptr); }
  } const restored{before};
  return std::thread(std::forward<F>(run));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
