// Makes spans at random and writes them down in every form that otlp_oracle.py compares:
//
//   otlp_oracle SEED COUNT DIRECTORY
//     spans.pb       to_otlp_protobuf(std::span<const span_data>)
//     records.pb     the same spans packed into records and encoded in place, one request after the other
//     spans.json     to_otlp_json(std::span<const span_data>)
//     records.jsonl  to_otlp_json(span_batch const&), a batch a line
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
  fulgurite_test::for_each_group(make, count, [&](auto const& made, auto const& builder) {
    for (fg::span_data const& span : made) plain << fulgurite_test::told(span) << '\n';
    const std::span<const std::byte> request = fg::to_otlp_protobuf(builder.batch(), encoder);
    records_pb.write(reinterpret_cast<const char*>(request.data()), static_cast<std::streamsize>(request.size()));
    records_json << fg::to_otlp_json(builder.batch()) << '\n';
    all.insert(all.end(), made.begin(), made.end());
  });
  const std::string request = fg::to_otlp_protobuf(all);
  std::ofstream(directory + "/spans.pb", std::ios::binary)
      .write(request.data(), static_cast<std::streamsize>(request.size()));
  std::ofstream(directory + "/spans.json") << fg::to_otlp_json(all);
  return records_pb && records_json && plain ? 0 : 1;
}
