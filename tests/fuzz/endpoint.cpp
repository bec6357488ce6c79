// Fuzz target: addresses and headers from a configuration. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/transport/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fulgurite::detail::http_endpoint made;
  if (!fulgurite::detail::parse_endpoint({reinterpret_cast<const char*>(data), size}, made).empty()) return 0;
  // What was accepted is whole, and means the same when it is written and read again.
  if (made.host.empty() || made.port == 0 || made.path.empty() || made.path.front() != '/') std::abort();
  for (const char c : made.path)
    if (c <= ' ' || c >= 0x7f) std::abort();
  fulgurite::detail::http_endpoint again;
  const std::string text = made.to_text();
  if (!fulgurite::detail::parse_endpoint(text, again).empty() || again.host != made.host || again.port != made.port ||
      again.tls != made.tls)
    std::abort();
  return 0;
}
