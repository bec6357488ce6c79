// Threads of the library's own: they take none of the program's signals, and trace nothing.
#pragma once

#include <fulgurite/context/thread_state.hpp>

#include <pthread.h>
#include <signal.h>

#include <memory>
#include <system_error>
#include <type_traits>
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
/// Throws std::system_error or std::bad_alloc when there is none to be had. (<thread> would be one more header of the
/// core, which counts its lines: tests/lint/preprocessed.py.)
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
  struct start {
    const char* name;
    std::decay_t<Work> work;
  };
  auto given = std::make_unique<start>(start{name, std::forward<Work>(work)});
  const signals_blocked during;
  pthread_t thread;
  const int failed = pthread_create(
      &thread, nullptr,
      [](void* start_of) -> void* {
        const std::unique_ptr<start> own(static_cast<start*>(start_of));
        pthread_setname_np(pthread_self(), own->name);
        suppress_tracing();
        own->work();
        return nullptr;
      },
      given.get());
  if (failed != 0) throw std::system_error(failed, std::generic_category());
  static_cast<void>(given.release());  // it is the thread's now
  pthread_detach(thread);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
