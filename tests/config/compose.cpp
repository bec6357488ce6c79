#include <fulgurite/config/compose.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <string_view>

namespace fg = fulgurite;
using namespace std::chrono_literals;

TEST_CASE("what a resource holds") {
  fg::tracer_config config;
  config.service_name = "shop";
  config.service_version = "3";
  config.environment = "staging";
  config.resource_attributes = {{"host.name", "h1"}};
  const fg::resource of = fg::detail::make_resource(config);
  CHECK(of.service_name == "shop");
  CHECK(of.service_version == "3");
  CHECK(of.environment == "staging");
  REQUIRE(of.attributes.size() == 1);
  CHECK(of.attributes[0].key == "host.name");
}

TEST_CASE("every limit and the time at the end") {
  fg::tracer_config config;
  config.shutdown_timeout = 7s;
  config.attribute_count_limit = 1;
  config.event_count_limit = 2;
  config.link_count_limit = 3;
  config.event_attribute_count_limit = 4;
  config.link_attribute_count_limit = 5;
  config.attribute_value_length_limit = std::numeric_limits<std::size_t>::max();
  const fg::tracer_options options = fg::detail::make_options(config);
  CHECK(options.shutdown_timeout == 7s);
  CHECK(options.limits.attribute_count == 1);
  CHECK(options.limits.event_count == 2);
  CHECK(options.limits.link_count == 3);
  CHECK(options.limits.event_attribute_count == 4);
  CHECK(options.limits.link_attribute_count == 5);
  CHECK(options.limits.attribute_value_length == fg::span_limits::unlimited);
}

TEST_CASE("what batches there are") {
  fg::tracer_config config;
  config.max_queue_size = 10;
  config.max_batch_size = 5;
  config.schedule_delay = 20ms;
  config.export_timeout = 30ms;
  const fg::batch_options options = fg::detail::make_batch_options(config);
  CHECK(options.max_queue_size == 10);
  CHECK(options.max_batch_size == 5);
  CHECK(options.schedule_delay == 20ms);
  CHECK(options.export_timeout == 30ms);
}

TEST_CASE("what the whole process is given; the log's level stays where none is named") {
  fg::set_log_handler([](fg::log_level, std::string_view) {});
  const auto level = [] { return fg::detail::the_logger().threshold; };
  fg::tracer_config config;
  config.log_level = "error";
  config.instrument_managed = false;
  fg::detail::apply_to_process(config);
  CHECK(level() == fg::log_level::error);
  CHECK_FALSE(fg::detail::instrumented);
  fg::detail::set_instrumented(true);
  fg::detail::apply_to_process({});
  CHECK(level() == fg::log_level::error);
  CHECK(fg::detail::instrumented);
  fg::set_log_handler({});
}
