// Makes spans at random and writes them down in every form that otlp_oracle.py compares:
//
//   otlp_oracle SEED COUNT DIRECTORY
//     spans.pb       to_otlp_protobuf(std::span<const span_data>)
//     records.pb     the same spans packed into records and encoded in place, one request after the other
//     spans.json     to_otlp_json(std::span<const span_data>)
//     records.jsonl  to_otlp_json(span_batch const&), a batch a line
//     spans.txt      what was made (random_spans.hpp)
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/record/attribute_key.hpp>

#include "../record_builder.hpp"
#include "random_spans.hpp"

#include <cstdint>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

using fulgurite_test::maker;
using fulgurite_test::told;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: otlp_oracle SEED COUNT DIRECTORY\n";
    return 2;
  }
  const std::string directory = argv[3];
  const std::size_t count = std::strtoull(argv[2], nullptr, 10);
  maker make(std::strtoull(argv[1], nullptr, 10));
  std::ofstream records_pb(directory + "/records.pb", std::ios::binary), records_json(directory + "/records.jsonl");
  std::ofstream plain(directory + "/spans.txt");

  std::vector<fg::span_data> all;
  fg::otlp_protobuf_encoder encoder;
  constexpr std::size_t groups = 4;
  for (std::size_t group = 0; group < groups; ++group) {
    const auto of = make.resource();
    // Two groups share a resource by value, so that grouping has something to find.
    const auto shared = group == 1 ? std::make_shared<fg::resource>(*all.front().resource) : of;
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
      plain << told(span) << '\n';
    }
    const std::span<const std::byte> request = fg::to_otlp_protobuf(builder.batch(), encoder);
    records_pb.write(reinterpret_cast<const char*>(request.data()), static_cast<std::streamsize>(request.size()));
    records_json << fg::to_otlp_json(builder.batch()) << '\n';
    all.insert(all.end(), made.begin(), made.end());
  }
  const std::string request = fg::to_otlp_protobuf(all);
  std::ofstream(directory + "/spans.pb", std::ios::binary)
      .write(request.data(), static_cast<std::streamsize>(request.size()));
  std::ofstream(directory + "/spans.json") << fg::to_otlp_json(all);
  return records_pb && records_json && plain ? 0 : 1;
}
