#include "inflate.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace fulgurite_server {

inflate_result gunzip(std::string_view packed, std::size_t limit, std::string& out) {
  out.clear();
  z_stream stream = {};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return inflate_result::damaged;
  struct closer {
    z_stream* stream;
    ~closer() { inflateEnd(stream); }
  } close{&stream};

  constexpr std::size_t most_at_once = std::numeric_limits<uInt>::max() / 2;
  char buffer[64 * 1024];
  std::size_t read = 0;
  while (true) {
    if (stream.avail_in == 0) {
      const std::size_t now = std::min(packed.size() - read, most_at_once);
      // zlib does not write here.
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + read));
      stream.avail_in = static_cast<uInt>(now);
      read += now;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    const int code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END) return inflate_result::damaged;
    const std::size_t made = sizeof buffer - stream.avail_out;
    if (made > limit - out.size()) return inflate_result::too_large;
    out.append(buffer, made);
    if (code != Z_STREAM_END) continue;
    if (stream.avail_in == 0 && read == packed.size()) return inflate_result::done;
    if (inflateReset(&stream) != Z_OK) return inflate_result::damaged;
  }
}

}  // namespace fulgurite_server
