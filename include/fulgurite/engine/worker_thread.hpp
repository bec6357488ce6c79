// A thread of the library's own (context/library_thread.hpp) that runs any callable.
#pragma once

#include <fulgurite/context/library_thread.hpp>

#include <cerrno>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Runs `work`, which is `noexcept`, on a detached thread with all signals blocked; `name` has at most 15 characters.
/// Throws std::bad_alloc, or std::system_error when there is no thread to be had.
template <class Work>
void start_worker_thread(const char* name, Work&& work) {
  auto kept = std::make_unique<std::remove_cvref_t<Work>>(std::forward<Work>(work));
  const auto run = [](void* given) -> void* {
    const std::unique_ptr<std::remove_cvref_t<Work>> own(static_cast<std::remove_cvref_t<Work>*>(given));
    suppress_tracing();
    (*own)();
    return nullptr;
  };
  if (!start_library_thread(name, run, kept.get())) throw std::system_error(EAGAIN, std::generic_category());
  static_cast<void>(kept.release());
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
