// A finished span as an owned value: what tests, converters and user-written exporters work with.
#pragma once

#include <fulgurite/context/span_context.hpp>
#include <fulgurite/record/attribute_value.hpp>
#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_kind.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Times are nanoseconds since the Unix epoch.
struct span_event {
  std::string name = {};
  std::int64_t time = 0;
  std::vector<attribute> attributes = {};

  friend bool operator==(span_event const&, span_event const&) = default;
};

/// A span of this or another trace that belongs to this one without being its parent.
struct span_link {
  span_context context = {};
  std::vector<attribute> attributes = {};

  friend bool operator==(span_link const&, span_link const&) = default;
};

/// How the operation went.
struct span_status {
  status_code code = status_code::unset;
  /// Only with an error.
  std::string description = {};

  friend bool operator==(span_status const&, span_status const&) = default;
};

/// OTLP's Span, with the resource and the scope it belongs to.
struct span_data {
  /// OTLP's `flags` above the eight W3C trace flags: whether the parent is remote is known, and is so.
  static constexpr std::uint32_t has_is_remote = 0x100, is_remote = 0x200;

  std::string name = {};
  fulgurite::trace_id trace_id = {};
  fulgurite::span_id span_id = {}, parent_span_id = {};
  span_kind kind = span_kind::internal;
  std::int64_t start_time = 0, end_time = 0;
  std::vector<attribute> attributes = {};
  std::vector<span_event> events = {};
  std::vector<span_link> links = {};
  span_status status = {};
  std::shared_ptr<const fulgurite::resource> resource = {};
  std::string trace_state = {};
  std::uint32_t flags = has_is_remote;
  std::shared_ptr<const instrumentation_scope> scope = {};
  std::uint32_t dropped_attributes_count = 0, dropped_events_count = 0, dropped_links_count = 0;

  /// Compares what resource and scope point to.
  friend bool operator==(span_data const& a, span_data const& b) {
    const auto same = [](auto const& x, auto const& y) { return x == y || (x && y && *x == *y); };
    return a.name == b.name && a.trace_id == b.trace_id && a.span_id == b.span_id &&
           a.parent_span_id == b.parent_span_id && a.kind == b.kind && a.start_time == b.start_time &&
           a.end_time == b.end_time && a.attributes == b.attributes && a.events == b.events && a.links == b.links &&
           a.status == b.status && a.trace_state == b.trace_state && a.flags == b.flags &&
           a.dropped_attributes_count == b.dropped_attributes_count &&
           a.dropped_events_count == b.dropped_events_count && a.dropped_links_count == b.dropped_links_count &&
           same(a.resource, b.resource) && same(a.scope, b.scope);
  }
};

namespace detail {

/// What the light noop.hpp can only name.
template <class Span>
struct list_of_spans {
  using type = std::vector<Span>;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
