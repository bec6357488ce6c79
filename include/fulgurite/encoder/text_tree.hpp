// One trace as a tree for a terminal: what the console exporter and the command `fulgurite trace` print. Needs fmt.
//
// Everything that a span says is shown as `printable` text (text/printable.hpp), so that no span can move the cursor
// or hide a line. Any list of spans has a picture: lost parents, circles and doubles are shown once each, and chains of
// any depth use no stack.
#pragma once

#include <fulgurite/encoder/text_value.hpp>
#include <fulgurite/record/span_data.hpp>
#include <fulgurite/text/printable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// How a tree of spans is drawn.
struct text_tree_options {
  bool colours = false;
  /// Columns. Names and values are cut so that lines rarely pass it.
  std::size_t width = 100;
  /// The longest value shown whole, in columns.
  std::size_t max_value_width = 120;
};

namespace detail {

class tree_renderer {
 public:
  tree_renderer(std::span<const span_data> spans, text_tree_options const& options) : spans_(spans), options_(options) {
    connect();
  }

  std::string render() {
    head();
    for (const std::size_t root : roots_) branch(root);
    // Whoever is not reached from a root hangs on a circle: parents that are their own descendants.
    for (std::size_t i = 0; i < spans_.size(); ++i)
      if (!shown_[i]) branch(i);
    return std::move(out_);
  }

 private:
  /// An ANSI sequence; empty for the terminal's own colour.
  struct colour {
    const char* code;
  };
  static constexpr colour plain{""}, dim{"\x1b[2m"}, bold{"\x1b[1m"}, red{"\x1b[31m"}, cyan{"\x1b[36m"},
      yellow{"\x1b[33m"};

  /// How far a span is to the right, and whether it is the last of its siblings.
  struct place {
    std::size_t span;
    std::size_t depth;
    bool last;
  };

  void connect() {
    std::map<span_id, std::size_t> index;
    for (std::size_t i = 0; i < spans_.size(); ++i) index.try_emplace(spans_[i].span_id, i);
    children_.resize(spans_.size());
    shown_.assign(spans_.size(), false);
    lost_.assign(spans_.size(), false);
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      const auto parent = index.find(spans_[i].parent_span_id);
      lost_[i] = spans_[i].parent_span_id.is_valid() && parent == index.end();
      if (lost_[i] || !spans_[i].parent_span_id.is_valid())
        roots_.push_back(i);
      else
        children_[parent->second].push_back(i);
    }
    const auto earlier = [this](std::size_t a, std::size_t b) {
      return std::pair(spans_[a].start_time, a) < std::pair(spans_[b].start_time, b);
    };
    for (auto& siblings : children_) std::sort(siblings.begin(), siblings.end(), earlier);
    std::sort(roots_.begin(), roots_.end(), earlier);
  }

  std::string paint(colour c, std::string_view text) const {
    if (!options_.colours || *c.code == '\0' || text.empty()) return std::string(text);
    return fmt::format("{}{}\x1b[0m", c.code, text);
  }

  void line(std::string_view text) {
    out_ += text;
    out_ += '\n';
  }

