// A span's record while it is open: the header, and a buffer on the user's stack for what is set meanwhile.
//
// What does not fit the buffer goes ahead into the thread's ring as a piece (record/packed_record.hpp). Nothing here
// allocates or throws.
#pragma once

#include <fulgurite/context/function_ref.hpp>
#include <fulgurite/record/attribute_list.hpp>
#include <fulgurite/record/literal_name.hpp>
#include <fulgurite/span/record_writer.hpp>
#include <fulgurite/span/span_options.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What a span object is; a combination of these bits.
enum span_mode : std::uint8_t {
  span_off = 0,           // nothing to do at the end
  span_fast = 1,          // recording, on the fast path to the end
  span_slow = 2,          // recording; its end takes the slow path
  span_in_scope = 4,      // a scope_link was entered and must be left
  span_ended = 8,         // ended early; what it changed in the thread must still be restored
  span_has_context = 16,  // not recording, but the header's ids and flags are its context
  span_inline = 32,       // the ending thread waits for the export
  span_root = 64          // a local root on a thread that was at rest: its end makes it so again
};

class open_record {
 public:
  static constexpr std::uint32_t capacity = 256;  // a multiple of ring_slack: the end copies whole vectors
  /// An event or a link, with all its attributes, in packed form.
  static constexpr std::size_t max_item_size = 4 * max_value_size;

  /// The header's size while the span is open is that of the record so far in the lower half: zero when the span does
  /// not record. The upper half is zero for a child on the fast path, so that its end tests one word for everything;
  /// else it is the special bit, and `mode` is valid.
  static constexpr std::uint32_t special_bit = 0x8000'0000U;
  /// Something was dropped, and `dropped` is valid.
  static constexpr std::uint32_t dropped_bit = 0x4000'0000U;

  /// What found no room, counted to 65,535. Valid with dropped_bit only.
  struct dropped_counts {
    std::uint16_t attributes, events, links;
  };

  union {
    record_header header;  // in a union, so that a span which does not record initialises nothing
  };
  dropped_counts dropped;

  open_record() noexcept {}
  open_record(open_record const&) = delete;
  open_record& operator=(open_record const&) = delete;

  /// The mode, a combination of span_mode's bits.
  std::uint8_t mode() const noexcept {
    if (header.size == 0) return span_off;
    return (header.size & special_bit) == 0 ? std::uint8_t{span_fast} : mode_;
  }
  /// Whether the special mode is exactly this, and nothing was dropped.
  bool is_special(std::uint8_t mode) const noexcept { return header.size >> 16 == special_bit >> 16 && mode_ == mode; }
  /// Any mode but that of a child on the fast path, which has a size and no special bit.
  void set_mode(std::uint8_t mode) noexcept {
    mode_ = mode;
    if (mode == span_off)
      header.size = 0;
    else if ((mode & (span_fast | span_slow)) != 0)
      header.size |= special_bit;
    else
      header.size = special_bit;
  }
  [[gnu::always_inline]] void turn_off() noexcept { header.size = 0; }
  bool is_recording() const noexcept { return size() != 0; }

  [[gnu::always_inline]] void clear_payload() noexcept { header.size = sizeof(record_header); }
  const std::byte* payload() const noexcept { return payload_; }
  std::byte* payload() noexcept { return payload_; }
  /// Of the whole record; zero when the span does not record.
  std::uint32_t size() const noexcept { return static_cast<std::uint16_t>(header.size); }
  /// Of a span that records.
  std::uint32_t payload_size() const noexcept { return size() - static_cast<std::uint32_t>(sizeof(record_header)); }

  /// The attributes given with the name, first part: one slot each, then the octets of strings. Before any item. `fits`
  /// becomes false when a string did not fit. Returns what is to be the header's size.
  template <class... Bound>
  [[gnu::always_inline]] std::uint32_t write_slots(bool& fits, Bound&... bound) noexcept {
    constexpr std::uint32_t slots = static_cast<std::uint32_t>(schema_data<Bound...>::count);
    static_assert(slots * 8 <= capacity, "too many attributes in one call; set the others one by one");
    static_assert(keys_differ<Bound...>(), "two attributes have the same key");
    header.schema = schema_of<Bound...>();
    [[maybe_unused]] std::uint32_t slot = 0;
    std::uint32_t end = slots * 8;
    fits = true;
    ((fits = write_slot(bound, slot, end) && fits), ...);
    return static_cast<std::uint32_t>(sizeof(record_header) + padded(end));
  }
  /// Second part: what no slot could take. Strings that did not fit, arrays and maps, callables. `fits` is what
  /// write_slots returned.
  template <class... Bound>
  [[gnu::always_inline]] void write_items([[maybe_unused]] bool fits, Bound&... bound) noexcept {
    (write_as_item(bound, fits), ...);
  }
  /// Whether the schema has this key.
  bool has_slot(std::string_view key) const noexcept {
    if (header.schema)
      for (std::uint32_t i = 0; i < header.schema->count; ++i)
        if (header.schema->fields[i].key_view() == key) return true;
    return false;
  }

