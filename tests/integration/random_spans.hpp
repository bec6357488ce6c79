// Spans at random for the oracles: made, told and packed by code that shares nothing with the encoders.
#pragma once

#include <fulgurite/platform/version.hpp>
#include <fulgurite/record/attribute_key.hpp>
#include <fulgurite/record/span_data.hpp>

#include "../record_builder.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace fulgurite_test {

namespace fg = fulgurite;
using namespace fg::literals;

/// The generator. Only the engine is used, whose output the standard fixes: the same seed makes the same spans
/// anywhere.
class maker {
 public:
  explicit maker(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t bits() { return engine_(); }
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  T const& one_of(std::vector<T> const& of) {
    return of[below(of.size())];
  }

  std::string text() {
    static const std::vector<std::string> pieces{"a",
                                                 "GET /orders",
                                                 "\xc3\xbc",
                                                 "\xe2\x82\xac",
                                                 "\xf0\x9f\x98\x80",
                                                 "\"",
                                                 "\\",
                                                 "/",
                                                 "\n",
                                                 "\r\t",
                                                 "\x01",
                                                 "\x7f",
                                                 std::string(1, '\0'),
                                                 "\xef\xbf\xbd",
                                                 "\xe2\x80\xa8",
                                                 " ",
                                                 "{}",
                                                 "</script>",
                                                 "\xff",
                                                 "\xc0\x80",
                                                 "\xed\xa0\x80",
                                                 "\xf4\x90\x80\x80",
                                                 "\xe2\x82",
                                                 "\x80",
                                                 "\xf0\x9f",
                                                 "0123456789abcdef",
                                                 "0123456789abcdef0123456789abcdefg"};
    std::string made;
    if (one_in(6)) return made;
    const std::size_t valid = one_in(4) ? pieces.size() : 18;  // the first 18 are well-formed
    const std::uint64_t count = one_in(100) ? below(8000) : one_in(10) ? below(60) : below(5);
    for (std::uint64_t i = 0; i < count && made.size() < 65000; ++i)
      made += one_in(3) ? pieces[25 + below(2)] : pieces[below(valid)];
    return made;
  }
  fg::bytes octets() {
    fg::bytes made(one_in(50) ? 65536 : below(20));
    for (std::byte& octet : made) octet = static_cast<std::byte>(bits());
    return made;
  }
  std::int64_t integer() {
    static const std::vector<std::int64_t> special{0,
                                                   1,
                                                   -1,
                                                   127,
                                                   128,
                                                   16383,
                                                   16384,
                                                   std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min()};
    if (one_in(2)) return one_of(special);
    return static_cast<std::int64_t>(bits() >> below(64));
  }
  double real() {
    static const std::vector<double> special{0.0,
                                             -0.0,
                                             1.0,
                                             0.1,
                                             1e300,
                                             5e-324,
                                             1.7976931348623157e308,
                                             std::numeric_limits<double>::infinity(),
                                             -std::numeric_limits<double>::infinity(),
                                             std::numeric_limits<double>::quiet_NaN()};
    if (one_in(2)) return one_of(special);
    const double number = std::bit_cast<double>(bits());
    return number != number ? 2.5 : number;
  }
  fg::attribute_value value(int depth = 0) {
    switch (below(depth < 5 ? 10 : 6)) {
      case 0:
        return {};
      case 1:
        return one_in(2);
      case 2:
        return integer();
      case 3:
        return real();
      case 4:
        return octets();
      case 6:
      case 7: {
        std::vector<fg::attribute_value> values(below(6));
        for (fg::attribute_value& held : values) held = value(depth + 1);
        return values;
      }
      case 8:
        return attributes(below(6), depth + 1);
      default:
        return text();
    }
  }
  /// The keys differ.
  std::vector<fg::attribute> attributes(std::uint64_t count, int depth = 0) {
    std::vector<fg::attribute> made;
    for (std::uint64_t i = 0; i < count; ++i) {
      std::string key = i == 0 && one_in(20) ? std::string() : "key." + std::to_string(i);
      if (one_in(5) && !key.empty()) key += text();
      if (i == 1 && one_in(8)) key = one_of(names_of_formats());
      made.push_back({std::move(key), value(depth)});
    }
    return made;
  }
  /// Keys that some format makes a tag of by itself.
  static std::vector<std::string> const& names_of_formats() {
    static const std::vector<std::string> names{"error",
                                                "event",
                                                "span.kind",
                                                "otel.status_code",
                                                "w3c.tracestate",
                                                "otel.scope.name",
                                                "otel.dropped_events_count",
                                                "service.name",
                                                "trace_id"};
    return names;
  }
  std::string trace_state() {
    if (!one_in(4)) return {};
    return "vendor=" + std::to_string(bits()) + ",other@tenant=x:" + std::to_string(below(100));
  }
  fg::trace_id trace() { return fg::trace_id::from_numbers(bits(), bits() | 1); }

  fg::span_data span() {
    fg::span_data made;
    made.name = text();
    made.trace_id = trace();
    made.span_id = fg::span_id::from_number(++last_id_);
    if (one_in(2)) made.parent_span_id = fg::span_id::from_number(bits() | 1);
    made.kind = static_cast<fg::span_kind>(below(5));
    made.start_time = static_cast<std::int64_t>(bits() >> 1);
    made.end_time = one_in(10) ? 0 : made.start_time + static_cast<std::int64_t>(below(1000));
    if (made.end_time < 0) made.end_time = made.start_time;
    made.attributes = attributes(one_in(20) ? 130 : below(7));
    for (std::uint64_t i = one_in(3) ? below(4) : 0; i > 0; --i)
      made.events.push_back({text(), static_cast<std::int64_t>(bits() >> 1), attributes(below(4))});
    for (std::uint64_t i = one_in(3) ? below(3) : 0; i > 0; --i)
      made.links.push_back({fg::span_context(trace(), fg::span_id::from_number(bits() | 1),
                                             fg::trace_flags(static_cast<std::uint8_t>(bits())), one_in(2),
                                             fg::trace_state::from_header(trace_state())),
                            attributes(below(4))});
    made.status.code = static_cast<fg::status_code>(below(3));
    if (made.status.code == fg::status_code::error) made.status.description = text();
    made.trace_state = trace_state();
    made.flags = static_cast<std::uint32_t>(below(256)) | fg::span_data::has_is_remote |
                 (one_in(3) ? fg::span_data::is_remote : 0U);
    if (one_in(5)) made.dropped_attributes_count = static_cast<std::uint32_t>(bits());
    if (one_in(5)) made.dropped_events_count = static_cast<std::uint32_t>(bits());
    if (one_in(5)) made.dropped_links_count = static_cast<std::uint32_t>(bits());
    return made;
  }
  std::shared_ptr<fg::resource> resource() {
    return std::make_shared<fg::resource>(fg::resource{text(), text(), text(), attributes(below(5))});
  }
  std::shared_ptr<fg::instrumentation_scope> scope() {
    return std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{text(), text(), attributes(below(5))});
  }

