// A finished record, held to its tracer's limits: see record/limits.hpp.
//
// Nearly every record is too small to break one, which its size tells. The others are looked through, and those that
// need it are written anew: without what is too much, each key once, and marked so, for whoever reads them would
// otherwise compare each key with all that follow.
#pragma once

#include <fulgurite/record/limits.hpp>
#include <fulgurite/record/packed_writer.hpp>
#include <fulgurite/record/plain_list.hpp>
#include <fulgurite/text/code_points.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Where a text of at most `most` characters ends. What is not UTF-8 counts as the characters (U+FFFD) that it becomes
/// where text must be UTF-8.
inline std::size_t end_of_characters(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text.size();
  std::size_t at = 0;
  for (; most != 0 && at < text.size(); --most) at += next_character(text, at).size;
  return at;
}

/// The limits in two steps, for whoever must see values in full in between.
inline span_limits without_lengths(span_limits limits) noexcept {
  limits.attribute_value_length = span_limits::unlimited;
  return limits;
}
inline span_limits lengths_alone(span_limits const& limits) noexcept {
  constexpr std::uint32_t all = span_limits::unlimited;
  return {all, all, all, all, all, limits.attribute_value_length};
}

class record_limiter {
 public:
  /// Attributes in one list from which on its keys are compared by hashing, and once for all readers.
  static constexpr std::size_t many = 24;

  explicit record_limiter(span_limits const& limits) noexcept
      : limits_(limits),
        least_count_(std::min({limits.attribute_count, limits.event_count, limits.link_count,
                               limits.event_attribute_count, limits.link_attribute_count, std::uint32_t{many}})) {}

  /// The record itself, or one that is within the limits and valid until the next call. Throws std::bad_alloc.
  record_view apply(record_view const& view) {
    if (is_small(view) || !must_change(view)) return view;
    return record_view(rewrite(view));
  }

 private:
  /// An item has a header and at least a name's address, its octets, or a body of 8 bytes.
  static constexpr std::size_t smallest_item = 16;

  using value = packed_value;

  bool is_small(record_view const& view) const noexcept {
    const std::size_t slots = view.header().schema ? view.header().schema->count : 0;
    // As if all that follows the slots were items: where the texts begin that are none, is not yet known.
    const std::size_t rest = view.header().size - sizeof(record_header) - slots * sizeof(std::uint64_t);
    return limits_.attribute_value_length == span_limits::unlimited && slots + rest / smallest_item <= least_count_;
  }

  bool must_change(record_view const& view) const {
    std::size_t attributes = 0, events = 0, links = 0;
    bool change = false;
    if (attribute_schema const* const schema = view.header().schema) {
      attributes = schema->count;
      if (limits_.attribute_value_length != span_limits::unlimited)
        view.for_each_slot([&](std::string_view, value const& one) { change = change || is_longer(one); });
    }
    for (const std::byte* at = view.items(); at != view.end() && !change;) {
      const item_view item(at);
      at = item.end();
      if (item.kind() == item_kind::attribute) {
        ++attributes;
        change = is_longer(item.value());
      } else if (item.kind() == item_kind::event) {
        ++events;
        change = must_change(attributes_of(item), limits_.event_attribute_count);
      } else if (item.kind() == item_kind::link) {
        ++links;
        change = must_change(attributes_of(item), limits_.link_attribute_count);
      }
    }
    return change || attributes > limits_.attribute_count || attributes > many || events > limits_.event_count ||
           links > limits_.link_count;
  }
  bool must_change(attribute_items const& items, std::uint32_t most) const {
    std::size_t count = 0;
    bool longer = false;
    items.for_each_given([&](item_view const& item) {
      ++count;
      longer = longer || is_longer(item.value());
    });
    return longer || count > most || count > many;
  }
  bool is_longer(value const& one) const {
    const std::uint32_t most = limits_.attribute_value_length;
    if (most == span_limits::unlimited) return false;
    bool longer = false;
    switch (one.type()) {
      case value_type::string:
        return end_of_characters(one.text(), most) != one.text().size();
      case value_type::bytes:
        return one.text().size() > most;
      case value_type::array:
        one.for_each_element([&](value const& element) { longer = longer || is_longer(element); });
        return longer;
      case value_type::map:
        one.for_each_entry([&](std::string_view, value const& element) { longer = longer || is_longer(element); });
        return longer;
      default:
        return false;
    }
  }

