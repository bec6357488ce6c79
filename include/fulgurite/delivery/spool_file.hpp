// A batch as it lies in the spool: a request's body as it goes over the wire, behind a header with its checksum.
//
//     offset 0   8 bytes  "fgspool\n"
//            8   u32      version, 1
//           12   u32      CRC-32 of everything from offset 16 to the end
//           16   u64      size of the body
//           24   u64      when it was written, nanoseconds since the Unix epoch
//           32   u32      spans in it
//           36   u16      size of the content type
//           38   u16      size of the content encoding
//           40            content type, content encoding, body
//
// Integers are little-endian. No header of the request is kept, so that no credential ever lies on a disk. What is read
// may be anything: `parse_spool_file` is a parser of hostile input.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A request without address and headers. Borrowed.
struct spooled_request {
  std::span<const std::byte> body = {};
  std::string_view content_type = {}, content_encoding = {};
  std::uint32_t spans = 0;
};

inline constexpr std::string_view spool_magic = "fgspool\n";
inline constexpr std::uint32_t spool_version = 1;
inline constexpr std::size_t spool_header_size = 40;
/// Of a whole file: more than any exporter makes of one request, and what is read into memory at the most.
inline constexpr std::size_t spool_largest_file = std::size_t{80} << 20;
/// Of a content type or encoding.
inline constexpr std::size_t spool_longest_text = 128;

inline std::uint32_t spool_checksum(std::uint32_t before, std::span<const std::byte> more) noexcept {
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(more.data()), more.size()));
}

template <class T>
void put_little_endian(std::string& to, T number) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to += static_cast<char>(number >> (8 * i) & 0xff);
}

template <class T>
T little_endian(std::byte const* from) noexcept {
  T number = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) number = static_cast<T>(number | static_cast<T>(from[i]) << (8 * i));
  return number;
}

/// Everything before the body. Content type and encoding must not be longer than `spool_longest_text`.
inline std::string spool_head(spooled_request const& request, std::uint64_t time) {
  std::string checked;
  put_little_endian<std::uint64_t>(checked, request.body.size());
  put_little_endian(checked, time);
  put_little_endian(checked, request.spans);
  put_little_endian(checked, static_cast<std::uint16_t>(request.content_type.size()));
  put_little_endian(checked, static_cast<std::uint16_t>(request.content_encoding.size()));
  checked.append(request.content_type).append(request.content_encoding);
  std::string head(spool_magic);
  put_little_endian(head, spool_version);
  put_little_endian(head, spool_checksum(spool_checksum(0, std::as_bytes(std::span(checked))), request.body));
  return head + checked;
}

/// Reads a file into a request that borrows from it; the answer says in words what is wrong, empty: nothing.
inline std::string_view parse_spool_file(std::span<const std::byte> file, spooled_request& out) noexcept {
  out = {};
  if (file.empty()) return "it is empty";
  if (file.size() < spool_magic.size() || std::memcmp(file.data(), spool_magic.data(), spool_magic.size()) != 0)
    return "it is no file of a spool";
  if (file.size() < spool_header_size) return "it is cut off";
  if (little_endian<std::uint32_t>(file.data() + 8) != spool_version) return "its version is not known";
  const auto body = little_endian<std::uint64_t>(file.data() + 16);
  const auto type = little_endian<std::uint16_t>(file.data() + 36);
  const auto encoding = little_endian<std::uint16_t>(file.data() + 38);
  const std::size_t rest = file.size() - spool_header_size;
  if (body > rest || std::size_t{type} + encoding > rest - static_cast<std::size_t>(body)) return "it is cut off";
  if (std::size_t{type} + encoding + body != rest) return "there is more in it than it says";
  if (spool_checksum(0, file.subspan(16)) != little_endian<std::uint32_t>(file.data() + 12))
    return "its checksum is wrong";
  const auto* const text = reinterpret_cast<const char*>(file.data()) + spool_header_size;
  const std::string_view content_type(text, type), content_encoding(text + type, encoding);
  // They become headers: a right checksum is no proof of who wrote them.
  for (const std::string_view each : {content_type, content_encoding}) {
    if (each.size() > spool_longest_text) return "its content type or encoding is too long";
    for (const char c : each)
      if (c < ' ' || c > '~') return "its content type or encoding is not text";
  }
  out = {file.subspan(spool_header_size + type + encoding), content_type, content_encoding,
         little_endian<std::uint32_t>(file.data() + 32)};
  return {};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
