// A finished span, read in place from its packed record: the cheap form that encoders visit.
//
// The record is complete: its pieces are joined, its times are nanoseconds since the Unix epoch. Of attributes with
// equal keys only the last is seen (OpenTelemetry, trace/api.md, Set Attributes).
#pragma once

#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {

namespace detail {
class item_view;
}

/// A run of items that are all attributes: those of an event or a link.
class attribute_items {
 public:
  /// `distinct`: no two of the keys are equal.
  attribute_items(const std::byte* begin, const std::byte* end, bool distinct = false) noexcept
      : begin_(begin), end_(end), distinct_(distinct) {}

  bool empty() const noexcept { return begin_ == end_; }
  const std::byte* begin() const noexcept { return begin_; }
  /// Calls `visit(detail::item_view const&)` for each, also of equal keys.
  template <class F>
  void for_each_given(F&& visit) const;
  /// Calls `visit(std::string_view key, packed_value)` for each; of equal keys only for the last.
  template <class F>
  void for_each(F&& visit) const;
  std::vector<attribute> to_owned() const {
    std::vector<attribute> all;
    for_each([&](std::string_view key, packed_value value) { all.push_back({std::string(key), value.to_owned()}); });
    return all;
  }

 private:
  const std::byte* begin_;
  const std::byte* end_;
  bool distinct_;
};

namespace detail {

/// One item of a record's payload.
class item_view {
 public:
  explicit item_view(const std::byte* at) noexcept : at_(at), head_(read_packed<item_header>(at)) {}

  item_kind kind() const noexcept { return head_.kind; }
  value_type type() const noexcept { return head_.type; }
  status_code status() const noexcept { return head_.status; }
  std::string_view name() const noexcept {
    const std::byte* name = at_ + sizeof(item_header);
    if (head_.literal) return {read_packed<const char*>(name), head_.name_size};
    return {reinterpret_cast<const char*>(name), head_.name_size};
  }
  bool has_literal_name() const noexcept { return head_.literal; }
  const std::byte* body() const noexcept {
    return at_ + sizeof(item_header) + name_room(head_.literal, head_.name_size);
  }
  const std::byte* end() const noexcept { return at_ + head_.size; }
  packed_value value() const noexcept { return {head_.type, body()}; }

 private:
  const std::byte* at_;
  item_header head_;
};

/// The attributes of an event or a link.
inline attribute_items attributes_of(item_view const& item, bool distinct = false) noexcept {
  return {item.body() + (item.kind() == item_kind::event ? 8 : 32), item.end(), distinct};
}

/// Whether a later attribute item has this key.
inline bool set_again(const std::byte* from, const std::byte* end, std::string_view key) noexcept {
  while (from != end) {
    const item_view item(from);
    if (item.kind() == item_kind::attribute && item.name() == key) return true;
    from = item.end();
  }
  return false;
}

}  // namespace detail

template <class F>
void attribute_items::for_each_given(F&& visit) const {
  for (const std::byte* at = begin_; at != end_;) {
    const detail::item_view item(at);
    at = item.end();
    visit(item);
  }
}
template <class F>
void attribute_items::for_each(F&& visit) const {
  for_each_given([&](detail::item_view const& item) {
    if (distinct_ || !detail::set_again(item.end(), end_, item.name())) visit(item.name(), item.value());
  });
}

/// Reads one packed record where it lies. What it gives is valid as long as the record. A view is for one thread;
/// another takes a copy.
class record_view {
 public:
  explicit record_view(const std::byte* record) noexcept
      : record_(record), header_(reinterpret_cast<const detail::record_header*>(record)) {}

  detail::record_header const& header() const noexcept { return *header_; }
  fulgurite::trace_id const& trace_id() const noexcept { return header_->trace_id; }
  fulgurite::span_id span_id() const noexcept { return header_->span_id; }
  fulgurite::span_id parent_span_id() const noexcept { return header_->parent_span_id; }
  span_kind kind() const noexcept { return header_->kind; }
  status_code status() const noexcept { return header_->status; }
  std::int64_t start_time() const noexcept { return static_cast<std::int64_t>(header_->start); }
  std::int64_t end_time() const noexcept { return static_cast<std::int64_t>(header_->end); }
  bool is_local_root() const noexcept { return (header_->marks & detail::mark_local_root) != 0; }
  bool sampled() const noexcept { return trace_flags(header_->flags).sampled(); }
  /// OTLP's `flags`: the W3C trace flags, and whether the parent is remote.
  std::uint32_t flags() const noexcept {
    const bool remote = (header_->marks & detail::mark_remote_parent) != 0;
    return header_->flags | span_data::has_is_remote | (remote ? span_data::is_remote : 0U);
  }
  std::string_view name() const noexcept {
    if (header_->name) return {header_->name, header_->name_size};
    return text_of(detail::item_kind::name);
  }
  std::string_view trace_state() const noexcept { return text_of(detail::item_kind::trace_state); }
  /// With an error only.
  std::string_view status_description() const noexcept {
    if (header_->status != status_code::error) return {};
    const std::string_view text = text_of(detail::item_kind::description);
    if (text.empty() && (header_->marks & detail::mark_unwound) != 0) return "unwound by an exception";
    return text;
  }
  /// No two attributes of the span, or of one event or link, have the same key.
  bool has_distinct_keys() const noexcept { return header_->pieces == detail::keys_are_distinct; }
  /// Whether there is an attribute, event, link or text beside the schema's.
  bool has_items() const noexcept { return items() != end(); }

