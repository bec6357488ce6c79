// libcurl's handles for one transfer at a time: made when they are needed, run within a deadline, interruptible.
//
// The multi interface is what makes a deadline hold and an interruption immediate: the thread sleeps in
// `curl_multi_poll`, which `curl_multi_wakeup` ends from any other. The sockets are opened and closed here, so that it
// is known whether a connection is kept, none leaks into a program that is executed, and the child of a fork can close
// its copies without a word to the other side. The library's state for the whole process is made once and stays.
#pragma once

#include <fulgurite/platform/standard_descriptors.hpp>
#include <fulgurite/transport/resolver.hpp>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <new>
#include <vector>

#if LIBCURL_VERSION_NUM < 0x075500
#error "fulgurite needs libcurl 7.85 or later"
#endif

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Prepares libcurl for the process. From 7.84 on that is safe beside another thread that does the same, if the library
/// says so; where it does not, a program with threads calls `curl_global_init` before it starts them.
inline bool curl_is_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

/// Runs one transfer at a time; `interrupt` may be called from any thread, everything else from the sender's.
class curl_transfer {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  enum class outcome { done, expired, interrupted, stopped };

  curl_transfer() = default;
  curl_transfer(curl_transfer const&) = delete;
  curl_transfer& operator=(curl_transfer const&) = delete;
  /// Under a blocked SIGPIPE: TLS says goodbye.
  ~curl_transfer() { drop(); }

  /// The handle that options are set on; null before `open`.
  CURL* easy() const noexcept { return easy_; }
  /// Makes the handles if they are not there; true when they are new and have no options. Throws `std::bad_alloc`.
  bool open() {
    if (easy_) return false;
    if (!curl_is_ready()) throw std::bad_alloc();
    fill_standard_descriptors();
    easy_ = curl_easy_init();
    CURLM* const made = curl_multi_init();
    {
      const std::lock_guard lock(mutex_);
      multi_ = made;
    }
    if (!easy_ || !made) {
      drop();
      throw std::bad_alloc();
    }
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &curl_transfer::open_socket);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &curl_transfer::close_socket);
    curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, this);
    return true;
  }
  /// Closes the connection and forgets the handles.
  void drop() noexcept {
    CURLM* multi;
    {
      const std::lock_guard lock(mutex_);
      multi = std::exchange(multi_, nullptr);
    }
    if (CURL* const easy = std::exchange(easy_, nullptr)) curl_easy_cleanup(easy);
    if (multi) curl_multi_cleanup(multi);
  }
  /// In the child of a fork: the handles stay unused, for what is said on the connection the parent would read.
  void leave_to_parent() noexcept {
    for (const curl_socket_t socket : sockets_) ::close(socket);
    sockets_.clear();
    easy_ = nullptr;
    multi_ = nullptr;
  }

  /// Whether a connection is kept that the other side has not closed, as far as can be seen without reading from it.
  bool is_connected() const noexcept {
    return std::any_of(sockets_.begin(), sockets_.end(), [](curl_socket_t socket) {
      char next;
      const ssize_t seen = ::recv(socket, &next, 1, MSG_PEEK | MSG_DONTWAIT);
      return seen > 0 || (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
    });
  }

  /// Whether the next transfer may open a connection. When it may not and there is none, it fails, and
  /// `wanted_to_open`.
  void let_open(bool may_open) noexcept {
    may_open_ = may_open;
    wanted_to_open_ = false;
  }
  bool wanted_to_open() const noexcept { return wanted_to_open_; }

  /// From here to `end`, `interrupt` has something to interrupt.
  void begin() noexcept {
    const std::lock_guard lock(mutex_);
    is_armed_ = true;
    is_interrupted_ = false;
  }
  void end() noexcept {
    const std::lock_guard lock(mutex_);
    is_armed_ = false;
  }
  bool is_interrupted() const noexcept {
    const std::lock_guard lock(mutex_);
    return is_interrupted_;
  }
  void interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    if (!is_armed_) return;
    is_interrupted_ = true;
    if (lookup_) lookup_->cancel();
    if (multi_) curl_multi_wakeup(multi_);
  }
  /// Looks a name up; `interrupt` ends that, too.
  resolved look_up(std::string const& host, time_point deadline) {
    lookup names(host);
    set_lookup(&names);
    resolved found = names.wait(deadline);
    set_lookup(nullptr);
    return found;
  }

  /// Runs the transfer that the options describe. Once `is_over() -> bool` says that all has come that will, the rest
  /// is a matter of moments, or `stopped`. `code` is libcurl's result when it is done.
  template <class Over>
  outcome run(time_point deadline, Over&& is_over, CURLcode& code) {
    if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) throw std::bad_alloc();
    const outcome how = run_added(deadline, is_over, code);
    curl_multi_remove_handle(multi_, easy_);
    return how;
  }

 private:
  template <class Over>
  outcome run_added(time_point deadline, Over& is_over, CURLcode& code) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1), moments(20);
    bool over = false;
    for (;;) {
      int running = 0, left = 0;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) {
        code = CURLE_OUT_OF_MEMORY;
        return outcome::done;
      }
      while (const CURLMsg* const said = curl_multi_info_read(multi_, &left))
        if (said->msg == CURLMSG_DONE) {
          code = said->data.result;
          return outcome::done;
        }
      if (!over && is_over()) {
        over = true;
        deadline = std::min(deadline, std::chrono::steady_clock::now() + moments);
      }
      if (is_interrupted()) return outcome::interrupted;
      const auto rest = deadline - std::chrono::steady_clock::now();
      if (rest <= rest.zero()) return over ? outcome::stopped : outcome::expired;
      const auto pause = std::min(std::chrono::ceil<std::chrono::milliseconds>(rest), longest);
      if (curl_multi_poll(multi_, nullptr, 0, static_cast<int>(pause.count()), nullptr) != CURLM_OK) {
        code = CURLE_OUT_OF_MEMORY;
        return outcome::done;
      }
    }
  }

  void set_lookup(lookup* running) noexcept {
    const std::lock_guard lock(mutex_);
    lookup_ = running;
    if (running && is_interrupted_) running->cancel();
  }

  static curl_socket_t open_socket(void* data, curlsocktype, curl_sockaddr* to) noexcept {
    auto* const self = static_cast<curl_transfer*>(data);
    if (!self->may_open_) {
      self->wanted_to_open_ = true;
      return CURL_SOCKET_BAD;
    }
    fill_standard_descriptors();
    const int made = ::socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (made < 0) return CURL_SOCKET_BAD;
    try {
      self->sockets_.push_back(made);
    } catch (std::bad_alloc const&) {
      ::close(made);
      return CURL_SOCKET_BAD;
    }
    return made;
  }
  static int close_socket(void* self, curl_socket_t socket) noexcept {
    std::erase(static_cast<curl_transfer*>(self)->sockets_, socket);
    return ::close(socket);
  }

  mutable std::mutex mutex_;
  bool is_armed_ = false;
  bool is_interrupted_ = false;
  lookup* lookup_ = nullptr;
  CURLM* multi_ = nullptr;
  CURL* easy_ = nullptr;
  bool may_open_ = true;
  bool wanted_to_open_ = false;
  std::vector<curl_socket_t> sockets_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
