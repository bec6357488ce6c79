// Fuzz target: the date at which credentials expire. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/text/utc_time.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace d = fulgurite::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto seconds = d::parse_utc({reinterpret_cast<const char*>(data), size});
  if (!seconds) return 0;
  std::string date = d::to_basic_utc(*seconds);
  for (const std::size_t at : {4U, 7U}) date.insert(at, "-");
  for (const std::size_t at : {13U, 16U}) date.insert(at, ":");
  // An offset may lead out of the years that can be written.
  constexpr std::int64_t first = -62'167'219'200, last = 253'402'300'799;
  if (*seconds < first - 86'400 || *seconds > last + 86'400) std::abort();
  if (*seconds >= first && *seconds <= last && d::parse_utc(date) != seconds) std::abort();
  return 0;
}
