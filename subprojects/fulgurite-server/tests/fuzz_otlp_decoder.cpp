// A libFuzzer target: whatever comes from the network is read or refused, and what is read can be shown and stored.
//
//     ninja fuzz_otlp_decoder && ./fuzz_otlp_decoder -max_total_time=60      (clang)
#include "inflate.hpp"
#include "otlp_decoder.hpp"
#include "traces_data.hpp"

#include <fulgurite/encoder/text_tree.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fulgurite_server;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::string unpacked;
  gunzip(bytes, 1 << 20, unpacked);
  received_request request;
  try {
    request = read_request(bytes);
  } catch (malformed const&) {
    return 0;
  }
  const auto spans = decode_spans(bytes);
  if (spans.size() != request.spans.size()) std::abort();
  if (!spans.empty()) fulgurite::to_text_tree(spans, {.colours = true});
  to_json(bytes);
  stored_trace trace{request.resources, request.scopes, {}};
  for (received_span const& span : request.spans) {
    trace.spans.push_back({span.resource, span.scope, std::string(span.body)});
    if (const auto& resource = request.resources[span.resource].body) service_name(*resource);
  }
  if (decode_spans(to_protobuf(trace)).size() != spans.size()) std::abort();
  return 0;
}
