// The library's own threads: they take none of the program's signals, and are known to the end of the process
// (platform/process_end.hpp).
#pragma once

#include <fulgurite/context/thread_state.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <pthread.h>
#include <signal.h>

#include <new>

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

/// While it lives, threads that are started have all signals blocked: they are the program's.
class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(signals_blocked const&) = delete;
  signals_blocked& operator=(signals_blocked const&) = delete;
  ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// While it lives, pthread_cancel() waits: what the library does in between throws nothing.
class uncancelled {
 public:
  uncancelled() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  uncancelled(uncancelled const&) = delete;
  uncancelled& operator=(uncancelled const&) = delete;
  ~uncancelled() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

/// Starts a thread that nobody joins, with this name (15 characters at most) and with all signals blocked. False when
/// it cannot be started.
[[gnu::noinline, gnu::cold]] inline bool start_library_thread(const char* name, void* (*work)(void*),
                                                              void* with) noexcept {
  struct start {
    void* (*work)(void*);
    void* with;
  };
  auto* const given = new (std::nothrow) start{work, with};
  if (!given) return false;
  const auto run = [](void* argument) -> void* {
    const start what = *static_cast<start*>(argument);
    delete static_cast<start*>(argument);
    const library_thread_mark mark;
    return what.work(what.with);
  };
  const signals_blocked quiet;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, run, given) != 0) {
    delete given;
    return false;
  }
  pthread_setname_np(thread, name);
  pthread_detach(thread);
  return true;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
