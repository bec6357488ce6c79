// gzip (zlib): of a request's body, in memory that is kept from one to the next, for a deflate state alone is 256 KiB;
// and of an answer's, which may be a bomb.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class gzip_compressor {
 public:
  /// Replaces `out` by the compressed form; false when memory does not suffice.
  bool compress(std::span<const std::byte> from, std::string& out) {
    if (!stream_) {
      std::unique_ptr<z_stream> fresh(new z_stream{});
      // The fastest level: what is sent is repetitive, and a tracer's processor time is its user's. 15 + 16: gzip.
      if (deflateInit2(fresh.get(), 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
      stream_.reset(fresh.release());
    } else if (deflateReset(stream_.get()) != Z_OK)
      return false;
    out.resize(deflateBound(stream_.get(), static_cast<uLong>(from.size())));
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
    stream_->avail_in = static_cast<uInt>(from.size());
    stream_->next_out = reinterpret_cast<Bytef*>(out.data());
    stream_->avail_out = static_cast<uInt>(out.size());
    if (deflate(stream_.get(), Z_FINISH) != Z_STREAM_END) return false;
    out.resize(stream_->total_out);
    return true;
  }

 private:
  struct end {
    void operator()(z_stream* stream) const noexcept {
      deflateEnd(stream);
      delete stream;
    }
  };
  std::unique_ptr<z_stream, end> stream_;
};

enum class gunzip_result { whole, malformed, too_large };

/// Replaces `out` by what was compressed, of which no more than `limit` bytes are ever held. Throws `std::bad_alloc`.
inline gunzip_result gunzip(std::string_view packed, std::size_t limit, std::string& out) {
  out.clear();
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  struct end {
    z_stream& of;
    ~end() { inflateEnd(&of); }
  } const ended{stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  char piece[16 * 1024];
  for (int code = Z_OK; code != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    code = inflate(&stream, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    // Z_BUF_ERROR: all is read and the end has not come.
    if (code != Z_OK && code != Z_STREAM_END) return gunzip_result::malformed;
    const std::size_t made = sizeof piece - stream.avail_out;
    if (made > limit - out.size()) return gunzip_result::too_large;
    out.append(piece, made);
  }
  return stream.avail_in == 0 ? gunzip_result::whole : gunzip_result::malformed;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
