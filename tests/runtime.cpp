// A program without backends: what runtime.hpp does alone. tests/backends.cpp is a program with them.
#include <fulgurite/runtime.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace fg = fulgurite;

TEST_CASE("without backends there is one clear error") {
  const std::string expected =
      "no backends in this program: include <fulgurite/backends.hpp> in one source file or link fulgurite-runtime";
  CHECK_THROWS_WITH_AS(fg::get_tracer_from_env(), expected.c_str(), fg::config_error);
  CHECK_THROWS_WITH_AS(fg::create_tracer(), expected.c_str(), fg::config_error);
  try {
    fg::create_tracer({.tracer_type = fg::tracer_type::noop});
  } catch (fg::config_error const& error) {
    REQUIRE(error.problems().size() == 1);
    CHECK(error.problems()[0].variable == "fulgurite/backends.hpp");
  }
  CHECK_FALSE(fg::global_tracer().is_on());
}

TEST_CASE("the factory lists the built-in types and what was registered") {
  const std::vector<std::string> built_in{"agentops", "opentelemetry", "jaeger", "zipkin", "noop"};
  CHECK(fg::tracer_factory::available() == built_in);
  const auto make = [](fg::tracer_config const&) { return fg::any_tracer(); };
  fg::tracer_factory::register_tracer("Mine", make);
  fg::tracer_factory::register_tracer("mine", make);
  fg::tracer_factory::register_tracer("jaeger", make);
  std::vector<std::string> expected = built_in;
  expected.push_back("mine");
  CHECK(fg::tracer_factory::available() == expected);
  CHECK_THROWS_AS(fg::tracer_factory::register_tracer("", make), std::invalid_argument);
  CHECK_THROWS_AS(fg::tracer_factory::register_tracer("x", nullptr), std::invalid_argument);
}
