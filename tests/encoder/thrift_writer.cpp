// Exactness of whole batches is tested against Apache Thrift by tests/integration/jaeger_oracle.py; here the pieces, by
// hand from the specifications thrift-binary-protocol.md and thrift-compact-protocol.md.
#include <fulgurite/encoder/thrift_writer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

using namespace fulgurite::detail;

namespace {

std::string hex(const std::byte* from, const std::byte* end) {
  std::string out;
  for (; from != end; ++from) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(*from) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(*from) & 15];
  }
  return out;
}

template <class Write>
std::string piece(Write&& write) {
  std::byte out[64];
  return hex(out, write(out));
}

/// What a writer's member makes.
template <class Protocol, class Write>
std::string made(Write&& write) {
  growing_bytes memory;
  thrift_writer<Protocol> writer(memory);
  const std::byte* const end = write(writer, memory.room(memory.begin(), 1));
  return hex(memory.begin(), end);
}

}  // namespace

TEST_CASE("numbers of the compact protocol are varints in zigzag") {
  const auto i64 = [](std::int64_t number) {
    return piece([&](std::byte* at) { return thrift_compact::i64(at, number); });
  };
  // The specification's table, and its varint 50399.
  CHECK(i64(0) == "00");
  CHECK(i64(-1) == "01");
  CHECK(i64(1) == "02");
  CHECK(i64(-2) == "03");
  CHECK(i64(2147483647) == "feffffff0f");
  CHECK(i64(-2147483648) == "ffffffff0f");
  CHECK(i64(-25200) == "df8903");
  CHECK(i64(std::numeric_limits<std::int64_t>::min()) == "ffffffffffffffffff01");
  CHECK(i64(std::numeric_limits<std::int64_t>::max()) == "feffffffffffffffff01");
  CHECK(piece([](std::byte* at) { return thrift_compact::i32(at, -2147483647 - 1); }) == "ffffffff0f");
  CHECK(piece([](std::byte* at) { return thrift_compact::real(at, 1.0); }) == "000000000000f03f");
}

TEST_CASE("numbers of the binary protocol are big-endian") {
  CHECK(piece([](std::byte* at) { return thrift_binary::i32(at, -2); }) == "fffffffe");
  CHECK(piece([](std::byte* at) { return thrift_binary::i64(at, 0x0102030405060708); }) == "0102030405060708");
  CHECK(piece([](std::byte* at) { return thrift_binary::real(at, 1.0); }) == "3ff0000000000000");
}

TEST_CASE("fields") {
  const auto compact = [](thrift_type type, int id, int last) {
    return piece([&](std::byte* at) { return thrift_compact::field(at, type, id, last); });
  };
  CHECK(compact(thrift_type::i64, 1, 0) == "16");
  CHECK(compact(thrift_type::structure, 16, 1) == "fc");
  CHECK(compact(thrift_type::structure, 17, 1) == "0c22");  // too far for the short form
  CHECK(compact(thrift_type::text, 1, 2) == "0802");        // backwards
  CHECK(compact(thrift_type::i32, -1, 0) == "0501");
  CHECK(compact(thrift_type::list, 300, 299) == "19");
  const auto binary = [](thrift_type type, int id) {
    return piece([&](std::byte* at) { return thrift_binary::field(at, type, id, 7); });
  };
  CHECK(binary(thrift_type::boolean, 1) == "020001");
  CHECK(binary(thrift_type::real, 2) == "040002");
  CHECK(binary(thrift_type::i32, 3) == "080003");
  CHECK(binary(thrift_type::i64, 4) == "0a0004");
  CHECK(binary(thrift_type::text, 5) == "0b0005");
  CHECK(binary(thrift_type::structure, 300) == "0c012c");
  CHECK(binary(thrift_type::list, -1) == "0fffff");
  // A truth is in the compact field's type.
  CHECK(piece([](std::byte* at) { return thrift_compact::boolean(at, true, 5, 2); }) == "31");
  CHECK(piece([](std::byte* at) { return thrift_compact::boolean(at, false, 5, 2); }) == "32");
  CHECK(piece([](std::byte* at) { return thrift_compact::boolean(at, false, 20, 2); }) == "0228");
  CHECK(piece([](std::byte* at) { return thrift_binary::boolean(at, true, 5, 2); }) == "02000501");
  CHECK(piece([](std::byte* at) { return thrift_binary::boolean(at, false, 5, 2); }) == "02000500");
}