  /// A number under a literal key, where the span records and there is room: a span that does not has a size of zero,
  /// which the one comparison takes for a full buffer.
  template <class Value>
  [[gnu::always_inline]] bool set_number(attribute_name key, Value const& value) noexcept {
    using T = std::remove_cv_t<Value>;
    if constexpr (std::same_as<T, bool> || attribute_integer<T> || std::floating_point<T>) {
      constexpr std::uint32_t added = sizeof(item_header) + sizeof(const char*) + 8;
      if (key.is_literal() && payload_size() + added <= capacity && key.size() - 1U < max_name_size) [[likely]] {
        const value_view view(value);
        std::byte* out =
            write_item_head(payload_ + payload_size(), item_kind::attribute, slot_type<T>(), true, key.view(), added);
        if constexpr (std::floating_point<T>)
          write_packed(out, view.real());
        else
          write_packed(out, view.integer());
        header.size += added;
        return true;
      }
    }
    return false;
  }

  [[gnu::noinline]] void set_any_attribute(attribute_name key, value_view value) noexcept {
    if (!is_key(key.view())) return drop_attribute();
    value = cut(value);
    const std::size_t size = sizeof(item_header) + name_room(key.is_literal(), key.size()) + packed_size(value);
    const bool added = add_item(size, [&](std::byte* out) {
      write_value(write_item_head(out, item_kind::attribute, value.type(), key.is_literal(), key.view(), size), value);
    });
    if (!added) drop_attribute();
  }
  void drop_attribute() noexcept { count_dropped(&dropped_counts::attributes); }
  void drop_event() noexcept { count_dropped(&dropped_counts::events); }

  /// A sampler's attributes: those that the span was given itself win.
  [[gnu::noinline]] void set_attributes_beside_schema(std::span<const attribute> added) noexcept {
    for (attribute const& one : added)
      if (!has_slot(one.key)) set_any_attribute(one.key, one.value);
  }

  [[gnu::noinline]] void add_event(span_name name, std::uint64_t time, attribute_list attributes) noexcept {
    if (name.size() > max_name_size) return drop_event();
    const std::size_t head = sizeof(item_header) + name_room(name.is_literal(), name.size()) + sizeof time;
    const std::size_t size = head + attributes_size(attributes, head);
    const bool added = add_item(size, [&](std::byte* out) {
      out = write_item_head(out, item_kind::event, value_type::null, name.is_literal(), name.view(), size);
      write_attributes(write_packed(out, time), attributes, size - head);
    });
    if (added)
      header.marks = static_cast<std::uint8_t>(header.marks | mark_has_events);
    else
      drop_event();
  }

  [[gnu::noinline]] void add_link(span_context const& to, attribute_list attributes) noexcept {
    if (!to.is_valid()) return;
    std::string_view state = to.trace_state().to_header();
    if (state.size() > max_name_size) state = {};
    const std::size_t head = sizeof(item_header) + name_room(false, state.size()) + 32;
    const std::size_t size = head + attributes_size(attributes, head);
    const bool added = add_item(size, [&](std::byte* out) {
      out = write_item_head(out, item_kind::link, value_type::null, false, state, size);
      out = write_packed(out, to.trace_id());
      out = write_packed(out, to.span_id());
      const std::uint64_t remote = to.is_remote() ? 0x300 : 0x100;  // OTLP's flags
      out = write_packed(out, to.flags().bits() | remote);
      write_attributes(out, attributes, size - head);
    });
    if (!added) count_dropped(&dropped_counts::links);
  }

  /// An item that is a text: a name, a description, a trace state.
  [[gnu::noinline]] void set_text(item_kind kind, std::string_view text) noexcept {
    text = text.substr(0, utf8_boundary(text, max_name_size));
    const std::size_t size = sizeof(item_header) + name_room(false, text.size());
    if (!add_item(size, [&](std::byte* out) { write_item_head(out, kind, value_type::null, false, text, size); }) &&
        kind == item_kind::name)
      set_name("(name lost)");
  }

  /// The name of a span that starts.
  [[gnu::always_inline]] void start_name(span_name name) noexcept {
    if (name.is_literal_within(0xffff)) [[likely]] {
      header.name = name.data();
      // With `pieces`, which is zero: two octets alone would take one instruction more.
      const auto sizes = static_cast<std::uint32_t>(with_name_size(0, static_cast<std::uint16_t>(name.size())));
      std::memcpy(&header.name_size, &sizes, sizeof sizes);
    } else {
      header.name = nullptr;
      set_text(item_kind::name, name.view());
    }
  }
  void set_name(span_name name) noexcept {
    header.name = name.is_literal_within(0xffff) ? name.data() : nullptr;
    header.name_size = header.name ? static_cast<std::uint16_t>(name.size()) : std::uint16_t{0};
    if (!header.name) set_text(item_kind::name, name.view());
  }

