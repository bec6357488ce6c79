// Makes a span smaller that is too large for Jaeger's datagram: what is largest in it goes first.
//
// Attributes, events and links are taken out whole, one by one, until enough is gone; each is counted where the span
// counts what it dropped, so that Jaeger shows it. Reference clients drop such a span whole.
#pragma once

#include <fulgurite/encoder/jaeger_span_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/record/span_data.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What was taken out of a span.
struct jaeger_cuts {
  std::size_t attributes = 0, events = 0, links = 0;

  std::size_t all() const noexcept { return attributes + events + links; }
};

/// Takes out the largest attributes, events and links until the span is smaller by `excess` bytes in the form of
/// `Protocol`, or nothing is left to take.
template <class Protocol>
jaeger_cuts shorten_for_jaeger(span_data& span, std::size_t excess) {
  struct part {
    std::size_t size;
    std::size_t jaeger_cuts::* of;
    std::size_t index;
  };
  std::vector<part> parts;
  growing_bytes memory;
  jaeger_span_writer<Protocol> writer(memory);
  const auto add = [&](std::size_t jaeger_cuts::* of, std::size_t index, auto&& write) {
    const std::byte* const end = write(memory.room(memory.begin(), 1));
    parts.push_back({static_cast<std::size_t>(end - memory.begin()), of, index});
  };
  for (std::size_t i = 0; i < span.attributes.size(); ++i)
    add(&jaeger_cuts::attributes, i, [&](std::byte* at) {
      return writer.tag(at, span.attributes[i].key, owned_value_view(span.attributes[i].value));
    });
  for (std::size_t i = 0; i < span.events.size(); ++i)
    add(&jaeger_cuts::events, i, [&](std::byte* at) {
      span_event const& event = span.events[i];
      return writer.event_log(at, event.name, event.time, owned_attributes(event.attributes));
    });
  for (std::size_t i = 0; i < span.links.size(); ++i)
    add(&jaeger_cuts::links, i, [&](std::byte* at) {
      span_link const& link = span.links[i];
      at = writer.reference(at, link.context.trace_id(), link.context.span_id());
      const owned_attributes attributes(link.attributes);
      if (attributes.empty()) return at;
      return writer.link_log(at, span.start_time, link.context.trace_id(), link.context.span_id(), attributes);
    });
  // Of equal ones the later goes first.
  std::sort(parts.begin(), parts.end(),
            [](part const& a, part const& b) { return a.size != b.size ? a.size > b.size : a.index > b.index; });

  // What is counted takes a tag, or makes its number longer.
  constexpr std::size_t of_count = 64;
  jaeger_cuts cuts;
  std::vector<bool> gone[3] = {std::vector<bool>(span.attributes.size()), std::vector<bool>(span.events.size()),
                               std::vector<bool>(span.links.size())};
  for (part const& one : parts) {
    if (excess == 0) break;
    if (cuts.*one.of == 0) excess += of_count;
    ++(cuts.*one.of);
    gone[one.of == &jaeger_cuts::attributes ? 0 : one.of == &jaeger_cuts::events ? 1 : 2][one.index] = true;
    excess -= std::min(excess, one.size);
  }
  const auto keep = [](auto& of, std::vector<bool> const& without) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (without[i]) continue;
      if (kept != i) of[kept] = std::move(of[i]);
      ++kept;
    }
    of.resize(kept);
  };
  keep(span.attributes, gone[0]);
  keep(span.events, gone[1]);
  keep(span.links, gone[2]);
  span.dropped_attributes_count += static_cast<std::uint32_t>(cuts.attributes);
  span.dropped_events_count += static_cast<std::uint32_t>(cuts.events);
  span.dropped_links_count += static_cast<std::uint32_t>(cuts.links);
  return cuts;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
