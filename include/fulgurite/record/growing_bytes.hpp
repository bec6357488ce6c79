// Memory that grows: what encoders write into, and what holds records while they wait.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Bytes that are not initialised and are kept for the next use.
class growing_bytes {
 public:
  growing_bytes() noexcept = default;
  growing_bytes(growing_bytes&& other) noexcept { *this = std::move(other); }
  growing_bytes& operator=(growing_bytes&& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    return *this;
  }
  ~growing_bytes() { std::free(begin_); }

  std::byte* begin() const noexcept { return begin_; }
  std::size_t capacity() const noexcept { return static_cast<std::size_t>(end_ - begin_); }

  /// Makes room for `size` bytes behind `at`, which points into these bytes; returns where `at` is now.
  [[gnu::always_inline]] std::byte* room(std::byte* at, std::size_t size) {
    if (static_cast<std::size_t>(end_ - at) >= size) [[likely]]
      return at;
    return grow(at, size);
  }
  /// Gives the memory back when it is larger than `size`.
  void shrink(std::size_t size) noexcept {
    if (capacity() > size) growing_bytes().swap(*this);
  }
  void swap(growing_bytes& other) noexcept { *this = std::move(other); }

 private:
  [[gnu::noinline]] std::byte* grow(std::byte* at, std::size_t size) {
    const auto used = begin_ ? static_cast<std::size_t>(at - begin_) : 0;
    const std::size_t wanted = used + size > capacity() * 2 ? used + size + 4096 : capacity() * 2;
    void* const moved = std::realloc(begin_, wanted);
    if (!moved) throw std::bad_alloc();
    begin_ = static_cast<std::byte*>(moved);
    end_ = begin_ + wanted;
    return begin_ + used;
  }

  std::byte* begin_ = nullptr;
  std::byte* end_ = nullptr;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
