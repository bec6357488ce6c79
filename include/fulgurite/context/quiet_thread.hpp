// A thread of the library's own that its starter joins.
#pragma once

#include <fulgurite/context/library_thread.hpp>

#include <thread>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Starts a thread for the caller to join or detach, with all signals blocked. Throws std::system_error.
template <class F>
std::thread quiet_thread(F&& run) {
  const signals_blocked quiet;
  return std::thread([run = std::forward<F>(run)]() mutable {
    const library_thread_mark mark;
    run();
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
