#include <fulgurite/delivery/spool_file.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace fulgurite::detail;

namespace {
std::span<const std::byte> bytes_of(std::string const& text) { return std::as_bytes(std::span(text)); }
std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string made(std::string const& body, std::string_view type = "application/x-protobuf",
                 std::string_view encoding = "gzip") {
  return spool_head({bytes_of(body), type, encoding, 7}, 1) + body;
}
/// With a checksum that is right.
std::string signed_again(std::string file) {
  const std::uint32_t sum = spool_checksum(0, bytes_of(file).subspan(16));
  std::string text;
  put_little_endian(text, sum);
  return file.replace(12, 4, text);
}
}  // namespace

TEST_CASE("what was written is read") {
  for (std::string const& body : {std::string(), std::string("body"), std::string(100'000, '\0')})
    for (const std::string_view encoding : {"", "gzip"}) {
      const std::string file = made(body, "application/x-protobuf", encoding);
      spooled_request request;
      CHECK(parse_spool_file(bytes_of(file), request) == "");
      CHECK(text_of(request.body) == body);
      CHECK(request.content_type == "application/x-protobuf");
      CHECK(request.content_encoding == encoding);
      CHECK(request.spans == 7);
    }
}

TEST_CASE("the form is fixed: these octets were put together by hand, the checksum by Python's zlib.crc32") {
  const std::string file = made("BODY", "t", "");
  const std::string expected(
      "fgspool\n"
      "\x01\0\0\0"
      "\x67\x49\xc3\x69"
      "\x04\0\0\0\0\0\0\0"
      "\x01\0\0\0\0\0\0\0"
      "\x07\0\0\0"
      "\x01\0"
      "\0\0"
      "t"
      "BODY",
      45);
  CHECK(file == expected);
}

TEST_CASE("every flipped bit, every cut and everything appended is found") {
  const std::string file = made("the body of a request");
  spooled_request request;
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::string bad = file;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    CAPTURE(bit);
    CHECK(parse_spool_file(bytes_of(bad), request) != "");
    CHECK(request.body.empty());
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    CHECK(parse_spool_file(bytes_of(file.substr(0, size)), request) != "");
  CHECK(parse_spool_file(bytes_of(file + '\0'), request) == "there is more in it than it says");
}

TEST_CASE("what is wrong is said") {
  spooled_request request;
  const std::string file = made("body");
  const auto said = [&](std::string const& bad) { return parse_spool_file(bytes_of(bad), request); };
  CHECK(said("") == "it is empty");
  CHECK(said("#!/bin/sh\nexit 0 # somebody else's file, long enough") == "it is no file of a spool");
  CHECK(said(file.substr(0, 20)) == "it is cut off");
  CHECK(said(std::string(file).replace(8, 1, "\x02")) == "its version is not known");
  CHECK(said(std::string(file).replace(file.size() - 1, 1, "?")) == "its checksum is wrong");
  // Sizes that add up to more than there are bits for.
  CHECK(said(signed_again(std::string(file).replace(16, 8, 8, '\xff'))) == "it is cut off");
  CHECK(said(signed_again(std::string(file).replace(36, 2, 2, '\xff'))) == "it is cut off");
}

TEST_CASE("a right checksum is no proof: what would break out of its header line is refused") {
  spooled_request request;
  CHECK(parse_spool_file(bytes_of(made("b", "a\r\nHost: evil")), request) ==
        "its content type or encoding is not text");
  CHECK(parse_spool_file(bytes_of(made("b", "a", "\xff")), request) == "its content type or encoding is not text");
  CHECK(parse_spool_file(bytes_of(made("b", std::string(129, 'a'))), request) ==
        "its content type or encoding is too long");
}

TEST_CASE("random octets") {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string file = made("body").substr(0, 8 + random() % 8);
    for (std::size_t n = random() % 64; n > 0; --n) file += static_cast<char>(random());
    if (file.size() >= 16 && random() % 2 == 0) file = signed_again(file);
    spooled_request request;
    if (parse_spool_file(bytes_of(file), request).empty()) CHECK(request.body.size() < file.size());
  }
}
