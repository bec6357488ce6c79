#include <fulgurite/exporter/agentops/options.hpp>

#include <doctest/doctest.h>

TEST_CASE("the defaults are the local server's, with few and quick attempts") {
  const fulgurite::agentops_options options;
  CHECK(options.managed);
  CHECK(options.delivery.max_attempts < fulgurite::delivery_options().max_attempts);
  CHECK(options.delivery.initial_backoff < fulgurite::delivery_options().initial_backoff);
  CHECK(options.endpoint.starts_with("https://"));
  CHECK(options.exporter_endpoint.ends_with("/v1/traces"));
}
