#include "tree.hpp"

#include "text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite_server {
namespace {

using fulgurite::attribute;
using fulgurite::attribute_value;
using fulgurite::span_data;

struct colour {
  const char* code;
};
constexpr colour plain{""}, dim{"\x1b[2m"}, bold{"\x1b[1m"}, red{"\x1b[31m"}, cyan{"\x1b[36m"}, yellow{"\x1b[33m"};

/// A nested value; `budget` is how many columns may still be written.
void put_value(std::string& out, attribute_value const& value, std::size_t limit, bool quoted) {
  if (out.size() > limit) return;
  auto const& held = value.as_variant();
  if (const auto* text = std::get_if<std::string>(&held)) {
    if (quoted) out += '"';
    // Four bytes a column are enough for any text; the rest will be cut anyway.
    out.append(*text, 0, std::min(text->size(), limit * 4 + 4));
    if (quoted) out += '"';
  } else if (const auto* flag = std::get_if<bool>(&held)) {
    out += *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<std::int64_t>(&held)) {
    out += fmt::to_string(*integer);
  } else if (const auto* real = std::get_if<double>(&held)) {
    out += fmt::format("{}", *real);
  } else if (const auto* data = std::get_if<fulgurite::bytes>(&held)) {
    out += "0x";
    for (const std::byte byte : *data) {
      if (out.size() > limit) return;
      out += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    }
  } else if (const auto* array = std::get_if<std::vector<attribute_value>>(&held)) {
    out += '[';
    for (std::size_t i = 0; i < array->size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      put_value(out, (*array)[i], limit, true);
    }
    out += ']';
  } else if (const auto* map = std::get_if<std::vector<attribute>>(&held)) {
    out += '{';
    for (std::size_t i = 0; i < map->size() && out.size() <= limit; ++i) {
      if (i > 0) out += ", ";
      out.append((*map)[i].key, 0, limit * 4 + 4);
      out += ": ";
      put_value(out, (*map)[i].value, limit, true);
    }
    out += '}';
  } else {
    out += "null";
  }
}

/// How far a span is to the right, and what is drawn before it.
struct place {
  std::size_t span;
  std::size_t depth;
  bool last;
};

class renderer {
 public:
  renderer(std::span<const span_data> spans, tree_style const& style) : spans_(spans), style_(style) { connect(); }

  std::string render() {
    head();
    for (const std::size_t root : roots_) branch(root);
    // Whoever is not reached from a root hangs on a circle: parents that are their own descendants.
    for (std::size_t i = 0; i < spans_.size(); ++i)
      if (!shown_[i]) branch(i);
    return std::move(out_);
  }

