#include "inflate.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

using namespace fulgurite_server;

namespace {

/// By zlib's own file format writer settings: 15 + 16 asks for gzip.
std::string gzip(std::string const& text) {
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())) + 32, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("gzip is unpacked whole") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919);
  std::string out;
  CHECK(gunzip(gzip(text), text.size(), out) == inflate_result::done);
  CHECK(out == text);
  CHECK(gunzip(gzip(""), 0, out) == inflate_result::done);
  CHECK(out.empty());
  CHECK(gunzip(gzip("one") + gzip("two"), 100, out) == inflate_result::done);
  CHECK(out == "onetwo");
}

TEST_CASE("what is too large is refused at the limit") {
  std::string out;
  const std::string bomb = gzip(std::string(10'000'000, 'x'));
  REQUIRE(bomb.size() < 20'000);
  CHECK(gunzip(bomb, 9'999'999, out) == inflate_result::too_large);
  CHECK(out.size() < 10'000'000);
  CHECK(gunzip(bomb, 10'000'000, out) == inflate_result::done);
}

TEST_CASE("a damaged body is refused: cut anywhere, one bit changed in data or checksum, followed by rubbish") {
  const std::string text = "what was sent, what was sent, and what was sent again";
  const std::string good = gzip(text);
  std::string out;
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(gunzip(good.substr(0, size), 1000, out) == inflate_result::damaged);
  }
  for (std::size_t at = 10; at < good.size(); ++at) {  // behind the header, most of which means nothing
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    CAPTURE(at);
    // A few bits before the checksum only fill a byte up; whatever passes must be what was sent.
    CHECK((gunzip(bad, 1000, out) == inflate_result::damaged || out == text));
  }
  CHECK(gunzip(good + "rubbish", 1000, out) == inflate_result::damaged);
  CHECK(gunzip("not gzip at all", 1000, out) == inflate_result::damaged);
}
