// The bytes are tested with the encoder, what all exporters over HTTP do in tests/exporter/otlp_http.cpp.
#include <fulgurite/exporter/jaeger_http.hpp>

#include "../exporter_over_http.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

const fulgurite_test::exporter_over_http<fulgurite::jaeger_http_exporter, fulgurite::jaeger_http_options> over_http{
    "/api/traces", "application/x-thrift", "202 Accepted"};

}  // namespace

TEST_CASE("a batch is one request, in the format's own type") {
  const std::string body = over_http.check_one_batch();
  CHECK(body.starts_with(std::string_view("\x0c\0\x01\x0b\0\x01", 6)));
  CHECK(body.find("one span") != std::string::npos);
}

TEST_CASE("a refused batch fails at once, a busy backend is asked again") { over_http.check_retries(); }

TEST_CASE("check_health asks for nothing") { over_http.check_probe(fulgurite::detail::jaeger_dialect::probe); }

TEST_CASE("wrong options: nothing is sent, and the reason is told") { over_http.check_wrong_options(); }
