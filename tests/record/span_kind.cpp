#include <fulgurite/record/span_kind.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

TEST_CASE("kinds and codes fit a byte of a record header and begin with the default") {
  CHECK(sizeof(fg::span_kind) == 1);
  CHECK(sizeof(fg::status_code) == 1);
  CHECK(fg::span_kind{} == fg::span_kind::internal);
  CHECK(fg::status_code{} == fg::status_code::unset);
}

TEST_CASE("a status code has OTLP's number, a kind one less (opentelemetry/proto/trace/v1/trace.proto)") {
  CHECK(static_cast<int>(fg::status_code::ok) == 1);
  CHECK(static_cast<int>(fg::status_code::error) == 2);
  CHECK(static_cast<int>(fg::span_kind::server) + 1 == 2);
  CHECK(static_cast<int>(fg::span_kind::client) + 1 == 3);
  CHECK(static_cast<int>(fg::span_kind::producer) + 1 == 4);
  CHECK(static_cast<int>(fg::span_kind::consumer) + 1 == 5);
}
