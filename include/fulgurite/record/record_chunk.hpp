// Finished records that wait, one after the other.
#pragma once

#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/record/record_view.hpp>

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Packed records and how many they are. Its memory is kept for the next ones; what it was moved from is empty.
class record_chunk {
 public:
  record_chunk() noexcept = default;
  record_chunk(record_chunk&& other) noexcept { *this = std::move(other); }
  record_chunk& operator=(record_chunk&& other) noexcept {
    memory_.swap(other.memory_);
    std::swap(bytes_, other.bytes_);
    std::swap(spans_, other.spans_);
    if (this != &other) other.clear();
    return *this;
  }

  /// Throws std::bad_alloc; nothing has changed then.
  void append(record_view const& record) {
    const auto size = static_cast<std::size_t>(record.end() - record.begin());
    std::memcpy(memory_.room(memory_.begin() + bytes_, size), record.begin(), size);
    bytes_ += size;
    ++spans_;
  }
  void clear() noexcept { bytes_ = spans_ = 0; }

  std::span<const std::byte> records() const noexcept { return {memory_.begin(), bytes_}; }
  std::size_t spans() const noexcept { return spans_; }
  /// Bytes that it has memory for.
  std::size_t capacity() const noexcept { return memory_.capacity(); }

 private:
  growing_bytes memory_;
  std::size_t bytes_ = 0, spans_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
