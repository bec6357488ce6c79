// The deadline of a whole request, whatever the HTTP library's own timeouts do: they are for each read, and an answer
// that drips never meets them.
//
// A thread waits for the deadline and then shuts the connection down, so that whatever call is under way on it returns.
// It holds a duplicate of the socket: shutting that down needs none of the library's locks and cannot hit another file
// that got the same number since. It also looks, ten times a second, how much has come: cpp-httplib 0.11 reads an
// answer's headers without any limit.
#pragma once

#include <fulgurite/transport/resolver.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Guards one request at a time. `interrupt` may be called from any thread, everything else from the sender's.
class socket_guard {
 public:
  enum class verdict { none, expired, interrupted, too_large };
  using time_point = std::chrono::steady_clock::time_point;

  socket_guard() noexcept = default;
  socket_guard(socket_guard const&) = delete;
  socket_guard& operator=(socket_guard const&) = delete;
  ~socket_guard() { stop_watching(); }

  /// A request begins. It is stopped when more bytes than `most` have come in answer, as they go over the wire.
  void begin(time_point deadline, std::uint64_t most = std::uint64_t(-1)) {
    {
      const std::lock_guard lock(mutex_);
      most_ = most;
      received_before_ = received();
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
    const int duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 3);
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = duplicate;
    received_before_ = 0;
    if (verdict_ != verdict::none) stop();
  }
  /// The connection is closed; a duplicate would keep half of it open.
  void release() noexcept {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  /// Between requests: ends the thread, until the next one begins.
  void stop_watching() noexcept {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    stopping_ = false;
    release();
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
  static constexpr std::chrono::milliseconds look_every{100};

  /// Bytes that have come on the connection since it was made.
  std::uint64_t received() const noexcept {
    // Linux's structure goes on where glibc's ends (linux/tcp.h, which cannot be included beside netinet/tcp.h).
    struct {
      tcp_info known;
      std::uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    } about{};
    static_assert(sizeof(tcp_info) == 104);
    socklen_t size = sizeof about;
    if (socket_ < 0 || ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &about, &size) != 0) return 0;
    return about.bytes_received;  // 0 from a kernel that is too old to know it
  }
  bool is_flooded() const noexcept {
    const std::uint64_t so_far = received();
    return so_far > received_before_ && so_far - received_before_ > most_;
  }
  void stop() noexcept {
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }
  void watch() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (!armed_ || verdict_ != verdict::none)
        changed_.wait(lock);
      else if (const time_point now = std::chrono::steady_clock::now(); now >= deadline_) {
        verdict_ = verdict::expired;
        stop();
      } else if (is_flooded()) {
        verdict_ = verdict::too_large;
        stop();
      } else {
        changed_.wait_until(lock, std::min(deadline_, now + look_every));
      }
    }
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  time_point deadline_ = {};
  std::uint64_t most_ = std::uint64_t(-1), received_before_ = 0;
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
