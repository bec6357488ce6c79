// Fuzz target: a backend's Retry-After. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/delivery/retry.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::int64_t now : {std::int64_t{0}, std::int64_t{1'800'000'000}}) {
    const auto pause = fulgurite::detail::parse_retry_after(text, now);
    if (pause && (*pause < std::chrono::nanoseconds(0) || *pause > std::chrono::seconds(1'000'000'000))) std::abort();
  }
  return 0;
}
