// The deadline of a whole request, whatever the HTTP library's own timeouts do: they are for each read, and an answer
// that drips never meets them.
//
// A thread waits for the deadline and then shuts the connection down, so that whatever call is under way on it returns.
// It holds a duplicate of the socket: shutting that down needs none of the library's locks and cannot hit another file
// that got the same number since.
#pragma once

#include <fulgurite/transport/resolver.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Guards one request at a time. `interrupt` may be called from any thread, everything else from the sender's.
class socket_guard {
 public:
  enum class verdict { none, expired, interrupted };
  using time_point = std::chrono::steady_clock::time_point;

  socket_guard() noexcept = default;
  socket_guard(socket_guard const&) = delete;
  socket_guard& operator=(socket_guard const&) = delete;
  ~socket_guard() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    release();
  }

  /// A request begins.
  void begin(time_point deadline) {
    {
      const std::lock_guard lock(mutex_);
      verdict_ = verdict::none;
      deadline_ = deadline;
      armed_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) return;
    try {
      thread_ = quiet_thread([this] { watch(); });
    } catch (std::system_error const&) {
      // No thread is to be had: the library's own timeouts remain.
    }
  }
  /// It ended. A kept connection stays known for the next request.
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    armed_ = false;
  }
  /// The request's connection, before it connects.
  void adopt(int socket) noexcept {
    const int duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = duplicate;
    if (verdict_ != verdict::none) stop();
  }
  /// The connection is closed; a duplicate would keep half of it open.
  void release() noexcept {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  /// Makes the request that is under way fail; nothing when none is.
  void interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    if (!armed_ || verdict_ != verdict::none) return;
    verdict_ = verdict::interrupted;
    stop();
    if (lookup_) lookup_->cancel();
  }
  /// Why the request was stopped.
  verdict state() const noexcept {
    const std::lock_guard lock(mutex_);
    return verdict_;
  }
  /// The lookup that `interrupt` is to cancel; null when there is none.
  void set_lookup(lookup* running) noexcept {
    const std::lock_guard lock(mutex_);
    lookup_ = running;
    if (running && verdict_ == verdict::interrupted) running->cancel();
  }

 private:
  void stop() noexcept {
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }
  void watch() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (!armed_ || verdict_ != verdict::none)
        changed_.wait(lock);
      else if (std::chrono::steady_clock::now() < deadline_)
        changed_.wait_until(lock, deadline_);
      else {
        verdict_ = verdict::expired;
        stop();
      }
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  time_point deadline_ = {};
  verdict verdict_ = verdict::none;
  lookup* lookup_ = nullptr;
  int socket_ = -1;
  bool armed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