  /// OpenTelemetry, trace/api.md, Set Status: unset is ignored, ok is final.
  void set_status(status_code code, std::string_view description) noexcept {
    if (code == status_code::unset || header.status == status_code::ok) return;
    header.status = code;
    if (code == status_code::error) set_text(item_kind::description, description);
  }

  /// The same for a span whose object is not at hand: the status is in the item.
  void set_status_item(status_code code, std::string_view description) noexcept {
    if (code == status_code::unset) return;
    description = description.substr(0, utf8_boundary(description, max_name_size));
    const std::size_t size = sizeof(item_header) + name_room(false, description.size());
    add_item(size, [&](std::byte* out) {
      write_item_head(out, item_kind::description, value_type::null, false, description, size, code);
    });
  }

  /// Writes what was counted as dropped, if anything was.
  void write_dropped_counts() noexcept {
    if ((header.size & dropped_bit) == 0) return;
    header.size &= ~dropped_bit;
    add_item(dropped_item_size,
             [this](std::byte* out) { write_dropped_item(out, {dropped.attributes, dropped.events, dropped.links}); });
  }

  /// The other's record, as far as it is in use.
  void copy_from(open_record const& other) noexcept {
    turn_off();
    if (other.header.size == 0) return;
    header = other.header;
    mode_ = other.mode_;
    if (!is_recording()) return;
    dropped = other.dropped;
    std::memcpy(payload_, other.payload_, payload_size());
  }

 private:
  [[gnu::noinline, gnu::cold]] void count_dropped(std::uint16_t dropped_counts::* kind) noexcept {
    if ((header.size & dropped_bit) == 0) dropped = {};
    set_mode(mode());
    header.size |= dropped_bit;
    std::uint16_t& count = dropped.*kind;
    count = static_cast<std::uint16_t>(count + (count != 0xffff));
  }

  template <class Bound>
  [[gnu::always_inline]] bool write_slot(Bound& bound, std::uint32_t& slot, std::uint32_t& end) noexcept {
    constexpr value_type type = slot_of<Bound>;
    if constexpr (type != value_type::null) {
      const value_view value(bound.value());
      std::byte* const place = payload_ + 8 * slot++;
      if constexpr (type == value_type::real)
        write_packed(place, value.real());
      else if constexpr (type != value_type::string)
        write_packed(place, value.integer());
      else {
        const std::string_view text = value.text();
        const bool fits = value.type() == value_type::string && text.size() <= capacity - end;
        write_packed(place, fits ? std::uint64_t{text.size()} : absent_slot);
        if (!fits) return false;
        if (!text.empty()) std::memcpy(payload_ + end, text.data(), text.size());  // an empty view may be null
        end += static_cast<std::uint32_t>(text.size());
      }
    }
    return true;
  }

  /// What write_slot could not write: strings that did not fit, values without a slot, callables.
  template <class Bound>
  [[gnu::always_inline]] void write_as_item(Bound& bound, [[maybe_unused]] bool fits) noexcept {
    constexpr value_type type = slot_of<Bound>;
    constexpr std::string_view key = Bound::key();
    if constexpr (type == value_type::string) {
      if (!fits && slot_is_absent(key)) [[unlikely]]
        set_literal(key, value_view(bound.value()));
    } else if constexpr (type == value_type::null) {
      if constexpr (attribute_compatible<typename Bound::value_type>)
        set_literal(key, value_view(bound.value()));
      else
        set_lazy(bound.value(), [&](auto const& made) { set_literal(key, value_view(made)); });
    }
  }

  bool slot_is_absent(std::string_view key) const noexcept {
    for (std::uint32_t i = 0; i < header.schema->count; ++i)
      if (header.schema->fields[i].key == key.data())
        return read_packed<std::uint64_t>(payload_ + 8 * i) == absent_slot;
    return false;
  }

  [[gnu::noinline]] void set_literal(std::string_view key, value_view value) noexcept {
    value = cut(value);
    const std::size_t size = sizeof(item_header) + sizeof(const char*) + packed_size(value);
    const bool added = add_item(size, [&](std::byte* out) {
      write_value(write_item_head(out, item_kind::attribute, value.type(), true, key, size), value);
    });
    if (!added) drop_attribute();
  }

