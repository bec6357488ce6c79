// Fuzz target: traceparent, tracestate and baggage, separated by new lines. What is read is written, and read again the
// same.
#include <fulgurite/propagator/w3c.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fg = fulgurite;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t first = text.find('\n'), second = first == text.npos ? text.npos : text.find('\n', first + 1);
  std::map<std::string, std::string> incoming{{"traceparent", std::string(text.substr(0, first))}};
  if (first != text.npos) incoming.emplace("tracestate", text.substr(first + 1, second - first - 1));
  if (second != text.npos) incoming.emplace("baggage", text.substr(second + 1));

  const auto extract = [](std::map<std::string, std::string> const& from) {
    return fg::w3c_propagator().extract([&](std::string_view key) -> std::optional<std::string_view> {
      const auto found = from.find(std::string(key));
      return found == from.end() ? std::nullopt : std::optional<std::string_view>(found->second);
    });
  };
  const auto inject = [](fg::context const& context) {
    std::map<std::string, std::string> out;
    fg::w3c_propagator().inject(
        context, [&](std::string_view key, std::string_view value) { out[std::string(key)] = std::string(value); });
    return out;
  };
  const fg::context read = extract(incoming);
  const auto written = inject(read);
  for (auto const& [key, value] : written)
    for (const char c : value)
      if (const auto octet = static_cast<unsigned char>(c); (octet < 0x20 && c != '\t') || octet >= 0x7f)
        std::abort();  // no header (RFC 9110, 5.5)
  if (read.span().is_valid() != written.contains("traceparent")) std::abort();
  const fg::context again = extract(written);
  if (read.span().trace_id() != again.span().trace_id() || read.span().span_id() != again.span().span_id() ||
      read.span().sampled() != again.span().sampled() ||
      read.span().trace_state().to_header() != again.span().trace_state().to_header())
    std::abort();
  if (inject(again) != written) std::abort();
  return 0;
}