 private:
  std::mt19937_64 engine_;
  std::uint64_t last_id_ = 0;
};

inline std::string hex(std::string_view octets) {
  std::string out = "\"";
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[octet / 16];
    out += "0123456789abcdef"[octet % 16];
  }
  return out + '"';
}

inline std::string told(std::vector<fg::attribute> const& attributes);

inline std::string told(fg::attribute_value const& value) {
  return std::visit(
      [](auto const& held) -> std::string {
        using type = std::remove_cvref_t<decltype(held)>;
        if constexpr (std::is_same_v<type, std::monostate>)
          return "[\"null\"]";
        else if constexpr (std::is_same_v<type, bool>)
          return held ? "[\"bool\",true]" : "[\"bool\",false]";
        else if constexpr (std::is_same_v<type, std::int64_t>)
          return "[\"int\"," + std::to_string(held) + "]";
        else if constexpr (std::is_same_v<type, double>)
          return "[\"double\"," + std::to_string(std::bit_cast<std::uint64_t>(held)) + "]";
        else if constexpr (std::is_same_v<type, std::string>)
          return "[\"string\"," + hex(held) + "]";
        else if constexpr (std::is_same_v<type, fg::bytes>) {
          return "[\"bytes\"," + hex({reinterpret_cast<const char*>(held.data()), held.size()}) + "]";
        } else if constexpr (std::is_same_v<type, std::vector<fg::attribute>>)
          return "[\"map\"," + told(held) + "]";
        else {
          std::string out = "[\"array\",[";
          for (std::size_t i = 0; i < held.size(); ++i) out += (i == 0 ? "" : ",") + told(held[i]);
          return out + "]]";
        }
      },
      value.as_variant());
}

