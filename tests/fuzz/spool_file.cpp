// Fuzz target: a file of the spool. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/delivery/spool_file.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace d = fulgurite::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string file(reinterpret_cast<const char*>(data), size);
  // Half of them get what chance would never find: the magic, the version, sizes that add up, and a right checksum.
  if (size >= d::spool_header_size && data[15] % 2 == 0) {
    file.replace(0, 8, d::spool_magic);
    file.replace(8, 4, std::string("\x01\0\0\0", 4));
    const auto bytes = std::as_bytes(std::span(file));
    const std::size_t texts = std::size_t{d::little_endian<std::uint16_t>(bytes.data() + 36)} +
                              d::little_endian<std::uint16_t>(bytes.data() + 38);
    std::string body;
    d::put_little_endian<std::uint64_t>(body, size - d::spool_header_size - texts);
    if (data[14] % 2 == 0) file.replace(16, 8, body);
    std::string sum;
    d::put_little_endian(sum, d::spool_checksum(0, std::as_bytes(std::span(file)).subspan(16)));
    file.replace(12, 4, sum);
  }
  d::spooled_request request;
  if (!d::parse_spool_file(std::as_bytes(std::span(file)), request).empty()) {
    if (!request.body.empty() || !request.content_type.empty()) std::abort();
    return 0;
  }
  // What was accepted is written again as it was.
  for (const char c : std::string(request.content_type) + std::string(request.content_encoding))
    if (c < ' ' || c > '~') std::abort();
  const auto time = d::little_endian<std::uint64_t>(std::as_bytes(std::span(file)).data() + 24);
  const std::string again = d::spool_head(request, time) +
                            std::string(reinterpret_cast<const char*>(request.body.data()), request.body.size());
  if (again != file) std::abort();
  return 0;
}
