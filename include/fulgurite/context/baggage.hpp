// Name-value pairs that travel with a request: W3C Baggage.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// One entry; the value is the decoded text, the metadata what followed it after a semicolon, as received.
struct baggage_entry {
  std::string key;
  std::string value;
  std::string metadata = {};

  friend bool operator==(baggage_entry const&, baggage_entry const&) = default;
};

/// A small ordered map. Reading and writing the `baggage` header is the propagator's (propagator/w3c.hpp).
class baggage {
 public:
  baggage() = default;
  baggage(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
    for (const auto& [key, value] : entries) set(key, value);
  }

  std::optional<std::string_view> get(std::string_view key) const noexcept {
    const auto found = find(key);
    if (found == entries_.end()) return std::nullopt;
    return std::string_view(found->value);
  }
  /// Adds an entry, or replaces the one with this key: of equal keys the last one counts. An empty key is ignored.
  void set(std::string_view key, std::string_view value, std::string_view metadata = {}) {
    if (key.empty()) return;
    const auto found = entries_.begin() + (find(key) - entries_.begin());
    if (found != entries_.end())
      *found = {std::string(key), std::string(value), std::string(metadata)};
    else
      entries_.push_back({std::string(key), std::string(value), std::string(metadata)});
  }
  void erase(std::string_view key) {
    std::erase_if(entries_, [key](baggage_entry const& entry) { return entry.key == key; });
  }

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

  friend bool operator==(baggage const&, baggage const&) = default;

 private:
  std::vector<baggage_entry>::const_iterator find(std::string_view key) const noexcept {
    auto at = entries_.begin();
    while (at != entries_.end() && at->key != key) ++at;
    return at;
  }

  std::vector<baggage_entry> entries_;
};

}  // namespace v1
}  // namespace fulgurite
