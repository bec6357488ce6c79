// The pieces of spans that are still open: what did not fit a span's own buffer and went ahead into a ring.
//
// They wait here until the span's end record comes, and are joined with it. A span that never ends leaves its pieces
// behind, so their sum is capped: the oldest span's are given up first, and counted in the span if it ends after all.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
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
  static constexpr std::size_t max_bytes = std::size_t{64} << 20;
  /// What a span takes beside its items, about.
  static constexpr std::size_t bytes_a_span = 256;

  /// Keeps a piece's items.
  void add(const std::byte* record) {
    const auto& header = *reinterpret_cast<const record_header*>(record);
    const std::byte* items = record + sizeof(record_header);
    const std::byte* end = record + header.size;
    const auto [place, fresh] = spans_.try_emplace(header.span_id.wire());
    if (fresh) {
      if (order_.size() > 4 * spans_.size() + 64)  // most of them have ended
        std::erase_if(order_, [this](std::uint64_t id) { return spans_.count(id) == 0; });
      order_.push_back(header.span_id.wire());
      bytes_ += bytes_a_span;
    }
    waiting& span = place->second;
    const auto size = static_cast<std::size_t>(end - items);
    span.items.insert(span.items.end(), items, end);
    bytes_ += size;
    // A span that moved between threads has pieces in several rings, and the collector has its own order of threads.
    auto at = span.runs.end();
    while (at != span.runs.begin() && at[-1].time > header.end) --at;
    span.runs.insert(at, {header.end, span.items.size() - size, size});
    if (header.pieces != 0) ++span.count;
    while (bytes_ > max_bytes && !order_.empty()) {
      const std::uint64_t oldest = order_.front();
      order_.pop_front();
      if (give_up(oldest))
        log(log_level::warn, "open spans hold more than 64 MiB; what the oldest was given is dropped", "open pieces");
    }
  }

  bool empty() const noexcept { return spans_.empty(); }
  bool contains(span_id id) const noexcept { return spans_.count(id.wire()) != 0; }
  /// How many of the pieces that this span counts wait.
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
      waiting const& span = found->second;
      for (run const& one : span.runs) {
        const auto first = span.items.begin() + static_cast<std::ptrdiff_t>(one.begin);
        joined_.insert(joined_.end(), first, first + static_cast<std::ptrdiff_t>(one.size));
      }
      take_out(view.span_id().wire());
    }
    joined_.insert(joined_.end(), items, view.end());
    auto& header = *reinterpret_cast<record_header*>(joined_.data());
    header.size = static_cast<std::uint32_t>(joined_.size());
    header.pieces = 0;
    apply_items(header);
    return joined_.data();
  }

 private:
  /// One piece's items.
  struct run {
    std::uint64_t time;
    std::size_t begin, size;
  };
  struct waiting {
    std::vector<std::byte> items;
    std::vector<run> runs;
    std::uint16_t count = 0;
  };

  /// What was set on the current span, without the span object, is in items only: see span/current_span.hpp.
  void apply_items(record_header& header) const noexcept {
    const std::byte* end = joined_.data() + header.size;
    for (const std::byte* at = record_view(joined_.data()).items(); at != end;) {
      const item_view item(at);
      at = item.end();
      if (item.kind() == item_kind::event) header.marks = static_cast<std::uint8_t>(header.marks | mark_has_events);
      const status_code code = item.status();
      if (code != status_code::unset && header.status != status_code::ok) header.status = code;
    }
  }

  /// Puts counts in the place of a span's items; the second time, nothing. False when the span has ended meanwhile.
  bool give_up(std::uint64_t id) {
    const auto found = spans_.find(id);
    if (found == spans_.end()) return false;
    waiting& span = found->second;
    std::uint64_t dropped[3] = {};
    bool items = false;
    for (const std::byte *at = span.items.data(), *end = at + span.items.size(); at != end;) {
      const item_view item(at);
      at = item.end();
      if (item.kind() == item_kind::dropped) {
        for (std::size_t i = 0; i < 3; ++i) dropped[i] += read_packed<std::uint64_t>(item.body() + 8 * i);
        continue;
      }
      items = true;
      if (item.kind() == item_kind::attribute) ++dropped[0];
      if (item.kind() == item_kind::event) ++dropped[1];
      if (item.kind() == item_kind::link) ++dropped[2];
    }
    if (!items) return take_out(id);
    bytes_ -= span.items.size() - dropped_item_size;
    span.items.assign(dropped_item_size, std::byte{});
    span.items.shrink_to_fit();
    write_dropped_item(span.items.data(), dropped);
    span.runs.assign(1, {span.runs.front().time, 0, dropped_item_size});
    order_.push_back(id);
    return true;
  }

  /// False when the span has ended meanwhile; the order may still name it.
  bool take_out(std::uint64_t id) {
    const auto found = spans_.find(id);
    if (found == spans_.end()) return false;
    bytes_ -= found->second.items.size() + bytes_a_span;
    spans_.erase(found);
    if (spans_.empty()) order_.clear();
    return true;
  }

  std::unordered_map<std::uint64_t, waiting> spans_;
  std::deque<std::uint64_t> order_;
  std::vector<std::byte> joined_;
  std::size_t bytes_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
