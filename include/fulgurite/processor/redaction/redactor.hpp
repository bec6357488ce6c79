// Applies rules to whatever leaves the process with a span: its record, its resource, its scope.
//
// A record in which nothing is found is the same record, and was only read. Another is written anew.
#pragma once

#include <fulgurite/processor/redaction/keyed_hash.hpp>
#include <fulgurite/processor/redaction/policy.hpp>
#include <fulgurite/record/packed_writer.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/text/hex.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Of a whole number, such as a card's: its digits, which rules see like a text. Empty where a real has decimals.
class digits_of {
 public:
  explicit digits_of(std::int64_t value) noexcept { set(value); }
  explicit digits_of(std::uint64_t value) noexcept { set(value); }
  explicit digits_of(double value) noexcept {
    if (!(std::fabs(value) < 9.2e18) || value != std::trunc(value)) return;
    set(static_cast<std::int64_t>(value));
  }
  std::string_view text() const noexcept { return {digits_, size_}; }

 private:
  template <class T>
  void set(T value) noexcept {
    size_ = static_cast<std::size_t>(std::to_chars(digits_, digits_ + sizeof digits_, value).ptr - digits_);
  }
  char digits_[24] = {};
  std::size_t size_ = 0;
};

template <redaction_policy Rules>
class redactor {
 public:
  static constexpr std::string_view masked = "***";

  /// Without a key what is to be hashed is masked.
  redactor(Rules rules, std::optional<redaction_key> key) : rules_(std::move(rules)), key_(key) {}

  Rules const& rules() const noexcept { return rules_; }

  /// The record itself, or one without what the rules hit, valid until the next call. Throws std::bad_alloc.
  const std::byte* apply(record_view const& record) { return must_change(record) ? rewrite(record) : record.begin(); }

  /// What follows is for any thread.
  void apply(resource& of) const {
    apply_member("service.name", of.service_name);
    apply_member("service.version", of.service_version);
    apply_member("deployment.environment.name", of.environment);
    apply(of.attributes, {});
  }
  void apply(instrumentation_scope& of) const {
    apply_text(of.name);
    apply_text(of.version);
    apply(of.attributes, {});
  }

 private:
  // -------------------------------------------------------------------------------------------------------- a look

  bool must_change(record_view const& record) const {
    bool hit = record.header().name && rules_.concerns(record.name());
    record.for_each_slot(
        [&](std::string_view key, packed_value const& value) { hit = hit || must_change_value(key, {}, value); });
    for (const std::byte* at = record.items(); at != record.end() && !hit;) {
      const item_view item(at);
      at = item.end();
      switch (item.kind()) {
        case item_kind::attribute:
          hit = must_change(item);
          break;
        case item_kind::event:
          hit = rules_.concerns(item.name()) || must_change(attributes_of(item));
          break;
        case item_kind::link:
          hit = must_change_state(item.name()) || must_change(attributes_of(item));
          break;
        case item_kind::trace_state:
          hit = must_change_state(item.name());
          break;
        case item_kind::description:
        case item_kind::name:
          hit = rules_.concerns(item.name());
          break;
        case item_kind::dropped:
          break;
      }
    }
    return hit;
  }
  bool must_change(attribute_items const& items) const {
    bool hit = false;
    items.for_each_given([&](item_view const& item) { hit = hit || must_change(item); });
    return hit;
  }
  /// A literal key is the program's text; another may be made of what it works on.
  bool must_change(item_view const& item) const {
    return (!item.has_literal_name() && rules_.concerns(item.name())) ||
           must_change_value(item.name(), {}, item.value());
  }
  bool must_change_value(std::string_view key, std::string_view path, packed_value const& value) const {
    if (action_of(key, path) != redaction_action::none) return true;
    bool hit = false;
    switch (value.type()) {
      case value_type::null:
      case value_type::boolean:
        return false;
      case value_type::integer:
        return rules_.concerns(digits_of(value.integer()).text());
      case value_type::unsigned_integer:
        return rules_.concerns(digits_of(static_cast<std::uint64_t>(value.integer())).text());
      case value_type::real:
        return rules_.concerns(digits_of(value.real()).text());
      case value_type::string:
      case value_type::bytes:
        return rules_.concerns(value.text());
      case value_type::array: {
        const std::string inner = joined(path, key);
        value.for_each_element(
            [&](packed_value const& element) { hit = hit || must_change_value({}, inner, element); });
        return hit;
      }
      case value_type::map: {
        const std::string inner = joined(path, key);
        value.for_each_entry([&](std::string_view entry, packed_value const& held) {
          hit = hit || rules_.concerns(entry) || must_change_value(entry, inner, held);
        });
        return hit;
      }
    }
    return false;
  }
  /// By its own key, and by the keys that lead to it. An element of an array has none of its own.
  redaction_action action_of(std::string_view key, std::string_view path) const {
    if (key.empty()) return redaction_action::none;
    const redaction_action own = rules_.action_of_key(key);
    return path.empty() ? own : std::max(own, rules_.action_of_key(joined(path, key)));
  }
  static std::string joined(std::string_view path, std::string_view key) {
    std::string all(path);
    if (!all.empty() && !key.empty()) all += '.';
    return all += key;
  }

