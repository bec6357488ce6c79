// Datagrams to one host and port: sent many at a time, without ever blocking for longer than they may.
//
// UDP gives no answer. All that can come back is a refusal: an ICMP message that nobody listens there, which Linux
// reports for an earlier datagram by failing a later call. It is counted, and the call is made again. Where the host
// has several addresses (`localhost` is often ::1 and 127.0.0.1), a refusal moves on to the next one. The name is
// looked up by transport/resolver.hpp, and again after an error.
#pragma once

#include <fulgurite/platform/standard_descriptors.hpp>
#include <fulgurite/transport/resolver.hpp>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The largest datagram that IPv4 carries, in bytes.
inline constexpr std::size_t max_datagram = 65'507;

/// A connected socket that is opened when it is first needed. `send` and `wait_for_error` come from one thread at a
/// time, `interrupt` from any.
class udp_sender {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  udp_sender(std::string host, std::uint16_t port) : host_(std::move(host)), port_(port) {}
  udp_sender(udp_sender const&) = delete;
  udp_sender& operator=(udp_sender const&) = delete;
  ~udp_sender() { close(); }

  struct outcome {
    /// How many of the datagrams went out, from the first on.
    std::size_t sent = 0;
    /// How many refusals of datagrams, of these or of earlier ones, were learnt of meanwhile.
    std::size_t refused = 0;
    /// Why the others did not go out, in words; empty when all did.
    std::string error = {};
  };

