// Packs spans into records as a tracer does, for tests of what reads them.
#pragma once

#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/record/packed_value.hpp>
#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fulgurite_test {

/// Builds a batch. Texts that are packed "as literals" are kept by address: the spans given must outlive the batch.
class record_builder {
 public:
  explicit record_builder(std::shared_ptr<const fulgurite::resource> of = std::make_shared<fulgurite::resource>(),
                          std::shared_ptr<const fulgurite::instrumentation_scope> scope =
                              std::make_shared<fulgurite::instrumentation_scope>())
      : of_(std::move(of)), scope_(std::move(scope)) {}

  /// Packs a span; the bits of `literals` say in turn which texts are packed by address. `more` are attributes that
  /// only a view can express. `bound` are attributes of a schema: `"key"_a = value`.
  template <class... Bound>
  void add(fulgurite::span_data const& span, std::uint64_t literals = 0,
           std::span<const fulgurite::attribute_view> more = {}, Bound&&... bound) {
    namespace d = fulgurite::detail;
    literals_ = literals;
    std::vector<std::byte> body;
    pack_schema(body, bound...);
    for (fulgurite::attribute const& a : span.attributes) item(body, a.key, a.value);
    for (fulgurite::attribute_view const& a : more) item(body, a.key, a.value);
    for (fulgurite::span_event const& event : span.events) {
      const std::size_t at = open(body, d::item_kind::event, event.name);
      append(body, &event.time, 8);
      for (fulgurite::attribute const& a : event.attributes) item(body, a.key, a.value);
      close(body, at);
    }
    for (fulgurite::span_link const& link : span.links) {
      const std::size_t at = open(body, d::item_kind::link, link.context.trace_state().to_header());
      const fulgurite::trace_id trace = link.context.trace_id();
      const fulgurite::span_id id = link.context.span_id();
      const std::uint64_t flags = link.context.flags().bits() | fulgurite::span_data::has_is_remote |
                                  (link.context.is_remote() ? fulgurite::span_data::is_remote : 0U);
      append(body, &trace, 16);
      append(body, &id, 8);
      append(body, &flags, 8);
      for (fulgurite::attribute const& a : link.attributes) item(body, a.key, a.value);
      close(body, at);
    }
    if (!span.status.description.empty()) text_item(body, d::item_kind::description, span.status.description);
    if (!span.trace_state.empty()) text_item(body, d::item_kind::trace_state, span.trace_state);
    if ((span.dropped_attributes_count | span.dropped_events_count | span.dropped_links_count) != 0) {
      const std::size_t at = open(body, d::item_kind::dropped, {});
      for (const std::uint64_t count :
           {span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count})
        append(body, &count, 8);
      close(body, at);
    }
    d::record_header header{};
    if (next_literal() && span.name.size() < 65536) {
      header.name = span.name.data();
      header.name_size = static_cast<std::uint16_t>(span.name.size());
    } else
      text_item(body, d::item_kind::name, span.name);
    if constexpr (sizeof...(Bound) > 0) header.schema = d::schema_of<std::remove_cvref_t<Bound>...>();
    header.start = static_cast<std::uint64_t>(span.start_time);
    header.end = static_cast<std::uint64_t>(span.end_time);
    header.span_id = span.span_id;
    header.parent_span_id = span.parent_span_id;
    header.trace_id = span.trace_id;
    header.size = static_cast<std::uint32_t>(sizeof header + body.size());
    header.kind = span.kind;
    header.status = span.status.code;
    header.flags = static_cast<std::uint8_t>(span.flags);
    header.marks = d::mark_start_in_nanoseconds | d::mark_end_in_nanoseconds;
    if ((span.flags & fulgurite::span_data::is_remote) != 0) header.marks |= d::mark_remote_parent;
    if (!span.parent_span_id.is_valid()) header.marks |= d::mark_local_root;
    last_ = records_.size();
    append(records_, &header, sizeof header);
    append(records_, body.data(), body.size());
    ++size_;
  }

  /// Says of the span added last that no two of its attributes have the same key, nor two of one of its events or
  /// links.
  void keys_are_distinct() noexcept {
    constexpr std::uint16_t distinct = fulgurite::detail::keys_are_distinct;
    std::memcpy(records_.data() + last_ + offsetof(fulgurite::detail::record_header, pieces), &distinct,
                sizeof distinct);
  }

  /// Valid until the next `add`.
  fulgurite::span_batch batch() const { return {records_, size_, of_, scope_}; }

 private:
  bool next_literal() noexcept {
    literals_ = std::rotr(literals_, 1);
    return (literals_ >> 63) != 0;
  }
  static void append(std::vector<std::byte>& out, const void* data, std::size_t size) {
    const auto* from = static_cast<const std::byte*>(data);
    out.insert(out.end(), from, from + size);
  }
  std::size_t open(std::vector<std::byte>& out, fulgurite::detail::item_kind kind, std::string_view name,
                   fulgurite::value_type type = {}) {
    const std::size_t at = out.size();
    const bool literal = next_literal();
    out.resize(at + sizeof(fulgurite::detail::item_header) + fulgurite::detail::name_room(literal, name.size()));
    fulgurite::detail::write_item_head(out.data() + at, kind, type, literal, name, 0);
    return at;
  }
  static void close(std::vector<std::byte>& out, std::size_t at) {
    auto head = fulgurite::detail::read_packed<fulgurite::detail::item_header>(out.data() + at);
    head.size = static_cast<std::uint32_t>(out.size() - at);
    std::memcpy(out.data() + at, &head, sizeof head);
  }
  void item(std::vector<std::byte>& out, std::string_view key, fulgurite::value_view value) {
    const std::size_t at =
        open(out, fulgurite::detail::item_kind::attribute, key, fulgurite::detail::packed_type(value));
    const std::size_t body = out.size();
    out.resize(body + fulgurite::detail::packed_size(value));
    fulgurite::detail::write_value(out.data() + body, value);
    close(out, at);
  }
  void text_item(std::vector<std::byte>& out, fulgurite::detail::item_kind kind, std::string_view text) {
    close(out, open(out, kind, text));
  }
  /// Slots, then the octets of the strings, padded.
  template <class... Bound>
  static void pack_schema(std::vector<std::byte>& out, Bound const&... bound) {
    std::vector<std::byte> octets;
    [[maybe_unused]] const auto one = [&]<class B>(B const& attribute) {
      using value_type = typename B::value_type;
      std::uint64_t slot = 0;
      if constexpr (fulgurite::detail::attribute_string<value_type>) {
        const std::string_view text = attribute.value();
        slot = text.size();
        append(octets, text.data(), text.size());
      } else if constexpr (std::floating_point<value_type>)
        slot = std::bit_cast<std::uint64_t>(static_cast<double>(attribute.value()));
      else
        slot = static_cast<std::uint64_t>(attribute.value());
      append(out, &slot, 8);
    };
    (one(bound), ...);
    octets.resize(fulgurite::detail::padded(octets.size()));
    append(out, octets.data(), octets.size());
  }

  std::shared_ptr<const fulgurite::resource> of_;
  std::shared_ptr<const fulgurite::instrumentation_scope> scope_;
  std::vector<std::byte> records_;
  std::size_t size_ = 0, last_ = 0;
  std::uint64_t literals_ = 0;
};

}  // namespace fulgurite_test