  /// A trace state (W3C Trace Context, 3.3) with a hit goes as a whole: it would be no trace state afterwards.
  bool must_change_state(std::string_view state) const {
    if (state.empty()) return false;
    if (rules_.concerns(state)) return true;
    while (!state.empty()) {
      const std::size_t comma = std::min(state.find(','), state.size());
      std::string_view member = state.substr(0, comma);
      while (!member.empty() && is_blank(member[0])) member.remove_prefix(1);
      const std::size_t equals = member.find('=');
      if (equals != member.npos && rules_.action_of_key(member.substr(0, equals)) != redaction_action::none)
        return true;
      state.remove_prefix(comma < state.size() ? comma + 1 : comma);
    }
    return false;
  }

  // ---------------------------------------------------------------------------------------------------- a new record

  const std::byte* rewrite(record_view const& record) {
    out_.begin(record);
    keys_changed_ = false;
    const bool distinct = record.has_distinct_keys();
    if (record.header().name && rules_.concerns(record.name())) {
      out_.forget_name();
      write_text_item(item_kind::name, record.name(), status_code::unset);
    }
    // Of equal keys the last only: were it dropped, one before it would show.
    record.for_each_slot([&](std::string_view key, packed_value const& value) {
      if (distinct || !set_again(record.items(), record.end(), key)) write_attribute(key, true, value);
    });
    for (const std::byte* at = record.items(); at != record.end();) {
      const item_view item(at);
      const std::byte* const begin = std::exchange(at, item.end());
      const std::byte* const body = item.body();
      switch (item.kind()) {
        case item_kind::attribute:
          if (distinct || !set_again(at, record.end(), item.name()))
            write_attribute(item.name(), item.has_literal_name(), item.value());
          break;
        case item_kind::event: {
          const std::string name = redacted_text(item.name());
          write_with_attributes(item, name, {body, body + 8}, attributes_of(item), distinct);
          break;
        }
        case item_kind::link: {
          const std::string state(must_change_state(item.name()) ? std::string_view() : item.name());
          write_with_attributes(item, state, {body, body + 32}, attributes_of(item), distinct);
          break;
        }
        case item_kind::trace_state:
          if (!must_change_state(item.name())) out_.copy(begin, item.end());
          break;
        case item_kind::description:
        case item_kind::name:
          write_text_item(item.kind(), item.name(), item.status());
          break;
        case item_kind::dropped:
          out_.copy(begin, item.end());
          break;
      }
    }
    return out_.finish(!keys_changed_);
  }
  void write_text_item(item_kind kind, std::string_view text, status_code status) {
    const std::string redacted = redacted_text(text);
    const std::size_t begin = out_.begin_item(redacted, false);
    out_.end_item(begin, kind, value_type::null, redacted, false, status);
  }
  void write_with_attributes(item_view const& item, std::string_view name, std::span<const std::byte> head,
                             attribute_items const& attributes, bool distinct) {
    const std::size_t begin = out_.begin_item(name, false);
    out_.copy(head.data(), head.data() + head.size());
    attributes.for_each_given([&](item_view const& one) {
      if (distinct || !set_again(one.end(), item.end(), one.name()))
        write_attribute(one.name(), one.has_literal_name(), one.value());
    });
    out_.end_item(begin, item.kind(), item.type(), name, false, item.status());
  }
  void write_attribute(std::string_view key, bool literal, packed_value const& value) {
    const bool change_key = !literal && rules_.concerns(key);
    if (!change_key && !must_change_value(key, {}, value)) {
      const std::size_t begin = out_.begin_item(key, literal);
      out_.value(value, [](packed_value const& text) { return text.text(); });
      out_.end_item(begin, item_kind::attribute, value.type(), key, literal);
      return;
    }
    attribute owned{std::string(key), value.to_owned()};
    if (!apply(key, {}, owned.value) || (change_key && !apply_text(owned.key))) return;
    owned.key.resize(utf8_boundary(owned.key, max_name_size));
    keys_changed_ = keys_changed_ || change_key;
    const value_view view(owned.value);
    const std::size_t begin = out_.begin_item(owned.key, false);
    out_.value(view);
    out_.end_item(begin, item_kind::attribute, packed_type(view), owned.key, false);
  }

