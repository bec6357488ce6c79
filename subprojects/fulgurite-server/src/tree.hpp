// One trace as a tree for a terminal.
//
// Everything that a span says is shown as `printable` text, so that no span can move the cursor or hide a line.
#pragma once

#include <fulgurite/record/span_data.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fulgurite_server {

struct tree_style {
  bool colours = false;
  /// Columns. Names and values are cut so that lines rarely pass it.
  std::size_t width = 100;
  /// The longest value shown whole, in columns.
  std::size_t max_value_width = 120;
};

/// A head line, then every span with its duration, attributes, events, links and error. Siblings are in the order they
/// started; a span whose parent is missing (or whose ancestors form a circle) stands at the left and is marked.
std::string render_tree(std::span<const fulgurite::span_data> spans, tree_style const& style);

/// `12.3 ms`; a duration below zero keeps its sign.
std::string format_duration(std::int64_t nanoseconds);
/// `2026-11-22 10:31:07.123 UTC`
std::string format_time(std::int64_t nanoseconds_since_epoch);
/// A value as it is shown after `key=`: text bare, arrays and maps in the manner of JSON. Stops soon after `max_width`
/// columns.
std::string format_value(fulgurite::attribute_value const& value, std::size_t max_width);

}  // namespace fulgurite_server
