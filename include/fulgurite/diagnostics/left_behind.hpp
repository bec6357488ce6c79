// What the child of a fork must neither use nor destroy: objects that a thread of the parent held at that moment.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Keeps an object for the rest of the process, where a leak checker sees it. Throws std::bad_alloc. Only while the
/// process has one thread.
inline void leave_behind(std::shared_ptr<void> object) {
  static auto* const all = new std::vector<std::shared_ptr<void>>;
  all->push_back(std::move(object));
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
