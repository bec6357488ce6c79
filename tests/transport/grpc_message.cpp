#include <fulgurite/transport/grpc_message.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace fulgurite::detail;
using namespace std::chrono_literals;

TEST_CASE("codes: names, what goes over the wire, and what is none") {
  CHECK(grpc_code_name(grpc_code::ok) == "OK");
  CHECK(grpc_code_name(grpc_code::resource_exhausted) == "RESOURCE_EXHAUSTED");
  CHECK(grpc_code_name(grpc_code::unauthenticated) == "UNAUTHENTICATED");
  CHECK(parse_grpc_code("0") == grpc_code::ok);
  CHECK(parse_grpc_code("8") == grpc_code::resource_exhausted);
  CHECK(parse_grpc_code("16") == grpc_code::unauthenticated);
  for (const char* none : {"", "17", "99", "-1", "a", "1a", "000", " 1", "4294967296"})
    CHECK(parse_grpc_code(none) == grpc_code::unknown);
}

TEST_CASE("HTTP's status and HTTP/2's resets") {
  CHECK(grpc_code_of_http(400) == grpc_code::internal);
  CHECK(grpc_code_of_http(401) == grpc_code::unauthenticated);
  CHECK(grpc_code_of_http(403) == grpc_code::permission_denied);
  CHECK(grpc_code_of_http(404) == grpc_code::unimplemented);
  for (const int status : {429, 502, 503, 504}) CHECK(grpc_code_of_http(status) == grpc_code::unavailable);
  for (const int status : {0, 200, 302, 500, 999}) CHECK(grpc_code_of_http(status) == grpc_code::unknown);
  CHECK(grpc_code_of_reset(7) == grpc_code::unavailable);
  CHECK(grpc_code_of_reset(8) == grpc_code::cancelled);
  CHECK(grpc_code_of_reset(11) == grpc_code::resource_exhausted);
  CHECK(grpc_code_of_reset(12) == grpc_code::permission_denied);
  for (const std::uint32_t error : {0U, 1U, 2U, 6U, 13U, 4294967295U})
    CHECK(grpc_code_of_reset(error) == grpc_code::internal);
}

TEST_CASE("the prefix of a message") {
  using fulgurite::detail::grpc_prefix;
  CHECK(grpc_prefix(0, false) == std::array<std::byte, 5>{});
  CHECK(grpc_prefix(0x01020304, true) ==
        std::array{std::byte{1}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}});
  CHECK(grpc_prefix(0xffffffff, false)[1] == std::byte{0xff});
}

TEST_CASE("grpc-timeout has eight digits at the most and is never longer than what is left") {
  CHECK(grpc_timeout(1ns) == "1n");
  CHECK(grpc_timeout(-5s) == "1n");
  CHECK(grpc_timeout(99'999'999ns) == "99999999n");
  CHECK(grpc_timeout(100'000'000ns) == "100000u");
  CHECK(grpc_timeout(10s) == "10000000u");
  CHECK(grpc_timeout(100s) == "100000m");
  CHECK(grpc_timeout(24h * 365) == "31536000S");
  CHECK(grpc_timeout(std::chrono::nanoseconds::max()) == "2562047H");
}

TEST_CASE("metadata") {
  CHECK(is_valid_metadata("x-api_key.1", " ~"));
  CHECK(is_valid_metadata("X-Key", ""));
  CHECK(is_valid_metadata("key-bin", std::string("\0\xff\n", 3)));
  for (const char* name : {"", "a b", "a:b", ":path", "\xc3\xbc", "a\n"}) CHECK(!is_valid_metadata(name, "x"));
  for (const char* value : {"\n", "\r\nb: c", "\t", "\x7f", "\xc3\xbc"}) CHECK(!is_valid_metadata("a", value));
  for (const char* name : {"grpc-timeout", "GRPC-Anything", "te", "TE", "Content-Type", "content-length", "expect"})
    CHECK(is_reserved_metadata(name));
  for (const char* name : {"authorization", "user-agent", "tea", "x-grpc-y", "grpc"})
    CHECK(!is_reserved_metadata(name));
  CHECK(encoded_metadata("X-Key", "A b") == std::pair<std::string, std::string>("x-key", "A b"));
  CHECK(encoded_metadata("Key-Bin", "\xff\xef") == std::pair<std::string, std::string>("key-bin", "/+8="));
}
