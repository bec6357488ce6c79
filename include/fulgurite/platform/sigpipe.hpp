// Writing to what the other side has closed, without the signal that ends the process by default.
#pragma once

#include <signal.h>
#include <time.h>

#include <cerrno>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Keeps a signal that a write raises from this thread while it exists, without a word to the rest of the process.
class write_signal_blocked {
 public:
  explicit write_signal_blocked(int signal) noexcept {
    sigset_t pending;
    sigemptyset(&only_);
    sigaddset(&only_, signal);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, signal) == 1;
    pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  write_signal_blocked(write_signal_blocked const&) = delete;
  write_signal_blocked& operator=(write_signal_blocked const&) = delete;
  ~write_signal_blocked() {
    if (!was_pending_) {
      const timespec at_once{};
      while (sigtimedwait(&only_, nullptr, &at_once) == -1 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t only_, before_;
  bool was_pending_ = false;
};

/// For a connection whose other side may have closed it.
struct sigpipe_blocked : write_signal_blocked {
  sigpipe_blocked() noexcept : write_signal_blocked(SIGPIPE) {}
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