  void head() {
    if (spans_.empty()) return;
    std::int64_t start = spans_[0].start_time, end = spans_[0].end_time;
    std::size_t errors = 0;
    std::vector<std::string> services;
    for (span_data const& one : spans_) {
      start = std::min(start, one.start_time);
      end = std::max(end, one.end_time);
      errors += one.status.code == status_code::error;
      if (!one.resource || one.resource->service_name.empty() || services.size() == 4) continue;
      std::string name = printable(one.resource->service_name, 40);
      if (std::find(services.begin(), services.end(), name) == services.end()) services.push_back(std::move(name));
    }
    std::string first = "trace " + paint(bold, spans_[0].trace_id.to_hex());
    for (std::size_t i = 0; i < services.size(); ++i) first += (i > 0 ? ", " : "  ") + services[i];
    line(first);
    const auto counted = [](std::size_t n, std::string_view what) {
      return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    std::string second =
        fmt::format("{} · {} · {}", format_time(start), format_duration(end - start), counted(spans_.size(), "span"));
    if (errors > 0) second += " · " + paint(red, counted(errors, "error"));
    line(second);
  }

  /// Not recursive: a chain of a million spans must not exhaust the stack.
  void branch(std::size_t root) {
    line("");
    std::vector<place> todo{{root, 0, true}};
    std::vector<bool> more;  // at each depth, whether another sibling follows
    while (!todo.empty()) {
      const place at = todo.back();
      todo.pop_back();
      if (shown_[at.span]) continue;
      shown_[at.span] = true;
      more.resize(at.depth);
      if (at.depth > 0) more[at.depth - 1] = !at.last;
      std::vector<std::size_t> below;
      for (const std::size_t child : children_[at.span])
        if (!shown_[child]) below.push_back(child);
      show(at, more, !below.empty());
      for (std::size_t i = below.size(); i-- > 0;) todo.push_back({below[i], at.depth + 1, i + 1 == below.size()});
    }
  }

  /// The lines to the left of a span (`own`), or of what stands beneath its name.
  std::string stem(place const& at, std::vector<bool> const& more, bool own) const {
    const std::size_t most = options_.width / 6;
    std::string result;
    std::size_t from = 0;
    if (at.depth > most) {
      // Too deep to draw: only the innermost lines, with the depth said.
      from = at.depth - most / 2;
      result = fmt::format("({}) ", at.depth);
      if (!own) result.assign(result.size(), ' ');
    }
    for (std::size_t i = from; i < at.depth; ++i) {
      const bool innermost = i + 1 == at.depth;
      if (own && innermost)
        result += more[i] ? "├─ " : "└─ ";
      else
        result += more[i] ? "│  " : "   ";
    }
    return result;
  }

  /// What is said behind a span's name.
  std::string marks(place const& at) const {
    span_data const& one = spans_[at.span];
    std::string text;
    constexpr const char* kinds[] = {"", "server", "client", "producer", "consumer"};
    if (const auto kind = static_cast<std::size_t>(one.kind); kind > 0 && kind < std::size(kinds))
      text += fmt::format(" [{}]", kinds[kind]);
    if (at.depth == 0 && one.parent_span_id.is_valid())
      text += fmt::format(" (its parent {} is {})", one.parent_span_id.to_hex(),
                          lost_[at.span] ? "not here" : "below it: a circle");
    return text;
  }

  void show(place const& at, std::vector<bool> const& more, bool has_children) {
    span_data const& one = spans_[at.span];
    const bool failed = one.status.code == status_code::error;
    const std::string left = stem(at, more, true), behind = marks(at);
    const std::string duration = one.end_time == 0 ? "not ended" : format_duration(one.end_time - one.start_time);
    const std::size_t taken = display_width(left) + display_width(behind) + display_width(duration) + 2;
    const std::string name = printable(one.name.empty() ? std::string_view("(no name)") : one.name,
                                       options_.width > taken + 22 ? options_.width - taken - 2 : 20);
    const std::size_t used = taken + display_width(name);
    std::string dots;
    for (std::size_t i = std::max(options_.width, used + 2) - used; i > 0; --i) dots += "·";
    line(fmt::format("{}{}{} {} {}", paint(dim, left), paint(failed ? red : bold, name), paint(cyan, behind),
                     paint(dim, dots), paint(failed ? red : plain, duration)));
    details(stem(at, more, false) + (has_children ? "│  " : "   "), one);
  }

  void details(std::string const& under, span_data const& one) {
    if (one.status.code == status_code::error) {
      std::string text = "error";
      if (!one.status.description.empty()) text += ": " + printable(one.status.description, 4 * options_.width);
      line(paint(dim, under) + paint(red, text));
    }
    attributes(under, one.attributes);
    for (span_event const& event : one.events) {
      std::string text = "• " + printable(event.name, options_.width);
      if (event.time != 0) text += "  +" + format_duration(event.time - one.start_time);
      line(paint(dim, under) + paint(yellow, text));
      attributes(under + "  ", event.attributes);
    }
    for (span_link const& link : one.links) {
      line(paint(dim, under) +
           paint(yellow, fmt::format("linked to span {} of trace {}", link.context.span_id().to_hex(),
                                     link.context.trace_id().to_hex())));
      attributes(under + "  ", link.attributes);
    }
    const std::pair<std::uint32_t, const char*> dropped[] = {{one.dropped_attributes_count, "attributes"},
                                                             {one.dropped_events_count, "events"},
                                                             {one.dropped_links_count, "links"}};
    for (auto const& [count, what] : dropped)
      if (count > 0) line(paint(dim, under) + paint(yellow, fmt::format("{} more {} were dropped", count, what)));
  }

  /// As many to a line as fit.
  void attributes(std::string const& under, std::vector<attribute> const& all) {
    std::string text;
    std::size_t width = 0;
    const std::size_t left = display_width(under);
    const std::size_t room = options_.width > left + 20 ? options_.width - left : 20;
    const auto flush = [&] {
      if (!text.empty()) line(paint(dim, under) + paint(dim, text));
      text.clear();
      width = 0;
    };
    for (attribute const& one : all) {
      const std::string entry = printable(one.key, 80) + "=" + format_value(one.value, options_.max_value_width);
      const std::size_t entry_width = display_width(entry);
      if (width > 0 && width + 2 + entry_width > room) flush();
      if (width > 0) text += "  ";
      width += (width > 0 ? 2 : 0) + entry_width;
      text += entry;
    }
    flush();
  }

  std::span<const span_data> spans_;
  text_tree_options options_;
  std::vector<std::size_t> roots_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<bool> shown_, lost_;
  std::string out_;
};

}  // namespace detail

/// The spans of one trace: two head lines, then every span with its duration, attributes, events, links and error; each
/// line ends in a newline. Siblings are in the order they started; a span whose parent is missing (or whose ancestors
/// form a circle) stands at the left and is marked. Empty when there are no spans.
inline std::string to_text_tree(std::span<const span_data> spans, text_tree_options const& options = {}) {
  return detail::tree_renderer(spans, options).render();
}

}  // namespace v1
}  // namespace fulgurite