  std::byte* rewrite(record_view const& view) {
    const record_view::dropped_counts before = view.dropped();
    std::uint64_t dropped[] = {before.attributes, before.events, before.links};
    out_.begin(view);

    begin_list(limits_.attribute_count);
    view.for_each_slot([&](std::string_view key, value const& one) { keep(key, true, one); });
    for (const std::byte* at = view.items(); at != view.end();) {
      const item_view item(at);
      at = item.end();
      if (item.kind() == item_kind::attribute) keep(item.name(), item.has_literal_name(), item.value());
    }
    dropped[0] += dropped_from_list_;
    write_list();

    std::uint32_t events = 0, links = 0;
    for (const std::byte* at = view.items(); at != view.end();) {
      const item_view item(at);
      const std::byte* const begin = std::exchange(at, item.end());
      switch (item.kind()) {
        case item_kind::attribute:
        case item_kind::dropped:
          break;
        case item_kind::event:
          if (events == limits_.event_count)
            ++dropped[1];
          else {
            ++events;
            copy_with_attributes(begin, item, limits_.event_attribute_count);
          }
          break;
        case item_kind::link:
          if (links == limits_.link_count)
            ++dropped[2];
          else {
            ++links;
            copy_with_attributes(begin, item, limits_.link_attribute_count);
          }
          break;
        default:
          out_.copy(begin, item.end());
      }
    }
    if ((dropped[0] | dropped[1] | dropped[2]) != 0) {
      std::byte item[dropped_item_size];
      write_dropped_item(item, dropped);
      out_.copy(item, item + sizeof item);
    }
    return out_.finish(true);
  }

  // ------------------------------------------------------------------------------------------------ attributes

  struct kept {
    std::string_view key;
    bool literal;
    value last;
    std::uint64_t hash;
    std::uint32_t next_here;  // in the list of those with the same place
  };
  static constexpr std::uint32_t nowhere = 0xffff'ffff;

  void begin_list(std::uint32_t most) {
    most_ = most;
    dropped_from_list_ = 0;
    list_.clear();
    places_.clear();
  }
  void keep(std::string_view key, bool literal, value const& one) {
    const std::uint64_t hash = hash_of(key);
    if (!places_.empty())
      for (std::uint32_t at = places_[first_place(hash)]; at != nowhere; at = list_[at].next_here)
        if (list_[at].hash == hash && list_[at].key == key) {
          list_[at].last = one;
          return;
        }
    if (list_.size() >= most_) {
      ++dropped_from_list_;
      return;
    }
    if (list_.size() == places_.size()) {
      places_.assign(places_.empty() ? 32 : 2 * places_.size(), nowhere);  // a power of two
      for (std::uint32_t i = 0; i < list_.size(); ++i) put_in_place(i);
    }
    list_.push_back({key, literal, one, hash, nowhere});
    put_in_place(static_cast<std::uint32_t>(list_.size() - 1));
  }
  /// FNV-1a.
  static std::uint64_t hash_of(std::string_view key) noexcept {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    return hash ^ hash >> 32;
  }
  std::size_t first_place(std::uint64_t hash) const noexcept { return hash & (places_.size() - 1); }
  void put_in_place(std::uint32_t i) noexcept {
    list_[i].next_here = std::exchange(places_[first_place(list_[i].hash)], i);
  }
  void write_list() {
    for (kept const& one : list_) {
      const std::size_t begin = out_.begin_item(one.key, one.literal);
      out_.value(one.last, [this](value const& text) { return cut(text); });
      out_.end_item(begin, item_kind::attribute, one.last.type(), one.key, one.literal);
    }
  }
  /// An event or a link, with its attributes within the limits.
  void copy_with_attributes(const std::byte* item, item_view const& from, std::uint32_t most) {
    const attribute_items attributes = attributes_of(from);
    const std::size_t begin = out_.position();
    out_.copy(item, attributes.begin());
    begin_list(most);
    attributes.for_each_given([this](item_view const& one) { keep(one.name(), one.has_literal_name(), one.value()); });
    write_list();
    out_.end_copied_item(begin);
  }

  /// What is written of a string or bytes.
  std::string_view cut(value const& text) const noexcept {
    const std::size_t most = limits_.attribute_value_length;
    return text.text().substr(0, text.type() == value_type::string ? end_of_characters(text.text(), most) : most);
  }

  span_limits limits_;
  std::uint32_t least_count_;
  packed_writer out_;
  plain_list<kept> list_;
  plain_list<std::uint32_t> places_;  // by the hash of their keys: where in list_
  std::uint32_t most_ = 0;
  std::uint64_t dropped_from_list_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
