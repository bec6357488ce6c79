// The end of the process, as the library's own threads must behave in it.
//
// exit() takes apart what exporters use: OPENSSL_cleanup, the statics of an HTTP library. The engine delivers before
// that (engine/engine.hpp); from then on no thread of the library may be inside an exporter. So every call of an
// exporter is an `exporter_call`, and the library's threads are listed here: the end waits for those that are inside an
// exporter, and for those that are just ending, because a thread's end runs code of OpenSSL's too.
#pragma once

#include <fulgurite/platform/process_wide.hpp>

#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <atomic>
#include <cstdint>
#include <ctime>
#include <new>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A thread that the library has started, or a free place for one.
struct library_thread_entry {
  std::atomic<pid_t> id{0};  // 0: the place is free
  std::atomic<bool> ends{false};
  library_thread_entry* next = nullptr;
};

/// The process's one; never destroyed.
struct process_end {
  /// The thread that called exit() or its like, which waits for the others: nothing may wait for it. 0: none has.
  std::atomic<pid_t> ending_thread{0};
  /// When the end stops waiting, in nanoseconds of CLOCK_MONOTONIC.
  std::atomic<std::int64_t> until{0};
  /// Everything is delivered that could be: a library thread that comes out of an exporter, or goes into one, stops.
  std::atomic<bool> parks{false};
  /// Threads inside an exporter.
  std::atomic<int> inside{0};
  std::atomic<library_thread_entry*> threads{nullptr};

  static process_end& instance() noexcept { return one_in_process<process_end, process_part::end>(); }

  bool has_begun() const noexcept { return ending_thread.load(std::memory_order_relaxed) != 0; }
  /// Whether the thread with this id is the one that waits for all others.
  bool is_ending_thread(pid_t id) const noexcept {
    return id != 0 && ending_thread.load(std::memory_order_relaxed) == id;
  }
};

inline pid_t thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

inline std::int64_t monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline constinit thread_local bool on_library_thread = false;
/// How many exporters this thread is inside of.
inline constinit thread_local int exporter_calls_here = 0;

/// For the rest of the process. The library's threads have every signal blocked.
[[noreturn]] inline void park() noexcept {
  for (;;) ::pause();
}

/// Lists the calling thread while it lives.
class library_thread_mark {
 public:
  library_thread_mark() noexcept : entry_(take_place()) { on_library_thread = true; }
  library_thread_mark(library_thread_mark const&) = delete;
  library_thread_mark& operator=(library_thread_mark const&) = delete;
  ~library_thread_mark() {
    if (entry_) entry_->ends.store(true, std::memory_order_release);
  }

  /// Whether the kernel has no such thread in this process any more.
  static bool is_gone(pid_t id) noexcept { return ::syscall(SYS_tgkill, getpid(), id, 0) != 0; }

 private:
  [[gnu::cold]] static library_thread_entry* take_place() noexcept {
    const pid_t own = thread_id();
    std::atomic<library_thread_entry*>& first = process_end::instance().threads;
    for (library_thread_entry* each = first.load(std::memory_order_acquire); each; each = each->next) {
      pid_t id = each->id.load(std::memory_order_relaxed);
      if (id != 0 && (!each->ends.load(std::memory_order_acquire) || !is_gone(id))) continue;
      if (!each->id.compare_exchange_strong(id, own)) continue;
      each->ends.store(false, std::memory_order_release);
      return each;
    }
    auto* const made = new (std::nothrow) library_thread_entry;
    if (!made) return nullptr;  // it then counts as a thread of the program's
    made->id.store(own, std::memory_order_relaxed);
    made->next = first.load(std::memory_order_relaxed);
    while (!first.compare_exchange_weak(made->next, made, std::memory_order_release)) {
    }
    return made;
  }

  library_thread_entry* entry_;
};

/// Calls `visit(pid_t, bool ends)` for each listed thread but the calling one that is still there.
template <class Visit>
void for_each_library_thread(Visit&& visit) noexcept {
  const pid_t own = thread_id();
  for (library_thread_entry* each = process_end::instance().threads.load(std::memory_order_acquire); each;
       each = each->next) {
    const pid_t id = each->id.load(std::memory_order_relaxed);
    if (id != 0 && id != own && !library_thread_mark::is_gone(id))
      visit(id, each->ends.load(std::memory_order_acquire));
  }
}

/// In the child of a fork, which has one thread.
inline void forget_library_threads() noexcept {
  process_end& end = process_end::instance();
  for (library_thread_entry* each = end.threads.load(std::memory_order_acquire); each; each = each->next)
    each->id.store(0, std::memory_order_relaxed);
  end.inside.store(exporter_calls_here, std::memory_order_relaxed);
  if (end.has_begun()) end.ending_thread.store(thread_id(), std::memory_order_relaxed);
  on_library_thread = false;
}

/// Around every call of an exporter that may reach a library. Once the process has delivered what it could, a thread of
/// the library stops here for good, and any other is refused.
class exporter_call {
 public:
  exporter_call() noexcept {
    ++exporter_calls_here;
    process_end& end = process_end::instance();
    end.inside.fetch_add(1);
    is_refused_ = end.parks.load();
    if (is_refused_ && on_library_thread) leave();
  }
  exporter_call(exporter_call const&) = delete;
  exporter_call& operator=(exporter_call const&) = delete;
  ~exporter_call() { leave(); }

  bool is_refused() const noexcept { return is_refused_; }

 private:
  static void leave() noexcept {
    --exporter_calls_here;
    process_end& end = process_end::instance();
    end.inside.fetch_sub(1);
    if (end.parks.load() && on_library_thread) [[unlikely]]
      park();
  }

  bool is_refused_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
