// Threads of the library's own: they take none of the program's signals, and trace nothing.
#pragma once

#include <fulgurite/context/thread_state.hpp>

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// From here on nothing is traced on this thread: what an exporter's libraries trace would be exported, and traced, and
/// so on.
inline void suppress_tracing() noexcept {
  if (thread_state* thread = own_thread()) {
    thread->suppressed = true;
    thread->current.fast_pipeline = no_pipeline;
  }
}

/// Runs `work`, which is `noexcept`, on a detached thread with all signals blocked; `name` has at most 15 characters.
/// Throws std::system_error or std::bad_alloc when there is none to be had.
template <class Work>
void start_worker_thread(const char* name, Work&& work) {
  struct signals_blocked {
    signals_blocked() noexcept {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
    }
    ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    sigset_t before;
  };
  const signals_blocked during;
  std::thread([name, work = std::forward<Work>(work)]() mutable noexcept {
    pthread_setname_np(pthread_self(), name);
    suppress_tracing();
    work();
  }).detach();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
