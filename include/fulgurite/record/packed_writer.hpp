// Writes a finished record anew: what a limit (record/limited_record.hpp) or redaction leaves of it.
//
// The copy has no schema: what stood in its slots becomes items. Texts go through a function of the caller, which says
// what to write in their place.
#pragma once

#include <fulgurite/record/plain_list.hpp>
#include <fulgurite/record/record_view.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class packed_writer {
 public:
  /// Begins with the header of `from`; its name, where it is a literal, is still its name.
  void begin(record_view const& from) {
    out_.clear();
    out_.append(from.begin(), from.begin() + sizeof(record_header));
  }
  /// The name is to be an item.
  void forget_name() noexcept {
    header().name = nullptr;
    header().name_size = 0;
  }
  /// The whole record, valid until the next `begin`. `distinct_keys`: see record_view::has_distinct_keys.
  std::byte* finish(bool distinct_keys) noexcept {
    header().schema = nullptr;
    header().size = static_cast<std::uint32_t>(out_.size());
    header().pieces = distinct_keys ? keys_are_distinct : std::uint16_t{0};
    return out_.data();
  }

  /// Where the next thing goes, counted from the record's begin.
  std::size_t position() const noexcept { return out_.size(); }
  /// Bytes as they are; a multiple of 8 of them.
  void copy(const std::byte* begin, const std::byte* end) { out_.append(begin, end); }

  /// Room for an item's head, which `end_item` writes once its body is there; returns where the item begins.
  std::size_t begin_item(std::string_view name, bool literal) {
    const std::size_t at = position();
    room(sizeof(item_header) + name_room(literal, name.size()));
    return at;
  }
  void end_item(std::size_t begin, item_kind kind, value_type type, std::string_view name, bool literal,
                status_code status = status_code::unset) noexcept {
    write_item_head(out_.data() + begin, kind, type, literal, name, position() - begin, status);
  }
  /// Of an item whose head was copied: its size.
  void end_copied_item(std::size_t begin) noexcept {
    item_header head = read_packed<item_header>(out_.data() + begin);
    head.size = static_cast<std::uint32_t>(position() - begin);
    std::memcpy(out_.data() + begin, &head, sizeof head);
  }

  void number(std::uint64_t value) { write_packed(room(sizeof value), value); }
  /// A string or bytes without their type.
  void text(std::string_view octets) {
    number(octets.size());
    std::byte* const to = room(padded(octets.size()));
    if (!octets.empty()) std::memcpy(to, octets.data(), octets.size());
  }
  /// A value without its type.
  void value(value_view const& from) { write_value(room(packed_size(from)), from); }

  /// The same of a packed one. Of each string and bytes in it `text_of(packed_value const&)` is written.
  template <class TextOf>
  void value(packed_value const& from, TextOf const& text_of) {
    switch (from.type()) {
      case value_type::null:
        break;
      case value_type::boolean:
      case value_type::integer:
      case value_type::unsigned_integer:
      case value_type::real:
        number(static_cast<std::uint64_t>(from.integer()));  // of a real, its bits
        break;
      case value_type::string:
      case value_type::bytes:
        text(text_of(from));
        break;
      case value_type::array:
        number(from.count());
        from.for_each_element([&](packed_value const& element) {
          number(static_cast<std::uint64_t>(element.type()));
          value(element, text_of);
        });
        break;
      case value_type::map:
        number(from.count());
        from.for_each_entry([&](std::string_view key, packed_value const& entry) {
          text(key);
          number(static_cast<std::uint64_t>(entry.type()));
          value(entry, text_of);
        });
        break;
    }
  }

 private:
  record_header& header() noexcept { return *reinterpret_cast<record_header*>(out_.data()); }
  /// Zeroed bytes at the end, a multiple of 8.
  std::byte* room(std::size_t size) {
    std::byte* const fresh = out_.extend(size);
    std::memset(fresh, 0, size);
    return fresh;
  }

  byte_list out_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
