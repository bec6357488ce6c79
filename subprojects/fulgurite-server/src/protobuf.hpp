// The protobuf wire format, as much of it as OTLP needs: a cursor over the fields of a message, and a writer.
//
// Written for bytes that a stranger sent: every read is checked, and what is wrong is said with the byte it stands at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fulgurite_server {

/// The input is not what it should be; `what()` is one sentence with the byte offset.
struct malformed : std::runtime_error {
  malformed(std::size_t offset, std::string_view sentence);
};

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, group = 3, group_end = 4, fixed32 = 5 };

struct wire_field {
  std::uint32_t number = 0;
  wire_type type = wire_type::varint;
  /// Of a varint, fixed64 or fixed32.
  std::uint64_t value = 0;
  /// Of a length-delimited field.
  std::string_view payload = {};
  /// Where its tag begins.
  const char* at = nullptr;
};

/// Goes over the fields of one message, unknown ones included; whole groups are skipped.
class wire_reader {
 public:
  /// `origin` is the first byte of the whole input, from which offsets are counted.
  wire_reader(std::string_view message, const char* origin) noexcept
      : next_(message.data()), end_(message.data() + message.size()), origin_(origin) {}

  /// The next field; false at the end. Throws `malformed`.
  bool read(wire_field& field);

  const char* origin() const noexcept { return origin_; }
  std::size_t offset(const char* at) const noexcept { return static_cast<std::size_t>(at - origin_); }

 private:
  std::uint64_t varint(const char* what);
  std::uint64_t fixed(std::size_t width);
  bool read_any(wire_field& field);
  [[noreturn]] void fail(const char* at, std::string_view sentence) const { throw malformed(offset(at), sentence); }

  const char* next_;
  const char* end_;
  const char* origin_;
};

void put_varint(std::string& out, std::uint64_t value);
/// A length-delimited field.
void put_bytes(std::string& out, std::uint32_t number, std::string_view payload);

}  // namespace fulgurite_server