TEST_CASE("messages") {
  const auto message = [](auto protocol, thrift_message type, std::uint32_t sequence) {
    return piece([&](std::byte* at) { return decltype(protocol)::message(at, type, "emitBatch", sequence); });
  };
  CHECK(message(thrift_compact{}, thrift_message::oneway, 0) == "82810009656d69744261746368");
  CHECK(message(thrift_compact{}, thrift_message::call, 300) == "8221ac0209656d69744261746368");
  CHECK(message(thrift_binary{}, thrift_message::oneway, 1) == "8001000400000009656d6974426174636800000001");
  CHECK(message(thrift_binary{}, thrift_message::call, 0) == "8001000100000009656d6974426174636800000000");
}

TEST_CASE("texts are UTF-8, octets are what they are") {
  const std::string_view bad("a\xff", 2);
  CHECK(made<thrift_compact>([&](auto& w, std::byte* at) { return w.text(at, 1, 0, "gr\xc3\xbcn"); }) ==
        "18056772c3bc6e");
  CHECK(made<thrift_compact>([&](auto& w, std::byte* at) { return w.text(at, 1, 0, bad); }) == "180461efbfbd");
  CHECK(made<thrift_compact>([&](auto& w, std::byte* at) { return w.binary(at, 1, 0, bad); }) == "180261ff");
  CHECK(made<thrift_binary>([&](auto& w, std::byte* at) { return w.text(at, 1, 0, bad); }) == "0b00010000000461efbfbd");
  CHECK(made<thrift_binary>([&](auto& w, std::byte* at) { return w.binary(at, 1, 0, bad); }) == "0b00010000000261ff");
  CHECK(made<thrift_compact>([&](auto& w, std::byte* at) { return w.text(at, 1, 0, {}); }) == "1800");
  const std::string_view longer = "0123456789abcdef\xff";  // not the short texts' way
  CHECK(made<thrift_compact>([&](auto& w, std::byte* at) { return w.text(at, 1, 0, longer); }) ==
        "181330313233343536373839616263646566efbfbd");
}

TEST_CASE_TEMPLATE("a list knows its count at its end, whatever its length", Protocol, thrift_binary, thrift_compact) {
  for (const std::size_t size : {0U, 1U, 14U, 15U, 127U, 128U, 300U, 16383U, 16384U, 70000U}) {
    growing_bytes memory;
    thrift_writer<Protocol> writer(memory);
    int last = 3;
    std::byte* at = writer.i64(memory.room(memory.begin(), 1), 3, 0, 1);
    const std::string before = hex(memory.begin(), at);
    at = writer.list(at, 9, last, thrift_type::i32, [&](std::byte* out, std::size_t& count) {
      for (std::size_t i = 0; i < size; ++i) {
        out = memory.room(out, 1);
        *out++ = static_cast<std::byte>(i % 251);
        ++count;
      }
      return out;
    });
    CHECK(last == (size == 0 ? 3 : 9));
    std::string expected = before;
    if (size > 0) {
      expected += piece([&](std::byte* out) { return Protocol::field(out, thrift_type::list, 9, 3); });
      expected += piece([&](std::byte* out) { return Protocol::list(out, thrift_type::i32, size); });
      for (std::size_t i = 0; i < size; ++i) {
        const std::byte octet = static_cast<std::byte>(i % 251);
        expected += hex(&octet, &octet + 1);
      }
    }
    CHECK(hex(memory.begin(), at) == expected);
    CHECK(Protocol::list_size(size) <= Protocol::max_list);
    CHECK(piece([&](std::byte* out) { return Protocol::list(out, thrift_type::i32, size); }).size() ==
          2 * Protocol::list_size(size));
  }
}

TEST_CASE("heads of lists") {
  const auto head = [](auto protocol, std::size_t count) {
    return piece([&](std::byte* at) { return decltype(protocol)::list(at, thrift_type::structure, count); });
  };
  CHECK(head(thrift_compact{}, 0) == "0c");
  CHECK(head(thrift_compact{}, 14) == "ec");
  CHECK(head(thrift_compact{}, 15) == "fc0f");
  CHECK(head(thrift_compact{}, 300) == "fcac02");
  CHECK(head(thrift_binary{}, 300) == "0c0000012c");
  // One that is required is there when it is empty, too.
  const auto empty = [](auto& writer, std::byte* at) {
    int last = 1;
    return writer.list(at, 2, last, thrift_type::structure, [](std::byte* out, std::size_t&) { return out; }, true);
  };
  CHECK(made<thrift_compact>(empty) == "190c");
  CHECK(made<thrift_binary>(empty) == "0f00020c00000000");
}
