// Fuzz target: what an OTLP backend answers. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/exporter/otlp_response.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  namespace d = fulgurite::detail;
  const d::otlp_response response = d::parse_otlp_response(body);
  for (std::string const& said : {response.message, d::parse_error_body(body, "application/x-protobuf"),
                                  d::parse_error_body(body, "text/plain")}) {
    if (!d::is_utf8(said) || said.size() > 1000) std::abort();
    for (const char c : said)
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) std::abort();
  }
  return 0;
}
