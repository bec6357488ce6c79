// Makes spans at random and writes them down in every form that jaeger_oracle.py compares:
//
//   jaeger_oracle SEED COUNT DIRECTORY
//     records.FORM   each group of spans packed into records and encoded in place, its length of 4 bytes before it
//     spans.FORM     the same from owned spans
//     spans.txt      what was made, as random_spans.hpp tells it: a JSON object a line
//
// FORM is `batch` (the bare struct in the binary protocol), `binary` or `compact` (messages).
#include <fulgurite/encoder/jaeger_thrift.hpp>

#include "random_spans.hpp"

#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <span>
#include <string>

namespace fg = fulgurite;

namespace {

bool wrong_size = false;

template <class Encoder>
std::span<const std::byte> finish(Encoder& encoder) {
  const std::size_t said = encoder.size();
  const std::span<const std::byte> made = encoder.finish();
  wrong_size = wrong_size || made.size() > said || made.size() + 6 < said;
  return made;
}

void write(std::ofstream& to, std::span<const std::byte> octets) {
  for (int shift = 24; shift >= 0; shift -= 8) to.put(static_cast<char>(octets.size() >> shift & 255));
  to.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
}

template <class Encoder>
struct form {
  form(std::string const& directory, const char* name, fg::jaeger_form how)
      : encoder(how),
        records(directory + "/records." + name, std::ios::binary),
        spans(directory + "/spans." + name, std::ios::binary) {}

  void add(std::vector<fg::span_data> const& made, fg::span_batch const& batch) {
    encoder.begin(batch);
    batch.for_each([&](fg::record_view const& record) {
      encoder.add(record);
      if (encoder.count() % 50 == 1) static_cast<void>(finish(encoder));
    });
    write(records, finish(encoder));
    encoder.begin(batch);
    for (fg::span_data const& span : made) {
      // What is added and taken back leaves nothing.
      const std::size_t before = encoder.size();
      encoder.add(made.front());
      encoder.cut(before);
      encoder.add(span);
    }
    write(spans, finish(encoder));
  }

  Encoder encoder;
  std::ofstream records, spans;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: jaeger_oracle SEED COUNT DIRECTORY\n";
    return 2;
  }
  const std::string directory = argv[3];
  fulgurite_test::maker make(std::strtoull(argv[1], nullptr, 10));
  form<fg::jaeger_binary_encoder> batch(directory, "batch", fg::jaeger_form::batch);
  form<fg::jaeger_binary_encoder> binary(directory, "binary", fg::jaeger_form::message);
  form<fg::jaeger_compact_encoder> compact(directory, "compact", fg::jaeger_form::message);
  std::ofstream plain(directory + "/spans.txt");
  fulgurite_test::for_each_group(make, std::strtoull(argv[2], nullptr, 10), [&](auto const& made, auto const& builder) {
    for (fg::span_data const& span : made) plain << fulgurite_test::told(span) << '\n';
    batch.add(made, builder.batch());
    binary.add(made, builder.batch());
    compact.add(made, builder.batch());
  });
  if (wrong_size) std::cerr << "size() says less than a batch takes, or far more\n";
  return plain && !wrong_size ? 0 : 1;
}