 private:
  void connect() {
    std::map<fulgurite::span_id, std::size_t> index;
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
    if (!style_.colours || *c.code == '\0') return std::string(text);
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
    for (span_data const& span : spans_) {
      start = std::min(start, span.start_time);
      end = std::max(end, span.end_time);
      errors += span.status.code == fulgurite::status_code::error;
      if (!span.resource || span.resource->service_name.empty()) continue;
      std::string name = printable(span.resource->service_name, 40);
      if (std::find(services.begin(), services.end(), name) == services.end()) services.push_back(std::move(name));
      if (services.size() > 4) services.resize(4);
    }
    line(fmt::format("trace {}  {}", paint(bold, spans_[0].trace_id.to_hex()), fmt::join(services, ", ")));
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
    const std::size_t most = style_.width / 6;
    std::string result;
    std::size_t from = 0;
    if (at.depth > most) {
      // Too deep to draw: only the innermost lines, with the depth said.
      from = at.depth - most / 2;
      result = own ? fmt::format("({}) ", at.depth) : std::string(fmt::formatted_size("({}) ", at.depth), ' ');
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

  void show(place const& at, std::vector<bool> const& more, bool has_children) {
    span_data const& span = spans_[at.span];
    const bool failed = span.status.code == fulgurite::status_code::error;
    const std::string left = stem(at, more, true);
    const std::size_t left_width = display_width(left);

    const std::string duration = span.end_time == 0 ? "not ended" : format_duration(span.end_time - span.start_time);
    std::string marks;
    constexpr const char* kinds[] = {"", "server", "client", "producer", "consumer"};
    if (const auto kind = static_cast<std::size_t>(span.kind); kind > 0 && kind < std::size(kinds))
      marks += fmt::format(" [{}]", kinds[kind]);
    if (at.depth == 0 && span.parent_span_id.is_valid())
      marks += fmt::format(" (its parent {} is {})", span.parent_span_id.to_hex(),
                           lost_[at.span] ? "not here" : "below it: a circle");
    const std::size_t taken = left_width + display_width(marks) + display_width(duration) + 2;
    const std::string name = printable(span.name.empty() ? std::string_view("(no name)") : span.name,
                                       style_.width > taken + 22 ? style_.width - taken - 2 : 20);
    const std::size_t used = taken + display_width(name);
    std::string dots;
    for (std::size_t i = std::max(style_.width, used + 2) - used; i > 0; --i) dots += "·";
    line(fmt::format("{}{}{} {} {}", paint(dim, left), paint(failed ? red : bold, name), paint(cyan, marks),
                     paint(dim, dots), paint(failed ? red : plain, duration)));

    const std::string under = stem(at, more, false) + (has_children ? "│  " : "   ");
    if (failed) {
      std::string text = "error";
      if (!span.status.description.empty()) text += ": " + printable(span.status.description, 4 * style_.width);
      line(paint(dim, under) + paint(red, text));
    }
    attributes(under, span.attributes, dim);
    for (fulgurite::span_event const& event : span.events) {
      std::string text = fmt::format("{} {}", event_sign, printable(event.name, style_.width));
      if (event.time != 0) text += fmt::format("  +{}", format_duration(event.time - span.start_time));
      line(paint(dim, under) + paint(yellow, text));
      attributes(under + "  ", event.attributes, dim);
    }
    for (fulgurite::span_link const& link : span.links) {
      line(paint(dim, under) +
           paint(yellow, fmt::format("linked to span {} of trace {}", link.context.span_id().to_hex(),
                                     link.context.trace_id().to_hex())));
      attributes(under + "  ", link.attributes, dim);
    }
    dropped(under, span);
  }

  void dropped(std::string const& under, span_data const& span) {
    const std::pair<std::uint32_t, const char*> counts[] = {{span.dropped_attributes_count, "attributes"},
                                                            {span.dropped_events_count, "events"},
                                                            {span.dropped_links_count, "links"}};
    for (auto const& [count, what] : counts)
      if (count > 0) line(paint(dim, under) + paint(yellow, fmt::format("{} more {} were dropped", count, what)));
  }

  /// As many to a line as fit.
  void attributes(std::string const& under, std::vector<attribute> const& all, colour c) {
    std::string text;
    std::size_t width = 0;
    const std::size_t room = style_.width > display_width(under) + 20 ? style_.width - display_width(under) : 20;
    const auto flush = [&] {
      if (!text.empty()) line(paint(dim, under) + paint(c, text));
      text.clear();
      width = 0;
    };
    for (attribute const& one : all) {
      const std::string entry = printable(one.key, 80) + "=" + format_value(one.value, style_.max_value_width);
      const std::size_t entry_width = display_width(entry);
      if (width > 0 && width + 2 + entry_width > room) flush();
      if (width > 0) text += "  ";
      width += (width > 0 ? 2 : 0) + entry_width;
      text += entry;
    }
    flush();
  }

  static constexpr const char* event_sign = "•";

  std::span<const span_data> spans_;
  tree_style style_;
  std::vector<std::size_t> roots_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<bool> shown_, lost_;
  std::string out_;
};

}  // namespace

std::string format_duration(std::int64_t nanoseconds) {
  const double value = static_cast<double>(nanoseconds);
  const double size = value < 0 ? -value : value;
  const auto scaled = [](double number, const char* unit) {
    const double whole = number < 0 ? -number : number;
    return fmt::format("{:.{}f} {}", number, whole < 9.995 ? 2 : whole < 99.95 ? 1 : 0, unit);
  };
  if (size < 1e3) return fmt::format("{} ns", nanoseconds);
  if (size < 999.5e3) return scaled(value / 1e3, "µs");
  if (size < 999.5e6) return scaled(value / 1e6, "ms");
  if (size < 120e9) return scaled(value / 1e9, "s");
  const std::int64_t seconds = nanoseconds / 1'000'000'000;
  const std::int64_t minutes = seconds / 60;
  if (size < 7200e9) return fmt::format("{} min {} s", minutes, seconds % 60 < 0 ? -(seconds % 60) : seconds % 60);
  return fmt::format("{:.1f} h", value / 3600e9);
}

std::string format_time(std::int64_t nanoseconds_since_epoch) {
  std::int64_t seconds = nanoseconds_since_epoch / 1'000'000'000;
  std::int64_t rest = nanoseconds_since_epoch % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03} UTC", fmt::gmtime(static_cast<std::time_t>(seconds)),
                     rest / 1'000'000);
}

std::string format_value(attribute_value const& value, std::size_t max_width) {
  std::string text;
  put_value(text, value, max_width, false);
  return printable(text, max_width);
}

std::string render_tree(std::span<const span_data> spans, tree_style const& style) {
  return renderer(spans, style).render();
}

}  // namespace fulgurite_server