  /// Calls `visit(std::string_view key, packed_value)` for each attribute.
  template <class F>
  void for_each_attribute(F&& visit) const {
    const std::byte* const last = end();
    const bool distinct = has_distinct_keys(), plain = distinct || items() == last;
    for_each_slot([&](std::string_view key, packed_value const& value) {
      if (plain || !detail::set_again(items(), last, key)) visit(key, value);
    });
    for (const std::byte* at = items(); at != last;) {
      const detail::item_view item(at);
      at = item.end();
      if (item.kind() == detail::item_kind::attribute && (distinct || !detail::set_again(at, last, item.name())))
        visit(item.name(), item.value());
    }
  }
  /// The same for the attributes of the schema, also for those that were set again later.
  template <class F>
  void for_each_slot(F&& visit) const {
    if (!header_->schema) return;
    const detail::attribute_schema& schema = *header_->schema;
    const std::byte* octets = record_ + sizeof(detail::record_header) + schema.count * sizeof(std::uint64_t);
    for (std::uint32_t i = 0; i < schema.count; ++i) {
      detail::schema_field const& field = schema.fields[i];
      if (field.type == value_type::string) {
        const std::uint64_t size = slot(i);
        if (size == detail::absent_slot) continue;
        const std::string_view text(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(size));
        octets += size;
        visit(field.key_view(), packed_value(value_type::string, text));
      } else
        visit(field.key_view(), packed_value(field.type, slot_address(i)));
    }
  }
  /// Calls `visit(std::string_view name, std::int64_t time, attribute_items)` for each event in order.
  template <class F>
  void for_each_event(F&& visit) const {
    for_each_item(detail::item_kind::event, [&](detail::item_view const& item) {
      visit(item.name(), detail::read_packed<std::int64_t>(item.body()),
            detail::attributes_of(item, has_distinct_keys()));
    });
  }
  /// Calls `visit(trace_id, span_id, std::uint32_t flags, std::string_view trace_state, attribute_items)` for each
  /// link; the flags are OTLP's.
  template <class F>
  void for_each_link(F&& visit) const {
    for_each_item(detail::item_kind::link, [&](detail::item_view const& item) {
      const std::byte* body = item.body();
      visit(detail::read_packed<fulgurite::trace_id>(body), detail::read_packed<fulgurite::span_id>(body + 16),
            static_cast<std::uint32_t>(detail::read_packed<std::uint64_t>(body + 24)), item.name(),
            detail::attributes_of(item, has_distinct_keys()));
    });
  }

  struct dropped_counts {
    std::uint32_t attributes = 0, events = 0, links = 0;
  };
  dropped_counts dropped() const noexcept {
    dropped_counts sum;
    for_each_item(detail::item_kind::dropped, [&](detail::item_view const& item) {
      sum.attributes += static_cast<std::uint32_t>(detail::read_packed<std::uint64_t>(item.body()));
      sum.events += static_cast<std::uint32_t>(detail::read_packed<std::uint64_t>(item.body() + 8));
      sum.links += static_cast<std::uint32_t>(detail::read_packed<std::uint64_t>(item.body() + 16));
    });
    return sum;
  }

  /// Where the items begin that follow the attributes of the schema.
  const std::byte* items() const noexcept {
    if (!items_) items_ = find_items();
    return items_;
  }
  const std::byte* begin() const noexcept { return record_; }
  const std::byte* end() const noexcept { return record_ + header_->size; }

 private:
  const std::byte* slot_address(std::uint32_t i) const noexcept {
    return record_ + sizeof(detail::record_header) + i * sizeof(std::uint64_t);
  }
  std::uint64_t slot(std::uint32_t i) const noexcept { return detail::read_packed<std::uint64_t>(slot_address(i)); }

  template <class F>
  void for_each_item(detail::item_kind kind, F&& visit) const {
    for (const std::byte* at = items(); at != end();) {
      const detail::item_view item(at);
      if (item.kind() == kind) visit(item);
      at = item.end();
    }
  }
  /// The text of the last item of this kind.
  std::string_view text_of(detail::item_kind kind) const noexcept {
    std::string_view text;
    for_each_item(kind, [&](detail::item_view const& item) { text = item.name(); });
    return text;
  }

  const std::byte* find_items() const noexcept {
    const std::byte* const after = record_ + sizeof(detail::record_header);
    if (!header_->schema) return after;
    const detail::attribute_schema& schema = *header_->schema;
    std::size_t octets = 0;
    for (std::uint32_t i = 0; i < schema.count; ++i)
      if (schema.fields[i].type == value_type::string && slot(i) != detail::absent_slot)
        octets += static_cast<std::size_t>(slot(i));
    return after + schema.count * sizeof(std::uint64_t) + detail::padded(octets);
  }

  const std::byte* record_;
  const detail::record_header* header_;
  mutable const std::byte* items_ = nullptr;  // the collector passes most records on without ever asking for it
};

}  // namespace v1
}  // namespace fulgurite
