// Makes spans at random and writes them down in every form that zipkin_oracle.py compares:
//
//   zipkin_oracle SEED COUNT DIRECTORY
//     spans.json     to_zipkin_json(std::span<const span_data>)
//     records.jsonl  the same spans packed into records and encoded in place, an array a line
//     spans.txt      what was made (random_spans.hpp)
#include <fulgurite/encoder/zipkin_json.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "random_spans.hpp"

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

/// Adds what this mapping has rules for.
class zipkin_maker : public fulgurite_test::maker {
 public:
  using maker::maker;

  fg::attribute_value peer() {
    static const std::vector<std::string> peers{"10.0.0.1", "0.0.0.0",     "256.1.1.1",        "01.2.3.4",
                                                "::1",      "2001:DB8::1", "::ffff:192.0.2.7", "fe80::2%eth0",
                                                "[::1]",    "shop",        "db.example.com",   "/run/a.sock",
                                                "",         "10.0.0.1:80", "1::2::3",          "10.0.0.1%1"};
    if (one_in(6)) return value();
    return one_of(peers);
  }
  fg::attribute_value port() {
    static const std::vector<fg::attribute_value> ports{0, 1, 80, 65535, 65536, -1, "443", "", "x", 80.0};
    return one_of(ports);
  }
  /// With keys of the resource, of the mapping, of peers, given twice, or equal once they are UTF-8.
  void season(std::vector<fg::attribute>& attributes) {
    static const std::vector<std::string> peers{"peer.service",
                                                "server.address",
                                                "net.peer.name",
                                                "network.peer.address",
                                                "server.socket.domain",
                                                "server.socket.address",
                                                "net.sock.peer.name",
                                                "net.sock.peer.addr",
                                                "peer.hostname",
                                                "peer.address",
                                                "db.name"};
    static const std::vector<std::string> ports{"network.peer.port", "server.socket.port", "net.sock.peer.port"};
    static const std::vector<std::string> taken{"error",
                                                "otel.status_code",
                                                "otel.status_description",
                                                "otel.scope.name",
                                                "otel.scope.version",
                                                "otel.library.name",
                                                "otel.library.version",
                                                "otel.dropped_attributes_count",
                                                "otel.dropped_events_count",
                                                "otel.dropped_links_count",
                                                "host.name",
                                                "zone",
                                                "service.name",
                                                "service.version",
                                                "telemetry.sdk.language",
                                                "\xff",
                                                "\xfe",
                                                "\xef\xbf\xbd"};
    if (one_in(2)) {
      for (std::uint64_t i = below(4); i > 0; --i) attributes.push_back({one_of(peers), peer()});
      for (std::uint64_t i = below(3); i > 0; --i) attributes.push_back({one_of(ports), port()});
    }
    if (one_in(3))
      for (std::uint64_t i = below(4); i > 0; --i)
        attributes.push_back({one_of(taken), one_in(3) ? fg::attribute_value(false) : value()});
    if (one_in(10) && !attributes.empty()) attributes.push_back({one_of(attributes).key, value()});
  }
  fg::span_data span() {
    fg::span_data made = maker::span();
    season(made.attributes);
    for (fg::span_event& event : made.events)
      if (one_in(3)) season(event.attributes);
    if (one_in(8)) {
      std::vector<fg::attribute> map = attributes(below(4));
      season(map);
      made.attributes.push_back({"map", fg::attribute_value(std::move(map))});
    }
    if (one_in(20)) made.start_time = static_cast<std::int64_t>(below(3000)) - 1500;
    return made;
  }
};

bool distinct(std::vector<fg::attribute> const& attributes) {
  std::set<std::string_view> keys;
  for (fg::attribute const& a : attributes)
    if (!keys.insert(a.key).second) return false;
  return true;
}
bool distinct(fg::span_data const& span) {
  for (fg::span_event const& event : span.events)
    if (!distinct(event.attributes)) return false;
  return distinct(span.attributes);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: zipkin_oracle SEED COUNT DIRECTORY\n";
    return 2;
  }
  const std::string directory = argv[3];
  const std::size_t count = std::strtoull(argv[2], nullptr, 10);
  zipkin_maker make(std::strtoull(argv[1], nullptr, 10));
  std::ofstream records(directory + "/records.jsonl"), plain(directory + "/spans.txt");
  std::vector<fg::span_data> all;
  fg::zipkin_json_encoder encoder;
  constexpr std::size_t groups = 8;
  for (std::size_t group = 0; group < groups; ++group) {
    const auto of = make.resource();
    const auto scope = make.scope();
    if (group % 2 == 1) {
      make.season(of->attributes);
      make.season(scope->attributes);
      of->attributes.push_back({"host.name", "resource"});
      scope->attributes.push_back({"zone", "scope"});
    }
    if (group == 2) scope->name = scope->version = "";
    fulgurite_test::record_builder builder(of, scope);
    std::deque<fg::span_data> packed;  // records point into these
    std::vector<fg::span_data> made;
    for (std::size_t i = group; i < count; i += groups) {
      fg::span_data& span = made.emplace_back(make.span());
      span.resource = of;
      span.scope = scope;
      if (make.one_in(4)) {  // little more than a schema's attributes, as most spans are
        span.attributes.clear();
        span.events.clear();
        span.links.clear();
        span.trace_state.clear();
        span.dropped_attributes_count = span.dropped_events_count = span.dropped_links_count = 0;
        if (make.one_in(2)) span.attributes.push_back({"at.run.time", make.text()});
      }
      packed.push_back(span);
      const std::uint64_t literals = make.bits();
      const std::string text = make.text(), address = make.one_in(2) ? "::1" : make.text();
      const std::int64_t number = make.integer();
      const double real = make.real();
      const std::uint64_t word = make.bits() >> make.below(2);
      const bool flag = make.one_in(2);
      std::vector<fg::attribute> bound;
      switch (make.below(5)) {
        case 0:
          bound = {{"schema.text", text},
                   {"schema.number", number},
                   {"schema.real", real},
                   {"schema.flag", flag},
                   {"schema.word", word}};
          builder.add(packed.back(), literals, {}, "schema.text"_a = text, "schema.number"_a = number,
                      "schema.real"_a = real, "schema.flag"_a = flag, "schema.word"_a = word);
          break;
        case 1:
          bound = {{"network.peer.address", address}, {"network.peer.port", number & 0x1ffff}, {"db.name", text}};
          builder.add(packed.back(), literals, {}, "network.peer.address"_a = address,
                      "network.peer.port"_a = number & 0x1ffff, "db.name"_a = text);
          break;
        case 2:
          bound = {{"host.name", text},
                   {"error", flag},
                   {"a key that is too long to be prepared beforehand, isn't it?", text}};
          builder.add(packed.back(), literals, {}, "host.name"_a = text, "error"_a = flag,
                      "a key that is too long to be prepared beforehand, isn't it?"_a = text);
          break;
        default:
          builder.add(packed.back(), literals);
      }
      bound.insert(bound.end(), span.attributes.begin(), span.attributes.end());
      span.attributes = std::move(bound);
      if (distinct(span)) builder.keys_are_distinct();
      plain << fulgurite_test::told(span) << '\n';
    }
    const std::span<const std::byte> request = fg::to_zipkin_json(builder.batch(), encoder);
    records.write(reinterpret_cast<const char*>(request.data()), static_cast<std::streamsize>(request.size())) << '\n';
    all.insert(all.end(), made.begin(), made.end());
  }
  std::ofstream spans(directory + "/spans.json");
  spans << fg::to_zipkin_json(all) << '\n';
  return spans && records && plain ? 0 : 1;
}