 public:
  /// Calls a user's function inside the tracer: what it throws costs the attribute, not the program.
  template <class F, class Take>
  void set_lazy(F&& make, Take&& take) noexcept {
    try {
      take(make());
    } catch (...) {
      drop_attribute();
    }
  }

 private:
  /// The value, cut to max_value_size: a string at a character, an array or a map after the last element that fits.
  static value_view cut(value_view const& value) noexcept {
    if (value.type() == value_type::string && value.text().size() > max_value_size) [[unlikely]]
      return value.first(utf8_boundary(value.text(), max_value_size));
    if (value.type() == value_type::bytes && value.text().size() > max_value_size) [[unlikely]]
      return value.first(max_value_size);
    if (value.type() != value_type::array && value.type() != value_type::map) return value;
    std::size_t size = 8, kept = 0;
    for (; kept < value.size(); ++kept) {
      size += value.type() == value_type::array
                  ? 8 + packed_size(value.element(kept), 1)
                  : 16 + padded(value.entry(kept).key.size()) + packed_size(value.entry(kept).value, 1);
      if (size > max_value_size) break;
    }
    return value.first(kept);
  }

  static bool is_key(std::string_view key) noexcept { return !key.empty() && key.size() <= max_name_size; }
  static std::size_t attribute_size(attribute_view const& attribute) noexcept {
    return sizeof(item_header) + name_room(false, attribute.key.size()) + packed_size(cut(attribute.value));
  }
  /// The packed size of those attributes that fit an item with this much before them.
  static std::size_t attributes_size(attribute_list attributes, std::size_t before) noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (!is_key(attributes[i].key)) continue;
      const std::size_t size = attribute_size(attributes[i]);
      if (before + sum + size > max_item_size) break;
      sum += size;
    }
    return sum;
  }
  static void write_attributes(std::byte* out, attribute_list attributes, std::size_t room) noexcept {
    for (std::size_t i = 0; room != 0; ++i) {
      const attribute_view attribute = attributes[i];
      if (!is_key(attribute.key)) continue;
      const value_view value = cut(attribute.value);
      const std::size_t size = attribute_size(attribute);
      out = write_value(write_item_head(out, item_kind::attribute, value.type(), false, attribute.key, size), value);
      room -= size;
    }
  }

  /// Calls `write(out)` where an item of `size` bytes goes; false when there is no room for it.
  [[gnu::noinline]] bool add_item(std::size_t size, function_ref<void(std::byte*)> write) noexcept {
    if (payload_size() + size > capacity) {
      thread_state* thread = own_thread();
      if (!thread || !send_piece(*thread)) return false;
      if (payload_size() + size > capacity) return send_item(*thread, size, write);
    }
    write(payload_ + payload_size());
    header.size += static_cast<std::uint32_t>(size);
    return true;
  }

 public:
  /// Sends the items ahead, so that the buffer has room again.
  bool send_piece(thread_state& thread) noexcept {
    const std::uint32_t slots = slots_size(), size = payload_size() - slots;
    if (size == 0) return true;
    const claimed_place place = begin_piece(thread, size);
    if (!place) return false;
    std::memcpy(place.out, payload_ + slots, size);
    place.publish();
    header.size -= size;
    return true;
  }

 private:
  /// What write_slots wrote of the payload.
  std::uint32_t slots_size() const noexcept {
    if (!header.schema) return 0;
    std::uint64_t size = header.schema->count * sizeof(std::uint64_t);
    for (std::uint32_t i = 0; i < header.schema->count; ++i)
      if (header.schema->fields[i].type == value_type::string)
        if (const auto text = read_packed<std::uint64_t>(payload_ + 8 * i); text != absent_slot) size += text;
    return static_cast<std::uint32_t>(padded(size));
  }
  /// Sends one item ahead that is larger than the buffer.
  bool send_item(thread_state& thread, std::size_t size, function_ref<void(std::byte*)> write) noexcept {
    const claimed_place place = begin_piece(thread, size);
    if (!place) return false;
    write(place.out);
    place.publish();
    return true;
  }
  claimed_place begin_piece(thread_state& thread, std::size_t size) noexcept {
    if (header.pieces == 0xffff) return {};
    const std::size_t whole = sizeof(record_header) + size;
    claimed_place place = reserve(thread, whole, header, true);
    if (!place) return {};
    const bool beside = (header.marks & mark_piece) != 0;  // there is no span object: see on_current_span
    if (!beside) ++header.pieces;
    record_header piece = header;
    piece.size = static_cast<std::uint32_t>(whole);
    piece.marks = mark_piece;
    piece.end = tsc_clock::now();  // orders the pieces of a span that lie in the rings of several threads
    std::memcpy(place.out, &piece, sizeof piece);
    place.out += sizeof piece;
    return place;
  }

  std::uint8_t mode_;
  alignas(8) std::byte payload_[capacity];
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
