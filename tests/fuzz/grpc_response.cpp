// Fuzz target: the answer to a gRPC call, its trailers and their details. The input's first byte says how it is cut
// into header lines and data. Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/exporter/grpc_status.hpp>
#include <fulgurite/transport/grpc_response.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace d = fulgurite::detail;

namespace {
void check(d::grpc_answer const& answer) {
  if (answer.body.size() > d::max_grpc_answer || !d::is_utf8(answer.message)) std::abort();
  if (static_cast<unsigned>(answer.code) > 16) std::abort();
  const d::attempt last = d::judge(answer, "there");
  if (last.retry_after &&
      (*last.retry_after <= std::chrono::nanoseconds(0) || *last.retry_after >= std::chrono::seconds(1'000'000'001)))
    std::abort();
  if (last.reason.size() > 1500 || !d::is_utf8(last.reason)) std::abort();
  for (const char c : last.reason)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) std::abort();
  if (last.result == d::attempt::outcome::delivered && answer.code != d::grpc_code::ok) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const auto how = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);

  // Lines up to an empty one are headers, then data up to a line of two dots, then trailers; or the input is a message,
  // or details.
  d::grpc_response response;
  if ((how & 1) != 0) {
    response.header("HTTP/2 200 \r\n");
    response.header("content-type: application/grpc\r\n");
    response.header((how & 2) != 0 ? "grpc-encoding: gzip\r\n" : "x: y\r\n");
    response.header("\r\n");
    for (std::size_t at = 0; at < input.size(); at += 7)
      if (!response.data(input.substr(at, 7))) break;
    response.header("grpc-status: 0\r\n");
  } else {
    bool in_data = false;
    while (!input.empty()) {
      const std::size_t end = input.find('\n');
      const std::string_view line = input.substr(0, end == std::string_view::npos ? end : end + 1);
      input.remove_prefix(line.size());
      if (line == "..\n")
        in_data = false;
      else if (!(in_data ? response.data(line) : response.header(line)))
        break;
      else if (line == "\n")
        in_data = true;
    }
  }
  check(response.finish((how & 4) != 0));

  d::grpc_answer details;
  details.code = d::grpc_code::resource_exhausted;
  details.details.assign(reinterpret_cast<const char*>(data), size);
  check(details);
  return 0;
}