inline std::string told(std::vector<fg::attribute> const& attributes) {
  std::string out = "[";
  for (std::size_t i = 0; i < attributes.size(); ++i)
    out += (i == 0 ? "[" : ",[") + hex(attributes[i].key) + "," + told(attributes[i].value) + "]";
  return out + "]";
}

inline std::string told(fg::span_data const& span) {
  std::string out = "{\"trace_id\":\"" + span.trace_id.to_hex() + "\",\"span_id\":\"" + span.span_id.to_hex() +
                    "\",\"parent\":\"" + (span.parent_span_id.is_valid() ? span.parent_span_id.to_hex() : "") +
                    "\",\"name\":" + hex(span.name) + ",\"kind\":" + std::to_string(static_cast<int>(span.kind) + 1) +
                    ",\"start\":" + std::to_string(span.start_time) + ",\"end\":" + std::to_string(span.end_time) +
                    ",\"attributes\":" + told(span.attributes) + ",\"events\":[";
  for (std::size_t i = 0; i < span.events.size(); ++i)
    out += (i == 0 ? "[" : ",[") + hex(span.events[i].name) + "," + std::to_string(span.events[i].time) + "," +
           told(span.events[i].attributes) + "]";
  out += "],\"links\":[";
  for (std::size_t i = 0; i < span.links.size(); ++i) {
    fg::span_context const& to = span.links[i].context;
    out += (i == 0 ? "[\"" : ",[\"") + to.trace_id().to_hex() + "\",\"" + to.span_id().to_hex() + "\"," +
           hex(to.trace_state().to_header()) + "," +
           std::to_string(to.flags().bits() + 0x100 + (to.is_remote() ? 0x200 : 0)) + "," +
           told(span.links[i].attributes) + "]";
  }
  out += "],\"status\":" + std::to_string(static_cast<int>(span.status.code)) +
         ",\"description\":" + hex(span.status.description) + ",\"trace_state\":" + hex(span.trace_state) +
         ",\"flags\":" + std::to_string(span.flags) + ",\"dropped\":[" + std::to_string(span.dropped_attributes_count) +
         "," + std::to_string(span.dropped_events_count) + "," + std::to_string(span.dropped_links_count) + "]";
  out += ",\"resource\":[" + hex(span.resource->service_name) + "," + hex(span.resource->service_version) + "," +
         hex(span.resource->environment) + "," + told(span.resource->attributes) + "," + hex(fg::library_version) + "]";
  out += ",\"scope\":[" + hex(span.scope->name) + "," + hex(span.scope->version) + "," + told(span.scope->attributes) +
         "]";
  return out + "}";
}

