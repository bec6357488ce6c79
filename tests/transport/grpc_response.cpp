#include <fulgurite/transport/grpc_response.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>
#include <random>
#include <span>
#include <string>
#include <string_view>

using namespace fulgurite::detail;

namespace {

constexpr const char* grpc_type = "content-type: application/grpc\r\n";

grpc_response after(std::initializer_list<std::string_view> lines) {
  grpc_response response;
  for (const std::string_view line : lines) CHECK(response.header(line));
  return response;
}
grpc_response begun(std::string_view more = "x: y\r\n") { return after({"HTTP/2 200 \r\n", grpc_type, more, "\r\n"}); }
std::string framed(std::string_view message, bool compressed = false) {
  std::string out;
  for (const std::byte octet : grpc_prefix(static_cast<std::uint32_t>(message.size()), compressed))
    out += static_cast<char>(octet);
  return out.append(message);
}

}  // namespace

TEST_CASE("headers, message, trailers") {
  grpc_response response = begun();
  CHECK(response.is_http2() == true);
  const std::string body = framed("hello");
  for (const char& octet : body) CHECK(response.data({&octet, 1}));
  CHECK(!response.has_code());
  CHECK(response.header("grpc-status: 0\r\n"));
  CHECK(response.has_code());
  CHECK(response.header("\r\n"));
  CHECK(!response.is_over());  // that is for answers without a message
  const grpc_answer answer = response.finish(false);
  CHECK(answer.code == grpc_code::ok);
  CHECK(answer.why == grpc_answer::failure::none);
  CHECK(answer.body == "hello");
}

TEST_CASE("trailers only") {
  grpc_response response = after({"HTTP/2 200 \r\n", grpc_type, "GRPC-Status:14\r\n",
                                  "grpc-message: a%20b%C3%BC%ff%\r\n", "grpc-status-details-bin: CAg\r\n", "\r\n"});
  CHECK(response.is_over());
  const grpc_answer answer = response.finish(false);
  CHECK(answer.code == grpc_code::unavailable);
  CHECK(answer.message == "a b\xc3\xbc\xef\xbf\xbd%");
  CHECK(answer.details == "\x08\x08");
}

TEST_CASE("an interim answer and what it says do not count") {
  grpc_response response = after({"HTTP/2 103 \r\n", "grpc-status: 5\r\n", "content-type: text/html\r\n", "\r\n",
                                  "HTTP/2 200 \r\n", grpc_type, "\r\n"});
  CHECK(!response.has_code());
  CHECK(!response.is_over());
  CHECK(response.data(framed("")));
  CHECK(response.header("grpc-status: 0\r\n"));
  CHECK(response.finish(false).code == grpc_code::ok);
}

TEST_CASE("without grpc-status the HTTP status is what there is") {
  grpc_response page = after({"HTTP/2 503 \r\n", "content-type: text/html\r\n", "\r\n"});
  CHECK(page.is_over());
  CHECK(page.data(std::string(10'000'000, 'x')));
  grpc_answer answer = page.finish(false);
  CHECK(answer.code == grpc_code::unavailable);
  CHECK(answer.error == "HTTP 503 with text/html, not gRPC");
  CHECK(answer.body.empty());
  answer = after({"HTTP/2 404\r\n", "\r\n"}).finish(false);
  CHECK(answer.code == grpc_code::unimplemented);
  CHECK(answer.error == "HTTP 404, not gRPC");
  answer = begun().finish(false);
  CHECK(answer.code == grpc_code::unknown);
  CHECK(answer.error == "the answer ended without a grpc-status");
  CHECK(after({"HTTP/1.1 200 OK\r\n"}).is_http2() == false);
  CHECK(grpc_response().finish(false).code == grpc_code::unknown);
  CHECK(!grpc_response().is_http2());
}

TEST_CASE("a connection that ended with the answer may have taken the trailers along") {
  grpc_response whole = begun(), part = begun(), nothing = begun();
  CHECK(whole.data(framed("hello")));
  CHECK(whole.finish(true).body == "hello");
  CHECK(part.data(framed("hello").substr(0, 7)));
  CHECK(part.finish(true).why == grpc_answer::failure::disconnected);
  CHECK(nothing.finish(true).code == grpc_code::unavailable);
  grpc_response kept = begun();
  CHECK(kept.data(framed("hello")));
  CHECK(kept.finish(false).code == grpc_code::unknown);
}

TEST_CASE("a frame that is wrong") {
  const auto read = [](std::string_view body, std::string_view encoding) {
    grpc_response response = begun(encoding);
    CHECK(response.data(body));
    CHECK(response.header("grpc-status: 0\r\n"));
    return response.finish(false);
  };
  CHECK(read("", "x: y").code == grpc_code::ok);
  for (const std::string& body : {framed("hello").substr(0, 9), std::string(4, '\0'), framed("a") + "b",
                                  framed("a", true), std::string("\7\0\0\0\0", 5)}) {
    CHECK(read(body, "x: y").code == grpc_code::internal);
    CHECK(!read(body, "x: y").error.empty());
    CHECK(read(body, "x: y").body.empty());
  }
  gzip_compressor compressor;
  std::string packed;
  const std::string_view text = "hello";
  REQUIRE(compressor.compress(std::as_bytes(std::span(text)), packed));
  CHECK(read(framed(packed, true), "grpc-encoding: gzip").body == "hello");
  CHECK(read(framed(packed, true), "grpc-encoding: deflate").code == grpc_code::internal);
  CHECK(read(framed(packed.substr(0, 10), true), "grpc-encoding: gzip").code == grpc_code::internal);
}

TEST_CASE("limits: by what is announced, by what comes, after decompression, of headers") {
  grpc_response announced = begun();
  CHECK(!announced.data(std::string_view("\0\0\x40\0\1", 5)));
  CHECK(announced.is_too_large());
  grpc_response largest = begun();
  CHECK(largest.data(framed(std::string(max_grpc_answer, 'x'))));
  CHECK(!largest.data("y"));
  CHECK(largest.is_too_large());

  gzip_compressor compressor;
  std::string packed;
  const std::string zeros(max_grpc_answer + 1, '\0');
  for (const std::size_t size : {max_grpc_answer, max_grpc_answer + 1}) {
    REQUIRE(compressor.compress(std::as_bytes(std::span(zeros).first(size)), packed));
    grpc_response bomb = begun("grpc-encoding: gzip\r\n");
    CHECK(bomb.data(framed(packed, true)));
    CHECK(bomb.header("grpc-status: 0\r\n"));
    CHECK(bomb.finish(false).body.size() == (size == max_grpc_answer ? size : 0));
    CHECK(bomb.is_too_large() == (size > max_grpc_answer));
  }
  grpc_response headers = begun();
  const std::string line = "x: " + std::string(max_grpc_headers / 2, 'v');
  CHECK(headers.header(line));
  CHECK(!headers.header(line));
  CHECK(headers.is_too_large());
}