  // --------------------------------------------------------------------------------------------------- owned values

  /// The value of a key; false where it is to be dropped.
  bool apply(std::string_view key, std::string_view path, attribute_value& value) const {
    const redaction_action action = action_of(key, path);
    if (action == redaction_action::drop) return false;
    if (action == redaction_action::none) return apply(value, joined(path, key));
    value = standing_for(action, octets_of(value));
    return true;
  }
  void apply(std::vector<attribute>& all, std::string_view path) const {
    std::erase_if(all, [&](attribute& one) { return !apply(one.key, path, one.value) || !apply_text(one.key); });
  }
  bool apply(attribute_value& value, std::string_view path) const {
    if (auto* text = std::get_if<std::string>(&value)) return apply_text(*text);
    if (auto* octets = std::get_if<bytes>(&value)) {
      std::string text(reinterpret_cast<const char*>(octets->data()), octets->size());
      if (!rules_.concerns(text)) return true;
      if (!apply_text(text)) return false;
      const auto* first = reinterpret_cast<const std::byte*>(text.data());
      octets->assign(first, first + text.size());
    } else if (auto* integer = std::get_if<std::int64_t>(&value))
      return apply_number(value, digits_of(*integer).text());
    else if (auto* real = std::get_if<double>(&value))
      return apply_number(value, digits_of(*real).text());
    else if (auto* array = std::get_if<std::vector<attribute_value>>(&value))
      std::erase_if(*array, [&](attribute_value& element) { return !apply(element, path); });
    else if (auto* map = std::get_if<std::vector<attribute>>(&value))
      apply(*map, path);
    return true;
  }
  bool apply_number(attribute_value& value, std::string_view digits) const {
    if (!rules_.concerns(digits)) return true;
    std::string text(digits);
    if (!apply_text(text)) return false;
    value = std::move(text);
    return true;
  }
  void apply_member(std::string_view key, std::string& value) const {
    if (value.empty()) return;
    const redaction_action action = rules_.action_of_key(key);
    if (action == redaction_action::drop || (action == redaction_action::none && !apply_text(value)))
      value.clear();
    else if (action != redaction_action::none)
      value = standing_for(action, value);
  }

  // ---------------------------------------------------------------------------------------------------------- texts

  /// Where a hit is dropped the text is `***`, and the answer false.
  bool apply_text(std::string& text) const {
    if (!rules_.concerns(text)) return true;
    redaction_hits hits;
    rules_.find(text, hits);
    std::string out;
    std::size_t at = 0;
    for (auto const& [where, action] : hits.merged()) {
      if (action == redaction_action::drop) {
        text = masked;
        return false;
      }
      out.append(text, at, where.begin - at);
      out += standing_for(action, std::string_view(text).substr(where.begin, where.end - where.begin));
      at = where.end;
    }
    out.append(text, at);
    text = std::move(out);
    return true;
  }
  /// What stands in the place of a name or a description, which cannot be dropped.
  std::string redacted_text(std::string_view text) const {
    std::string redacted(text);
    apply_text(redacted);
    redacted.resize(utf8_boundary(redacted, max_name_size));
    return redacted;
  }
  std::string standing_for(redaction_action action, std::string_view octets) const {
    if (action != redaction_action::hash || !key_) return std::string(masked);
    std::string text = "hash:";
    const std::uint64_t hash = sip_hash(*key_, octets);
    // The octets in the order in which SipHash defines them, as `openssl mac -macopt size:8 SIPHASH` prints them.
    for (int shift = 0; shift < 64; shift += 8) append_hex_octet(text, static_cast<unsigned char>(hash >> shift));
    return text;
  }
  /// What a whole value's hash is of: a text itself, a whole number's digits, else the packed form.
  static std::string octets_of(attribute_value const& value) {
    if (auto* text = std::get_if<std::string>(&value)) return *text;
    if (auto* octets = std::get_if<bytes>(&value))
      return {reinterpret_cast<const char*>(octets->data()), octets->size()};
    if (auto* integer = std::get_if<std::int64_t>(&value)) return std::string(digits_of(*integer).text());
    const value_view view(value);
    std::string packed(packed_size(view), '\0');
    write_value(reinterpret_cast<std::byte*>(packed.data()), view);
    return packed;
  }

  Rules rules_;
  std::optional<redaction_key> key_;
  packed_writer out_;
  bool keys_changed_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
