// The bytes are tested with the encoder, what all exporters over HTTP do in tests/exporter/otlp_http.cpp.
#include <fulgurite/exporter/zipkin.hpp>

#include "../exporter_over_http.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

const fulgurite_test::exporter_over_http<fulgurite::zipkin_exporter, fulgurite::zipkin_options> over_http{
    "/api/v2/spans", "application/json", "202 Accepted"};

}  // namespace

TEST_CASE("a batch is one request, in the format's own type") {
  const std::string body = over_http.check_one_batch();
  CHECK(body.starts_with("[{\"traceId\":\""));
  CHECK(body.ends_with("}]"));
}

TEST_CASE("a refused batch fails at once, a busy backend is asked again") { over_http.check_retries(); }

TEST_CASE("check_health asks for nothing") { over_http.check_probe("[]"); }

TEST_CASE("wrong options: nothing is sent, and the reason is told") { over_http.check_wrong_options(); }
