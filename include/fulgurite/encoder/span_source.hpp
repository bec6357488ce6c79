// What an encoder visits: a record in place, or an owned span, through one interface.
//
// `record_view` and `packed_value` (record/) are that interface; here are the same members over `span_data` and
// `attribute_value`, so that each format is written once, as a template over the source.
#pragma once

#include <fulgurite/record/span_batch.hpp>
#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `packed_value`'s interface over an owned value.
class owned_value_view {
 public:
  explicit owned_value_view(attribute_value const& value) noexcept : value_(&value.as_variant()) {}

  value_type type() const noexcept {
    // The alternatives of attribute_variant, in its order.
    constexpr value_type types[] = {value_type::null,   value_type::boolean, value_type::integer, value_type::real,
                                    value_type::string, value_type::bytes,   value_type::array,   value_type::map};
    return value_->valueless_by_exception() ? value_type::null : types[value_->index()];
  }
  bool boolean() const noexcept { return *std::get_if<bool>(value_); }
  std::int64_t integer() const noexcept { return *std::get_if<std::int64_t>(value_); }
  double real() const noexcept { return *std::get_if<double>(value_); }
  std::string_view text() const noexcept {
    if (const auto* text = std::get_if<std::string>(value_)) return *text;
    const auto& octets = *std::get_if<bytes>(value_);
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
  }
  std::uint64_t count() const noexcept {
    if (const auto* values = std::get_if<std::vector<attribute_value>>(value_)) return values->size();
    if (const auto* entries = std::get_if<std::vector<attribute>>(value_)) return entries->size();
    return text().size();
  }
  template <class F>
  void for_each_element(F&& visit) const {
    for (attribute_value const& element : *std::get_if<std::vector<attribute_value>>(value_))
      visit(owned_value_view(element));
  }
  template <class F>
  void for_each_entry(F&& visit) const {
    for (attribute const& entry : *std::get_if<std::vector<attribute>>(value_))
      visit(std::string_view(entry.key), owned_value_view(entry.value));
  }

 private:
  attribute_variant const* value_;
};

/// `attribute_items`' interface over owned attributes.
class owned_attributes {
 public:
  explicit owned_attributes(std::vector<attribute> const& attributes) noexcept : attributes_(&attributes) {}

  bool empty() const noexcept { return attributes_->empty(); }
  template <class F>
  void for_each(F&& visit) const {
    for (attribute const& a : *attributes_) visit(std::string_view(a.key), owned_value_view(a.value));
  }

 private:
  std::vector<attribute> const* attributes_;
};

/// `record_view`'s interface over an owned span.
class span_data_view {
 public:
  explicit span_data_view(span_data const& one) noexcept : span_(&one) {}

  fulgurite::trace_id const& trace_id() const noexcept { return span_->trace_id; }
  fulgurite::span_id span_id() const noexcept { return span_->span_id; }
  fulgurite::span_id parent_span_id() const noexcept { return span_->parent_span_id; }
  span_kind kind() const noexcept { return span_->kind; }
  status_code status() const noexcept { return span_->status.code; }
  std::int64_t start_time() const noexcept { return span_->start_time; }
  std::int64_t end_time() const noexcept { return span_->end_time; }
  std::uint32_t flags() const noexcept { return span_->flags; }
  std::string_view name() const noexcept { return span_->name; }
  std::string_view trace_state() const noexcept { return span_->trace_state; }
  std::string_view status_description() const noexcept { return span_->status.description; }
  bool has_items() const noexcept { return true; }

  template <class F>
  void for_each_attribute(F&& visit) const {
    owned_attributes(span_->attributes).for_each(visit);
  }
  template <class F>
  void for_each_event(F&& visit) const {
    for (span_event const& event : span_->events)
      visit(std::string_view(event.name), event.time, owned_attributes(event.attributes));
  }
  template <class F>
  void for_each_link(F&& visit) const {
    for (span_link const& link : span_->links)
      visit(link.context.trace_id(), link.context.span_id(),
            std::uint32_t{link.context.flags().bits()} | span_data::has_is_remote |
                (link.context.is_remote() ? span_data::is_remote : 0U),
            std::string_view(link.context.trace_state().to_header()), owned_attributes(link.attributes));
  }
  record_view::dropped_counts dropped() const noexcept {
    return {span_->dropped_attributes_count, span_->dropped_events_count, span_->dropped_links_count};
  }

 private:
  span_data const* span_;
};

/// The spans of one resource and one scope; either may be null.
struct scope_group {
  const resource* of = nullptr;
  const instrumentation_scope* scope = nullptr;
  std::vector<const span_data*> spans = {};
};

/// The scopes of one resource.
struct resource_group {
  const resource* of = nullptr;
  std::vector<scope_group> scopes = {};
};

/// Sorts spans by resource and then scope, compared by value, everything in the order of first appearance.
inline std::vector<resource_group> grouped(std::span<const span_data> spans) {
  const auto same = [](auto const* a, auto const* b) { return a == b || (a && b && *a == *b); };
  struct place {
    std::size_t in_resources, in_scopes;
  };
  struct pair_hash {
    std::size_t operator()(std::pair<const void*, const void*> const& pair) const noexcept {
      return reinterpret_cast<std::size_t>(pair.first) * 31 + reinterpret_cast<std::size_t>(pair.second);
    }
  };
  std::vector<resource_group> groups;
  std::unordered_map<std::pair<const void*, const void*>, place, pair_hash> known;  // so that few are compared by value
  for (span_data const& one : spans) {
    const auto [entry, fresh] = known.try_emplace({one.resource.get(), one.scope.get()}, place{});
    place& at = entry->second;
    if (fresh) {
      while (at.in_resources < groups.size() && !same(groups[at.in_resources].of, one.resource.get()))
        ++at.in_resources;
      if (at.in_resources == groups.size()) groups.push_back({one.resource.get(), {}});
      std::vector<scope_group>& scopes = groups[at.in_resources].scopes;
      while (at.in_scopes < scopes.size() && !same(scopes[at.in_scopes].scope, one.scope.get())) ++at.in_scopes;
      if (at.in_scopes == scopes.size()) scopes.push_back({one.resource.get(), one.scope.get(), {}});
    }
    groups[at.in_resources].scopes[at.in_scopes].spans.push_back(&one);
  }
  return groups;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
