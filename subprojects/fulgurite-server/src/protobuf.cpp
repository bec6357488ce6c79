#include "protobuf.hpp"

#include <fmt/format.h>

namespace fulgurite_server {

malformed::malformed(std::size_t offset, std::string_view sentence)
    : std::runtime_error(fmt::format("byte {}: {}", offset, sentence)) {}

std::uint64_t wire_reader::varint(const char* what) {
  const char* const start = next_;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (next_ == end_) fail(start, fmt::format("the message ends inside {}", what));
    const auto byte = static_cast<unsigned char>(*next_++);
    // The tenth byte has room for one bit; like other readers we let further bits fall.
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return value;
  }
  fail(start, fmt::format("{} is longer than ten bytes", what));
}

std::uint64_t wire_reader::fixed(std::size_t width) {
  if (static_cast<std::size_t>(end_ - next_) < width)
    fail(next_, fmt::format("the message ends inside a number of {} bytes", width));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(next_[i])) << (8 * i);
  next_ += width;
  return value;
}

bool wire_reader::read_any(wire_field& field) {
  if (next_ == end_) return false;
  field = {};
  field.at = next_;
  const std::uint64_t tag = varint("a field's tag");
  if (tag > 0xffff'ffffU || tag >> 3 == 0) fail(field.at, "a field has an impossible number");
  field.number = static_cast<std::uint32_t>(tag >> 3);
  if ((tag & 7) > 5) fail(field.at, fmt::format("field {} has the unknown wire type {}", field.number, tag & 7));
  field.type = static_cast<wire_type>(tag & 7);
  switch (field.type) {
    case wire_type::varint:
      field.value = varint("a number");
      break;
    case wire_type::fixed64:
      field.value = fixed(8);
      break;
    case wire_type::fixed32:
      field.value = fixed(4);
      break;
    case wire_type::bytes: {
      const std::uint64_t length = varint("a length");
      const auto left = static_cast<std::uint64_t>(end_ - next_);
      if (length > left)
        fail(field.at, fmt::format("field {} is said to have {} bytes, {} are left", field.number, length, left));
      field.payload = std::string_view(next_, static_cast<std::size_t>(length));
      next_ += length;
      break;
    }
    case wire_type::group:
    case wire_type::group_end:
      break;
  }
  return true;
}

bool wire_reader::read(wire_field& field) {
  while (read_any(field)) {
    if (field.type == wire_type::group_end) fail(field.at, fmt::format("group {} ends but never began", field.number));
    if (field.type != wire_type::group) return true;
    // No message of OTLP has a group, so this one is of some unknown field. Counted, not recursed: depth costs nothing.
    const wire_field group = field;
    for (std::size_t depth = 1; depth > 0;) {
      if (!read_any(field)) fail(group.at, fmt::format("the message ends inside group {}", group.number));
      if (field.type == wire_type::group) ++depth;
      if (field.type == wire_type::group_end) --depth;
    }
  }
  return false;
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void put_bytes(std::string& out, std::uint32_t number, std::string_view payload) {
  put_varint(out, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(wire_type::bytes));
  put_varint(out, payload.size());
  out += payload;
}

}  // namespace fulgurite_server
