// A batch of finished spans of one tracer, as an exporter gets it.
//
// The cheap form is `for_each(visit)`, which reads the packed records in place; `spans()` makes owned values for
// whoever does not count nanoseconds. Both are valid only while `export_spans` runs.
#pragma once

#include <fulgurite/record/record_view.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// An owned copy of a record.
inline span_data to_span_data(record_view const& record, std::shared_ptr<const resource> of,
                              std::shared_ptr<const instrumentation_scope> scope) {
  span_data span;
  span.name = record.name();
  span.trace_id = record.trace_id();
  span.span_id = record.span_id();
  span.parent_span_id = record.parent_span_id();
  span.kind = record.kind();
  span.start_time = record.start_time();
  span.end_time = record.end_time();
  span.status = {record.status(), std::string(record.status_description())};
  span.trace_state = record.trace_state();
  span.flags = record.flags();
  span.resource = std::move(of);
  span.scope = std::move(scope);
  record.for_each_attribute([&](std::string_view key, packed_value value) {
    span.attributes.push_back({std::string(key), value.to_owned()});
  });
  record.for_each_event([&](std::string_view name, std::int64_t time, attribute_items attributes) {
    span.events.push_back({std::string(name), time, attributes.to_owned()});
  });
  record.for_each_link(
      [&](trace_id trace, span_id id, std::uint32_t flags, std::string_view state, attribute_items attributes) {
        span.links.push_back({span_context(trace, id, trace_flags(static_cast<std::uint8_t>(flags)),
                                           (flags & span_data::is_remote) != 0, trace_state::from_header(state)),
                              attributes.to_owned()});
      });
  const record_view::dropped_counts dropped = record.dropped();
  span.dropped_attributes_count = dropped.attributes;
  span.dropped_events_count = dropped.events;
  span.dropped_links_count = dropped.links;
  return span;
}

/// The finished spans that an exporter is given, valid during the call. `spans()` makes values of them; encoders visit
/// the records.
class span_batch {
 public:
  /// `records` holds `size` packed records, one after the other.
  span_batch(std::span<const std::byte> records, std::size_t size, std::shared_ptr<const fulgurite::resource> of,
             std::shared_ptr<const instrumentation_scope> scope)
      : records_(records), size_(size), resource_(std::move(of)), scope_(std::move(scope)) {}

  /// The number of spans.
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  fulgurite::resource const& resource() const noexcept { return *resource_; }
  instrumentation_scope const& scope() const noexcept { return *scope_; }
  std::shared_ptr<const fulgurite::resource> const& shared_resource() const noexcept { return resource_; }
  std::shared_ptr<const instrumentation_scope> const& shared_scope() const noexcept { return scope_; }
  /// The packed records' size in bytes.
  std::size_t bytes() const noexcept { return records_.size(); }

  /// Calls `visit(record_view const&)` for each span, in the order they ended.
  template <class F>
  void for_each(F&& visit) const {
    for (const std::byte *at = records_.data(), *end = at + records_.size(); at != end;) {
      const record_view record(at);
      visit(record);
      at = record.end();
    }
  }
  std::vector<span_data> spans() const {
    std::vector<span_data> all;
    all.reserve(size_);
    for_each([&](record_view const& record) { all.push_back(to_span_data(record, resource_, scope_)); });
    return all;
  }

 private:
  std::span<const std::byte> records_;
  std::size_t size_;
  std::shared_ptr<const fulgurite::resource> resource_;
  std::shared_ptr<const instrumentation_scope> scope_;
};

}  // namespace v1
}  // namespace fulgurite
