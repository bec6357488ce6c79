// The pieces of spans that are still open: what did not fit a span's own buffer and went ahead into a ring.
//
// They wait here until the span's end record comes, and are joined with it. A span that never ends leaves its pieces
// behind, so their sum is capped: the oldest span's are given up first.
#pragma once

#include <fulgurite/record/record_view.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class open_pieces {
 public:
  static constexpr std::size_t max_bytes = std::size_t{16} << 20;

  /// Keeps a piece's items.
  void add(const std::byte* record) {
    const auto& header = *reinterpret_cast<const record_header*>(record);
    const std::byte* items = record + sizeof(record_header);
    const std::byte* end = record + header.size;
    waiting& span = spans_[header.span_id.wire()];
    if (span.count++ == 0) order_.push_back(header.span_id.wire());
    span.items.insert(span.items.end(), items, end);
    bytes_ += static_cast<std::size_t>(end - items);
    while (bytes_ > max_bytes && !order_.empty()) {
      take_out(order_.front());
      order_.pop_front();
    }
  }

  bool empty() const noexcept { return spans_.empty(); }
  /// How many pieces of this span wait.
  std::uint16_t count(span_id id) const noexcept {
    const auto found = spans_.find(id.wire());
    return found == spans_.end() ? std::uint16_t{0} : found->second.count;
  }

  /// The record with its pieces' items put before its own. Valid until the next call.
  std::byte* join(const std::byte* record) {
    const record_view view(record);
    const std::byte* items = view.items();
    joined_.assign(record, items);
    if (const auto found = spans_.find(view.span_id().wire()); found != spans_.end()) {
      joined_.insert(joined_.end(), found->second.items.begin(), found->second.items.end());
      take_out(view.span_id().wire());
    }
    joined_.insert(joined_.end(), items, view.end());
    auto& header = *reinterpret_cast<record_header*>(joined_.data());
    header.size = static_cast<std::uint32_t>(joined_.size());
    header.pieces = 0;
    apply_status(header);
    return joined_.data();
  }

 private:
  struct waiting {
    std::vector<std::byte> items;
    std::uint16_t count = 0;
  };

  /// A status that was set on the current span, without the span object, is in an item only: see set_span_status.
  void apply_status(record_header& header) const noexcept {
    const std::byte* end = joined_.data() + header.size;
    for (const std::byte* at = record_view(joined_.data()).items(); at != end;) {
      const item_view item(at);
      at = item.end();
      const status_code code = item.status();
      if (code != status_code::unset && header.status != status_code::ok) header.status = code;
    }
  }

  void take_out(std::uint64_t id) {
    const auto found = spans_.find(id);
    if (found == spans_.end()) return;  // its span has ended; the order still names it
    bytes_ -= found->second.items.size();
    spans_.erase(found);
    if (spans_.empty()) order_.clear();
  }

  std::unordered_map<std::uint64_t, waiting> spans_;
  std::deque<std::uint64_t> order_;
  std::vector<std::byte> joined_;
  std::size_t bytes_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
