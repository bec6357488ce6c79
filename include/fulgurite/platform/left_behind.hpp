// What the child of a fork must neither use nor destroy: objects that a thread of the parent held at that moment.
#pragma once

#include <memory>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Keeps an object for the rest of the process, where a leak checker sees it. Throws std::bad_alloc. Only while the
/// process has one thread.
[[gnu::cold]] inline void leave_behind(std::shared_ptr<void> object) {
  struct left {
    std::shared_ptr<void> object;
    left* before;
  };
  static constinit left* last = nullptr;
  last = new left{std::move(object), last};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
