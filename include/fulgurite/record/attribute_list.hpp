// A list of attributes as it goes in with an event or a link: borrowed, from a braced list or from a container.
#pragma once

#include <fulgurite/record/value_view.hpp>

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {

/// `{{"attempt", 2}, {"host", name}}`, or a contiguous range of `attribute_view` or of the owned `attribute`. It refers
/// to what it was made from, so it is of use as an argument only.
class attribute_list {
 public:
  constexpr attribute_list() noexcept = default;
  constexpr attribute_list(std::initializer_list<attribute_view> list) noexcept
      : data_(list.begin()), size_(list.size()), entry_(entry_of<attribute_view>) {}
  template <class Range>
    requires(!std::same_as<std::remove_cvref_t<Range>, attribute_list> &&
             requires(Range const& range) {
               attribute_view(range.data()->key, range.data()->value);
               { range.size() } -> std::convertible_to<std::size_t>;
             })
  constexpr attribute_list(Range const& range) noexcept
      : data_(range.data()), size_(range.size()), entry_(entry_of<std::remove_cvref_t<decltype(*range.data())>>) {}

  constexpr std::size_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }
  attribute_view operator[](std::size_t i) const noexcept { return entry_(data_, i); }

 private:
  template <class Entry>
  static attribute_view entry_of(const void* data, std::size_t i) noexcept {
    Entry const& entry = static_cast<const Entry*>(data)[i];
    return attribute_view(entry.key, entry.value);
  }

  const void* data_ = nullptr;
  std::size_t size_ = 0;
  attribute_view (*entry_)(const void*, std::size_t) noexcept = nullptr;
};

}  // namespace v1
}  // namespace fulgurite
