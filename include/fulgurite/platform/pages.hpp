// Memory from the kernel, for what a signal handler may be the first to need: malloc must not be called there.
#pragma once

#include <sys/mman.h>
#include <cstddef>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Zeroed pages; null when there is no memory. Safe in a signal handler.
inline void* allocate_pages(std::size_t size) noexcept {
  void* const pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}
inline void free_pages(void* pages, std::size_t size) noexcept { munmap(pages, size); }

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
