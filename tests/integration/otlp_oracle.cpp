// Makes spans at random and writes them down in every form that otlp_oracle.py compares:
//
//   otlp_oracle SEED COUNT DIRECTORY
//     spans.pb       to_otlp_protobuf(std::span<const span_data>)
//     records.pb     the same spans packed into records and encoded in place, one request after the other
//     spans.json     to_otlp_json(std::span<const span_data>)
//     records.jsonl  the records by an otlp_json_encoder, several lines a batch
//     spans.txt      what was made, as random_spans.hpp tells it: a JSON object a line
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/encoder/otlp_protobuf.hpp>

#include "random_spans.hpp"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <span>
#include <string>
#include <vector>

namespace fg = fulgurite;

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: otlp_oracle SEED COUNT DIRECTORY\n";
    return 2;
  }
  const std::string directory = argv[3];
  const std::size_t count = std::strtoull(argv[2], nullptr, 10);
  fulgurite_test::maker make(std::strtoull(argv[1], nullptr, 10));
  std::ofstream records_pb(directory + "/records.pb", std::ios::binary), records_json(directory + "/records.jsonl");
  std::ofstream plain(directory + "/spans.txt");

  std::vector<fg::span_data> all;
  fg::otlp_protobuf_encoder encoder;
  fg::otlp_json_encoder json_encoder;
  fulgurite_test::for_each_group(make, count, [&](auto const& made, auto const& builder) {
    for (fg::span_data const& span : made) plain << fulgurite_test::told(span) << '\n';
    const std::span<const std::byte> request = fg::to_otlp_protobuf(builder.batch(), encoder);
    records_pb.write(reinterpret_cast<const char*>(request.data()), static_cast<std::streamsize>(request.size()));
    // As an exporter does it: some spans are taken back, and come again in a line of their own.
    json_encoder.begin(builder.batch());
    std::size_t in_line = 0;
    const auto end_line = [&] {
      const std::span<const std::byte> line = json_encoder.finish();
      records_json.write(reinterpret_cast<const char*>(line.data()), static_cast<std::streamsize>(line.size())) << '\n';
      in_line = 0;
    };
    builder.batch().for_each([&](fg::record_view const& record) {
      const std::size_t before = json_encoder.size();
      json_encoder.add(record);
      if (++in_line == 1 || !make.one_in(50)) return;
      json_encoder.cut(before);
      end_line();
      json_encoder.begin(builder.batch());
      json_encoder.add(record);
      in_line = 1;
    });
    end_line();
    all.insert(all.end(), made.begin(), made.end());
  });
  const std::string request = fg::to_otlp_protobuf(all);
  std::ofstream(directory + "/spans.pb", std::ios::binary)
      .write(request.data(), static_cast<std::streamsize>(request.size()));
  std::ofstream(directory + "/spans.json") << fg::to_otlp_json(all);
  return records_pb && records_json && plain ? 0 : 1;
}
