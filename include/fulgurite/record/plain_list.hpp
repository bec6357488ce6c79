// Lists of plain data: bytes, and things that are copied like bytes.
//
// `std::vector` is compiled anew for each type in every file that includes the library, and costs 0.05 to 0.1 s there
// (docs/performance.md). These share one growing function, which is no template.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Bytes, one after the other. What is added throws std::bad_alloc where there is no memory; nothing has changed then.
class byte_list {
 public:
  byte_list() noexcept = default;
  byte_list(byte_list&& other) noexcept { swap(other); }
  byte_list& operator=(byte_list&& other) noexcept {
    swap(other);
    return *this;
  }
  ~byte_list() { std::free(data_); }

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  /// Keeps the memory.
  void clear() noexcept { size_ = 0; }
  /// Drops the end; `size` is not more than there is.
  void truncate(std::size_t size) noexcept { size_ = size; }
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) grow(capacity);
  }
  /// Gives back the memory that is not in use, as far as the system takes it.
  void shrink() noexcept {
    if (size_ == 0 || size_ == capacity_) return;
    if (void* const moved = std::realloc(data_, size_)) {
      data_ = static_cast<std::byte*>(moved);
      capacity_ = size_;
    }
  }
  /// So many bytes more, not initialised; returns where they begin.
  std::byte* extend(std::size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      grow(size_ + size > 2 * capacity_ ? size_ + size : 2 * capacity_);
    size_ += size;
    return data_ + size_ - size;
  }
  void append(const std::byte* begin, const std::byte* end) {
    if (begin == end) return;
    const auto size = static_cast<std::size_t>(end - begin);
    std::memcpy(extend(size), begin, size);
  }
  void swap(byte_list& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  [[gnu::noinline, gnu::cold]] void grow(std::size_t capacity) {
    void* const moved = std::realloc(data_, capacity);
    if (!moved) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(moved);
    capacity_ = capacity;
  }

  std::byte* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

/// Values of a type that is copied like bytes.
template <class T>
class plain_list {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  static_assert(alignof(T) <= alignof(std::max_align_t));
  static constexpr std::size_t item_size = sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer

 public:
  T* begin() noexcept { return reinterpret_cast<T*>(bytes_.data()); }
  T* end() noexcept { return begin() + size(); }
  const T* begin() const noexcept { return reinterpret_cast<const T*>(bytes_.data()); }
  const T* end() const noexcept { return begin() + size(); }
  T& operator[](std::size_t i) noexcept { return begin()[i]; }
  T const& operator[](std::size_t i) const noexcept { return begin()[i]; }
  std::size_t size() const noexcept { return bytes_.size() / item_size; }
  bool empty() const noexcept { return bytes_.empty(); }
  void clear() noexcept { bytes_.clear(); }
  void reserve(std::size_t capacity) { bytes_.reserve(capacity * item_size); }

  void push_back(T const& value) {
    const T copy = value;  // it may lie in this list
    ::new (static_cast<void*>(bytes_.extend(item_size))) T(copy);
  }
  /// Before the one at `at`, which is in the list or its end.
  void insert(std::size_t at, T const& value) {
    push_back(value);
    for (std::size_t i = size() - 1; i > at; --i) std::swap((*this)[i], (*this)[i - 1]);
  }
  /// Takes the first one out.
  T take_front() noexcept {
    const T first = (*this)[0];
    std::memmove(bytes_.data(), bytes_.data() + item_size, bytes_.size() - item_size);
    bytes_.truncate(bytes_.size() - item_size);
    return first;
  }
  /// All of it again and nothing else: `size` times this value.
  void assign(std::size_t size, T const& value) {
    const T copy = value;
    clear();
    reserve(size);
    for (std::size_t i = 0; i < size; ++i) push_back(copy);
  }

 private:
  byte_list bytes_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
