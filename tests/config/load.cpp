#include <fulgurite/config/load.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace fg = fulgurite;

namespace {

fg::loaded_config load(std::map<std::string, std::string> const& environment) {
  return fg::load_config([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

TEST_CASE("nothing set is the default configuration") {
  const fg::loaded_config loaded = load({});
  CHECK(loaded.problems.empty());
  CHECK(loaded.warnings.empty());
  CHECK(loaded.config.service_name == "agent-lightning");
}

TEST_CASE("a file that cannot be read is a problem beside those of the environment") {
  const fg::loaded_config loaded =
      load({{"TRACER_CONFIG_FILE", "/nowhere/at/all.json"}, {"TRACER_SAMPLING_RATE", "2"}});
  REQUIRE(loaded.problems.size() == 2);
  CHECK(loaded.problems[0].variable == "TRACER_CONFIG_FILE");
  CHECK(loaded.problems[1].variable == "TRACER_SAMPLING_RATE");
}
