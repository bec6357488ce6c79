// Writing to what the other side has closed, without the signal that ends the process by default.
#pragma once

#include <signal.h>
#include <time.h>

#include <cerrno>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Keeps SIGPIPE from this thread while it exists, without a word to the rest of the process.
class sigpipe_blocked {
 public:
  sigpipe_blocked() noexcept {
    sigset_t pending;
    sigemptyset(&only_);
    sigaddset(&only_, SIGPIPE);
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  sigpipe_blocked(sigpipe_blocked const&) = delete;
  sigpipe_blocked& operator=(sigpipe_blocked const&) = delete;
  ~sigpipe_blocked() {
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

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
