#include <fulgurite/config/loaded_config.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

TEST_CASE("what was not read is unset, and a later source counts more") {
  fg::loaded_config loaded;
  CHECK(loaded.origin("service_name") == fg::config_origin::unset);
  loaded.origins["service_name"] = fg::config_origin::file;
  CHECK(loaded.origin("service_name") == fg::config_origin::file);
  CHECK(fg::config_origin::file < fg::config_origin::opentelemetry_general);
  CHECK(fg::config_origin::opentelemetry_general < fg::config_origin::opentelemetry);
  CHECK(fg::config_origin::opentelemetry < fg::config_origin::own_variable);
}
