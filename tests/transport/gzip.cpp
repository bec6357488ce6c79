#include <fulgurite/transport/gzip.hpp>

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>

namespace {

std::string unpacked(std::string packed, std::size_t size) {
  std::string out(size + 1, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("one compressor, many bodies, each whole") {
  fulgurite::detail::gzip_compressor compressor;
  std::mt19937_64 random(1);
  std::string packed;
  for (const std::size_t size : {0U, 1U, 100U, 65536U, 1000000U, 3U})
    for (const std::uint64_t alphabet : {std::uint64_t{1}, std::uint64_t{256}}) {
      std::string body(size, 'x');
      for (char& c : body) c = static_cast<char>(random() % alphabet);
      REQUIRE(compressor.compress(std::as_bytes(std::span(body)), packed));
      CHECK(unpacked(packed, size) == body);
    }
}
