#include <fulgurite/encoder/json_bytes.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace fulgurite::detail;

namespace {

std::string text(growing_bytes const& memory, const std::byte* end) {
  return {reinterpret_cast<const char*>(memory.begin()), static_cast<std::size_t>(end - memory.begin())};
}
std::string written(std::string_view given) {
  growing_bytes memory;
  const std::byte* const end = write_json_string(memory, memory.room(memory.begin(), 1), given);
  CHECK(memory.capacity() - static_cast<std::size_t>(end - memory.begin()) >= json_bytes_slack);
  return text(memory, end);
}
std::string appended(std::string_view given) {
  std::string out;
  append_json_string(out, given);
  return out;
}

}  // namespace

TEST_CASE("every byte, at every place of a text, is written as it is appended") {
  for (std::size_t size = 1; size <= 26; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int byte = 0; byte < 256; ++byte) {
        std::string given(size, 'a');
        given[at] = static_cast<char>(byte);
        if (written(given) != appended(given)) {
          CAPTURE(size);
          CAPTURE(at);
          CAPTURE(byte);
          FAIL("a byte is told wrong");
        }
      }
  CHECK(written("") == "\"\"");
}

TEST_CASE("a text that is nothing but escapes") {
  const std::string given(10000, '\x01');
  std::string expected = "\"";
  for (int i = 0; i < 10000; ++i) expected += "\\u0001";
  CHECK(written(given) == expected + '"');
  CHECK(written("\xf0\x9f\x98\x80 \xc3\xbc") == "\"\xf0\x9f\x98\x80 \xc3\xbc\"");
}

TEST_CASE("octets, numbers, ids") {
  growing_bytes memory;
  const std::byte* end = write_json_octets(memory, memory.room(memory.begin(), 1), "foob");
  CHECK(text(memory, end) == "\"Zm9vYg==\"");
  end = write_json_number(memory.begin(), std::numeric_limits<std::int64_t>::min());
  CHECK(text(memory, end) == "-9223372036854775808");
  end = write_json_real(memory.begin(), std::numeric_limits<double>::denorm_min());
  CHECK(text(memory, end) == "5e-324");
  end = write_json_real(memory.begin(), -std::numeric_limits<double>::max());
  CHECK(text(memory, end).size() <= max_number_text);
  end = write_json_id(memory.begin(), fulgurite::trace_id::from_numbers(1, 0xabc));
  CHECK(text(memory, end) == "00000000000000010000000000000abc");
  end = write_json_id(memory.begin(), fulgurite::span_id::from_number(7));
  CHECK(text(memory, end) == "0000000000000007");
}
