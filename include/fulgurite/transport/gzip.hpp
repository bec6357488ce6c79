// gzip of a request's body (zlib), in memory that is kept from one to the next: a deflate state alone is 256 KiB.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

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

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
