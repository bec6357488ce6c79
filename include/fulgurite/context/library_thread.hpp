// The library's own threads: they take none of the program's signals, and trace nothing.
#pragma once

#include <fulgurite/context/thread_state.hpp>

#include <pthread.h>
#include <signal.h>

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

/// Starts a thread that nobody joins, with this name (15 characters at most) and with all signals blocked: they are the
/// program's. False when it cannot be started.
[[gnu::noinline, gnu::cold]] inline bool start_library_thread(const char* name, void* (*work)(void*),
                                                              void* with) noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const bool started = pthread_create(&thread, nullptr, work, with) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!started) return false;
  pthread_setname_np(thread, name);
  pthread_detach(thread);
  return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
