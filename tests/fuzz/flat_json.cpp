// Fuzz target: what a credentials endpoint or a token route answers. Build with clang and
// -fsanitize=fuzzer,address,undefined.
#include <fulgurite/text/flat_json.hpp>
#include <fulgurite/text/json_text.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace d = fulgurite::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = d::read_flat_json(text);
  if (!read) return 0;
  // What was read is written by our own writer, and read again as the same but for what is no UTF-8.
  std::string again = "{";
  d::text_members expected;
  for (auto const& [name, value] : *read) {
    if (again.size() > 1) again += ',';
    d::append_json_string(again, name);
    again += ':';
    d::append_json_string(again, value);
    expected.emplace_back(d::to_utf8(name), d::to_utf8(value));
  }
  again += '}';
  if (d::read_flat_json(again) != expected) std::abort();
  // No part of it is an object by itself, unless only white space is missing.
  if (text.back() == '}' && d::read_flat_json(text.substr(0, size - 1))) std::abort();
  return 0;
}
