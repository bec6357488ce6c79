// The pieces of spans that are still open: what did not fit a span's own buffer and went ahead into a ring.
//
// They wait here until the span's end record comes, and are joined with it. A span that never ends leaves its pieces
// behind, so their sum is capped: the oldest span's are given up first, and counted in the span if it ends after all.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/record/plain_list.hpp>
#include <fulgurite/record/record_view.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class open_pieces {
 public:
  static constexpr std::size_t max_bytes = std::size_t{64} << 20;
  /// What a span takes beside its items, about.
  static constexpr std::size_t bytes_a_span = 256;

  open_pieces() noexcept = default;
  open_pieces(open_pieces const&) = delete;
  open_pieces& operator=(open_pieces const&) = delete;
  ~open_pieces() { clear(); }

  /// Keeps a piece's items. Throws std::bad_alloc.
  [[gnu::cold]] void add(const std::byte* record) {
    const auto& header = *reinterpret_cast<const record_header*>(record);
    const std::byte* items = record + sizeof(record_header);
    const std::byte* end = record + header.size;
    waiting& span = find_or_make(header.span_id.wire());
    const auto size = static_cast<std::size_t>(end - items);
    span.items.append(items, end);
    bytes_ += size;
    // A span that moved between threads has pieces in several rings, and the collector has its own order of threads.
    std::size_t at = span.runs.size();
    while (at != 0 && span.runs[at - 1].time > header.end) --at;
    span.runs.insert(at, {header.end, span.items.size() - size, size});
    if (header.pieces != 0) ++span.count;
    while (bytes_ > max_bytes && oldest_) {
      give_up(*oldest_);
      log(log_level::warn, "open spans hold more than 64 MiB; what the oldest was given is dropped", "open pieces");
    }
  }

  bool empty() const noexcept { return !oldest_; }
  bool contains(span_id id) const noexcept { return find(id.wire()) != nullptr; }
  /// How many of the pieces that this span counts wait.
  std::uint16_t count(span_id id) const noexcept {
    const waiting* const found = find(id.wire());
    return found ? found->count : std::uint16_t{0};
  }

  /// The record with its pieces' items put before its own. Valid until the next call. Throws std::bad_alloc.
  [[gnu::cold]] std::byte* join(const std::byte* record) {
    const record_view view(record);
    const std::byte* items = view.items();
    joined_.clear();
    joined_.append(record, items);
    if (waiting* const span = find(view.span_id().wire())) {
      for (run const& one : span->runs) {
        const std::byte* const first = span->items.data() + one.begin;
        joined_.append(first, first + one.size);
      }
      take_out(*span);
    }
    joined_.append(items, view.end());
    auto& header = *reinterpret_cast<record_header*>(joined_.data());
    header.size = static_cast<std::uint32_t>(joined_.size());
    header.pieces = 0;
    apply_items(header);
    return joined_.data();
  }

  /// Forgets all of them.
  [[gnu::cold]] void clear() noexcept {
    while (oldest_) take_out(*oldest_);
  }

 private:
  /// One piece's items.
  struct run {
    std::uint64_t time;
    std::size_t begin, size;
  };
  /// A span's pieces. All spans are in one list by age, and those with the same place in the table in another.
  struct waiting {
    std::uint64_t id;
    waiting* next_here;
    waiting *older, *newer;
    byte_list items;
    plain_list<run> runs;
    std::uint16_t count;
  };

  std::size_t place_of(std::uint64_t id) const noexcept {
    return static_cast<std::size_t>((id * 0x9e37'79b9'7f4a'7c15U) >> 32) & (table_.size() - 1);
  }
  waiting* find(std::uint64_t id) const noexcept {
    if (!oldest_) return nullptr;
    waiting* found = table_[place_of(id)];
    while (found && found->id != id) found = found->next_here;
    return found;
  }
  waiting& find_or_make(std::uint64_t id) {
    if (waiting* const found = find(id)) return *found;
    if (spans_ == table_.size()) enlarge_table();
    auto* const made = new waiting{id, nullptr, nullptr, nullptr, {}, {}, 0};
    put_in_table(*made);
    put_in_order(*made);
    ++spans_;
    bytes_ += bytes_a_span;
    return *made;
  }
  void enlarge_table() {
    plain_list<waiting*> larger;
    larger.assign(table_.empty() ? 64 : 2 * table_.size(), nullptr);  // a power of two
    table_ = std::move(larger);
    for (waiting* each = oldest_; each; each = each->newer) put_in_table(*each);
  }
  void put_in_table(waiting& span) noexcept {
    waiting*& first = table_[place_of(span.id)];
    span.next_here = std::exchange(first, &span);
  }
  void put_in_order(waiting& span) noexcept {
    span.newer = nullptr;
    span.older = std::exchange(newest_, &span);
    (span.older ? span.older->newer : oldest_) = &span;
  }
  void take_out_of_order(waiting& span) noexcept {
    (span.older ? span.older->newer : oldest_) = span.newer;
    (span.newer ? span.newer->older : newest_) = span.older;
  }
  void take_out(waiting& span) noexcept {
    waiting** here = &table_[place_of(span.id)];
    while (*here != &span) here = &(*here)->next_here;
    *here = span.next_here;
    take_out_of_order(span);
    bytes_ -= span.items.size() + bytes_a_span;
    --spans_;
    delete &span;
  }

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

  /// Puts counts in the place of a span's items; the second time, nothing.
  void give_up(waiting& span) {
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
    if (!items) return take_out(span);
    const run all{span.runs.empty() ? 0 : span.runs[0].time, 0, dropped_item_size};
    bytes_ -= span.items.size();
    span.items.clear();
    write_dropped_item(span.items.extend(dropped_item_size), dropped);
    span.items.shrink();
    bytes_ += dropped_item_size;
    span.runs = {};
    span.runs.push_back(all);
    take_out_of_order(span);
    put_in_order(span);
  }

  plain_list<waiting*> table_;
  waiting *oldest_ = nullptr, *newest_ = nullptr;
  std::size_t spans_ = 0;
  byte_list joined_;
  std::size_t bytes_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
