#include <fulgurite/record/packed_record.hpp>
#include <fulgurite/record/record_view.hpp>

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace fg = fulgurite;
namespace detail = fulgurite::detail;

TEST_CASE("the header's last word is made of its parts") {
  detail::record_header header{};
  const std::uint64_t bits = detail::with_name_size(detail::header_bits(0xa5, 0x5a), 0x1234);
  std::memcpy(&header.name_size, &bits, sizeof bits);
  CHECK(header.name_size == 0x1234);
  CHECK(header.flags == 0xa5);
  CHECK(header.marks == 0x5a);
  CHECK(header.kind == fg::span_kind::internal);
  CHECK(header.status == fg::status_code::unset);
  CHECK(header.pieces == 0);
}

TEST_CASE("everything is padded to eight bytes") {
  CHECK(detail::padded(0) == 0);
  CHECK(detail::padded(1) == 8);
  CHECK(detail::padded(8) == 8);
  CHECK(detail::name_room(true, 1000) == 8);
  CHECK(detail::name_room(false, 9) == 16);
}

TEST_CASE("an item's head is read as it was written") {
  alignas(8) std::byte memory[64]{};
  for (const bool literal : {true, false}) {
    const std::string_view name = "a name of 21 octets..";
    const std::size_t size = sizeof(detail::item_header) + detail::name_room(literal, name.size()) + 8;
    std::byte* body = detail::write_item_head(memory, detail::item_kind::description, fg::value_type::map, literal,
                                              name, size, fg::status_code::error);
    CHECK(detail::write_packed(body, std::uint64_t{42}) == memory + size);
    const detail::item_view item(memory);
    CHECK(item.kind() == detail::item_kind::description);
    CHECK(item.type() == fg::value_type::map);
    CHECK(item.status() == fg::status_code::error);
    CHECK(item.name() == name);
    CHECK((item.name().data() == name.data()) == literal);
    CHECK(item.body() == body);
    CHECK(item.end() == memory + size);
    CHECK(detail::read_packed<std::uint64_t>(item.body()) == 42);
  }
}

TEST_CASE("the longest name fits an item's head") {
  const std::string name(detail::max_name_size, 'x');
  std::string memory(sizeof(detail::item_header) + detail::padded(name.size()), '\0');
  auto* out = reinterpret_cast<std::byte*>(memory.data());
  detail::write_item_head(out, detail::item_kind::name, fg::value_type::null, false, name, memory.size());
  CHECK(detail::item_view(out).name() == name);
}
