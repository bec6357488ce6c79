// From a host name to addresses, within a deadline.
//
// `getaddrinfo` may take half a minute and cannot be stopped, so it runs on a thread of its own that is left behind
// when time is up. What it still uses is shared, and the object whose code it runs is kept from being unloaded.
#pragma once

#include <fulgurite/context/quiet_thread.hpp>
#include <fulgurite/platform/standard_descriptors.hpp>

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct resolved {
  /// Numeric, in the order they are to be tried.
  std::vector<std::string> addresses = {};
  /// What went wrong, in words.
  std::string error = {};
};

/// Asks the system; blocks for as long as that takes.
inline resolved resolve_now(std::string const& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  resolved result;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    result.error = gai_strerror(code);
    return result;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  for (const addrinfo* at = found; at; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      result.addresses.emplace_back(text);
  }
  if (result.addresses.empty()) result.error = "it has no address";
  return result;
}

/// Whether the text is an address already.
inline bool is_numeric_host(std::string const& host) noexcept {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return false;
  freeaddrinfo(found);
  return true;
}

/// A lookup that is under way.
class lookup {
 public:
  explicit lookup(std::string const& host) : shared_(std::make_shared<state>()) {
    fill_standard_descriptors();
    const auto run = [host, shared = shared_] {
      resolved found;
      try {
        found = resolve_now(host);
      } catch (...) {
        found.error = "out of memory";
      }
      const std::lock_guard lock(shared->mutex);
      shared->result = std::move(found);
      shared->done = true;
      shared->changed.notify_all();
    };
    try {
      quiet_thread(run).detach();
    } catch (std::system_error const&) {
      run();  // no thread is to be had: better late than never
    }
  }

  /// Waits until the deadline, or until `cancel` was called.
  resolved wait(std::chrono::steady_clock::time_point until) {
    std::unique_lock lock(shared_->mutex);
    shared_->changed.wait_until(lock, until, [this] { return shared_->done || shared_->cancelled; });
    if (shared_->done) return shared_->result;
    stay_loaded();
    return {{}, shared_->cancelled ? "interrupted" : "the name server did not answer in time"};
  }
  /// From any thread.
  void cancel() noexcept {
    const std::lock_guard lock(shared_->mutex);
    shared_->cancelled = true;
    shared_->changed.notify_all();
  }

 private:
  struct state {
    std::mutex mutex;
    std::condition_variable changed;
    resolved result;
    bool done = false;
    bool cancelled = false;
  };

  /// The thread left behind runs code of this object: `dlclose` must not take it away.
  static void stay_loaded() noexcept {
    Dl_info self{};
    if (dladdr(reinterpret_cast<void*>(&resolve_now), &self) != 0 && self.dli_fname)
      dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }

  std::shared_ptr<state> shared_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
