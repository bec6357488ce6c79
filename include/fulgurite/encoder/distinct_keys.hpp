// Which of several entries is written where a JSON object would have a key twice.
//
// Spans have no key twice, but three things make one: keys that differ only in octets that are no UTF-8 and are all
// replaced alike, maps that a program filled by hand, and formats that put the span's, the scope's and the resource's
// attributes beside each other. All of it is rare, so that `plainly_distinct` asks first.
#pragma once

#include <fulgurite/text/utf8.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Whether all keys are UTF-8 and differ, told quickly or not at all. `for_each(visit)` calls `visit(key, value)`.
template <class ForEach>
inline bool plainly_distinct(ForEach&& for_each) {
  std::string_view seen[16];
  std::size_t count = 0;
  bool distinct = true;
  for_each([&](std::string_view key, auto const&) {
    distinct = distinct && count < std::size(seen) && is_utf8(key);
    if (!distinct) return;
    for (std::size_t i = 0; i < count; ++i) distinct = distinct && seen[i] != key;
    seen[count++] = key;
  });
  return distinct;
}

/// Decides between entries whose keys are equal once they are UTF-8: the highest rank wins, and of equal ranks the
/// last. Keys are borrowed until `clear`.
class distinct_keys {
 public:
  void clear() noexcept {
    entries_.clear();
    replaced_.clear();
  }
  /// Entries are numbered in the order they are added.
  void add(std::string_view key, std::uint8_t rank = 0) {
    if (!is_utf8(key)) key = replaced_.emplace_back(to_utf8(key));
    entries_.push_back({key, rank, static_cast<std::uint32_t>(entries_.size())});
  }
  /// To be called when all are added.
  void decide() {
    std::sort(entries_.begin(), entries_.end(), [](entry const& a, entry const& b) {
      return std::tie(a.key, a.rank, a.number) < std::tie(b.key, b.rank, b.number);
    });
    wins_.assign(entries_.size(), true);
    for (std::size_t i = 1; i < entries_.size(); ++i)
      if (entries_[i - 1].key == entries_[i].key) wins_[entries_[i - 1].number] = false;
  }
  bool wins(std::size_t number) const noexcept { return wins_[number]; }

 private:
  struct entry {
    std::string_view key;
    std::uint8_t rank;
    std::uint32_t number;
  };
  std::vector<entry> entries_;
  std::deque<std::string> replaced_;
  std::vector<bool> wins_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