  /// Sends datagrams in order; waits for room in the socket's buffer, and for the name server, until the deadline.
  outcome send(std::span<const std::span<const std::byte>> datagrams, time_point deadline) {
    outcome done;
    std::size_t moves = 0;  // from one address to the next
    bool cut_short = false;
    while (done.sent < datagrams.size()) {
      if (socket_ < 0) {
        done.error = open(deadline);
        if (!done.error.empty()) return done;
      }
      const auto rest = datagrams.subspan(done.sent);
      // Alone where it may have to be sent to another address: on this machine the refusal is there at once.
      const int sent = send_some(rest.first(proven_ ? std::min(rest.size(), at_once) : 1));
      const int error = sent < 0 ? errno : 0;
      if (sent > 0) {
        if (cut_short) ++done.refused;  // the call before stopped in the middle, and not for want of room
        cut_short = proven_ && static_cast<std::size_t>(sent) < std::min(rest.size(), at_once);
        done.sent += static_cast<std::size_t>(sent);
        if (!std::exchange(proven_, true) && pending_error() == ECONNREFUSED) {
          ++done.refused;
          if (next_address(moves)) {
            --done.sent;
            --done.refused;  // it is sent again
          }
        }
        continue;
      }
      cut_short = false;
      if (error == EINTR) continue;
      if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
        done.error = wait_for_room(deadline, error);
        if (!done.error.empty()) return done;
        continue;
      }
      if (error == ECONNREFUSED && ++done.refused <= 2 * datagrams.size() + 2) {
        next_address(moves);
        continue;
      }
      if (is_about_route(error) && next_address(moves)) continue;
      done.error = words(error);
      forget();
      return done;
    }
    if (socket_ >= 0 && pending_error() == ECONNREFUSED) {
      ++done.refused;
      next_address(moves);
    }
    if (done.refused > 0) stale_ = true;
    return done;
  }

  /// Waits for the system to say that what was sent did not arrive, and why. Empty when it said nothing until then,
  /// which means little.
  std::string wait_for_error(time_point until) {
    while (socket_ >= 0 && !interrupted_.load(std::memory_order_relaxed)) {
      if (const int error = pending_error(); error != 0)
        return error == ECONNREFUSED ? "nobody listens there" : words(error);
      if (!wait(0, until)) break;
    }
    return {};
  }

  /// An interruption from before counts no more.
  void begin() noexcept { interrupted_.store(false, std::memory_order_relaxed); }
  /// Makes the `send` that is under way give up; from any thread.
  void interrupt() noexcept {
    interrupted_.store(true, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    if (lookup_) lookup_->cancel();
  }
  /// In the child of a fork, before the object is left behind: the socket is the parent's.
  void abandon() noexcept { close(); }

  /// For messages.
  std::string to_text() const {
    return "udp://" + (host_.find(':') == std::string::npos ? host_ : "[" + host_ + "]") + ":" + std::to_string(port_);
  }

 private:
  static constexpr std::size_t at_once = 16;
  /// How long a call of the system may last before an interruption is looked for, and between two look-ups of a name.
  static constexpr std::chrono::milliseconds slice{50};
  static constexpr std::chrono::seconds between_lookups{5};

  static std::string words(int error) { return std::generic_category().message(error); }
  static constexpr bool is_about_route(int error) noexcept {
    return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT ||
           error == EACCES || error == EPERM || error == EINVAL;
  }

  int send_some(std::span<const std::span<const std::byte>> datagrams) noexcept {
    std::array<mmsghdr, at_once> messages{};
    std::array<iovec, at_once> pieces{};
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      pieces[i] = {const_cast<std::byte*>(datagrams[i].data()), datagrams[i].size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    return ::sendmmsg(socket_, messages.data(), static_cast<unsigned>(datagrams.size()), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  /// The error that the socket holds, which is then forgotten.
  int pending_error() const noexcept {
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : 0;
  }

  /// Waits for events or an error, not for long; false when the time was up before.
  bool wait(short events, time_point until, std::chrono::milliseconds longest = slice) noexcept {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting{socket_, events, 0};
    static_cast<void>(::poll(&waiting, 1, static_cast<int>(std::min(left, longest).count())));
    return true;
  }
  std::string wait_for_room(time_point deadline, int error) {
    if (interrupted_.load(std::memory_order_relaxed)) return "interrupted";
    // Where a device's queue is full the socket is still said to be writable.
    const bool in_time = error == ENOBUFS ? wait(0, deadline, std::chrono::milliseconds(1)) : wait(POLLOUT, deadline);
    return in_time ? std::string() : "no room in the socket's buffer in time";
  }

  // --------------------------------------------------------------------------------------------- addresses and socket

  /// Connects to the first address that can be, from the current one on; returns what is wrong, in words.
  std::string open(time_point deadline) {
    const time_point now = std::chrono::steady_clock::now();
    if (addresses_.empty() || (stale_ && now - looked_up_ >= between_lookups)) {
      resolved found = look_up(deadline);
      looked_up_ = now;
      stale_ = false;
      if (!found.addresses.empty()) {
        if (found.addresses != addresses_) current_ = 0;
        addresses_ = std::move(found.addresses);
      } else if (addresses_.empty())
        return "cannot find the host: " + found.error;
    }
    std::string problem;
    for (std::size_t tried = 0; tried < addresses_.size(); ++tried, ++current_) {
      current_ %= addresses_.size();
      problem = connect(addresses_[current_]);
      if (problem.empty()) {
        proven_ = addresses_.size() == 1;
        return {};
      }
    }
    stale_ = true;
    return problem;
  }
  resolved look_up(time_point deadline) {
    if (is_numeric_host(host_)) return {{host_}, {}};
    lookup running(host_);
    set_lookup(&running);
    const struct registered {
      udp_sender* self;
      ~registered() { self->set_lookup(nullptr); }
    } known{this};
    return running.wait(deadline);
  }
  void set_lookup(lookup* running) noexcept {
    const std::lock_guard lock(mutex_);
    lookup_ = running;
    if (running && interrupted_.load(std::memory_order_relaxed)) running->cancel();
  }

  std::string connect(std::string const& address) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(address.c_str(), std::to_string(port_).c_str(), &hints, &found); code != 0)
      return gai_strerror(code);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    fill_standard_descriptors();
    socket_ = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0) return words(errno);
    if (::connect(socket_, found->ai_addr, found->ai_addrlen) == 0) return {};
    const int error = errno;
    close();
    return words(error);
  }
  void close() noexcept {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  /// After an error: a new socket, and the name is looked up again.
  void forget() noexcept {
    close();
    stale_ = true;
  }
  /// Leaves an address for the next one, once for each of them; false when there is no other.
  bool next_address(std::size_t& moves) noexcept {
    if (++moves >= addresses_.size()) return false;
    ++current_;
    close();
    return true;
  }

  std::string host_;
  std::uint16_t port_;
  int socket_ = -1;
  std::vector<std::string> addresses_;
  std::size_t current_ = 0;
  /// Something was sent to the address and not refused at once, or there is no other.
  bool proven_ = false;
  bool stale_ = false;
  time_point looked_up_ = {};
  std::atomic<bool> interrupted_{false};
  std::mutex mutex_;
  lookup* lookup_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
