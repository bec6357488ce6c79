#include <fulgurite/config/tracer_config.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

TEST_CASE("the defaults are the documented ones") {
  const fg::tracer_config config;
  CHECK(config.tracer_type == fg::tracer_type::agentops);
  CHECK(config.service_name == "agent-lightning");
  CHECK(config.service_version == "1.0.0");
  CHECK(config.environment == "development");
  CHECK(config.sampling_rate == 1.0);
  CHECK(config.instrument_managed);
  CHECK(config.agentops_managed);
  CHECK(config.agentops_daemon);
  CHECK(config.agentops_api_key.empty());
}