/// Makes `count` spans in four groups, each of one resource and one scope, and calls
/// `visit(std::vector<fg::span_data> const& made, record_builder const& packed)` for each group. `told` tells a span as
/// a JSON object, every text in hexadecimal and every double by its bits.
template <class Visit>
void for_each_group(maker& make, std::size_t count, Visit&& visit) {
  constexpr std::size_t groups = 4;
  std::shared_ptr<const fg::resource> first;
  for (std::size_t group = 0; group < groups; ++group) {
    const auto of = make.resource();
    // Two groups share a resource by value, so that grouping has something to find.
    const auto shared = group == 1 ? std::make_shared<fg::resource>(*first) : of;
    if (!first) first = of;
    const auto scope = make.scope();
    fulgurite_test::record_builder builder(shared, scope);
    std::vector<fg::span_data> made;
    std::deque<fg::span_data> packed;  // records point into these
    for (std::size_t i = group; i < count; i += groups) {
      fg::span_data& span = made.emplace_back(make.span());
      span.resource = shared;
      span.scope = scope;
      // Some have nothing but their schema's attributes: encoders go another way for them.
      const bool schema_only = make.one_in(6);
      if (schema_only) {
        fg::span_data bare = make.span();
        bare.attributes.clear();
        bare.events.clear();
        bare.links.clear();
        bare.status = {};
        bare.trace_state.clear();
        bare.dropped_attributes_count = bare.dropped_events_count = bare.dropped_links_count = 0;
        bare.resource = span.resource;
        bare.scope = span.scope;
        span = bare;
      }
      packed.push_back(span);
      const std::uint64_t literals = make.bits();
      if (schema_only) {
        const std::string text = make.text();
        const std::int64_t number = make.integer();
        const double real = make.real();
        const std::uint64_t word = make.one_in(10) ? make.bits() : make.bits() >> 1;
        const bool flag = make.one_in(2);
        span.attributes = {{"schema.text", text},
                           {"schema.number", number},
                           {"schema.real", real},
                           {"schema.flag", flag},
                           {"schema.word", word}};
        if (make.one_in(3)) {
          builder.add(packed.back(), ~std::uint64_t{0}, {}, "schema.text"_a = text, "schema.number"_a = number,
                      "schema.real"_a = real, "schema.flag"_a = flag, "schema.word"_a = word,
                      "schema.a key that is too long to be prepared beforehand"_a = text);
          span.attributes.push_back({"schema.a key that is too long to be prepared beforehand", text});
        } else
          builder.add(packed.back(), ~std::uint64_t{0}, {}, "schema.text"_a = text, "schema.number"_a = number,
                      "schema.real"_a = real, "schema.flag"_a = flag, "schema.word"_a = word);
      } else if (make.one_in(3)) {
        // Attributes of a schema, and an unsigned value, which only a view can express.
        const std::string text = make.text();
        const std::int64_t number = make.integer();
        const double real = make.real();
        const std::uint64_t large = make.bits() | 1ULL << 63;
        const std::uint64_t small = make.bits() >> 1;
        const std::vector<std::uint64_t> larger{large, small};
        const std::vector<fg::attribute_view> unsigned_values{{"large", large}, {"small", small}, {"larger", larger}};
        builder.add(packed.back(), literals, unsigned_values, "schema.text"_a = text, "schema.number"_a = number,
                    "schema.real"_a = real, "schema.flag"_a = true, "schema.large"_a = large);
        std::vector<fg::attribute> attributes{{"schema.text", text},
                                              {"schema.number", number},
                                              {"schema.real", real},
                                              {"schema.flag", true},
                                              {"schema.large", std::to_string(large)}};
        attributes.insert(attributes.end(), span.attributes.begin(), span.attributes.end());
        attributes.push_back({"large", std::to_string(large)});
        attributes.push_back({"small", static_cast<std::int64_t>(small)});
        attributes.push_back(
            {"larger", std::vector<fg::attribute_value>{std::to_string(large), static_cast<std::int64_t>(small)}});
        span.attributes = std::move(attributes);
      } else
        builder.add(packed.back(), literals);
    }
    visit(std::as_const(made), std::as_const(builder));
  }
}

}  // namespace fulgurite_test
