#include <fulgurite/diagnostics/log.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite::detail::log;

TEST_CASE("messages go to the handler, each at most once a minute") {
  std::vector<std::string> said;
  fg::set_log_handler([&](fg::log_level level, std::string_view text) {
    said.push_back(std::string(fg::detail::to_string(level)) + ": " + std::string(text));
  });
  log(fg::log_level::warn, "one");
  log(fg::log_level::warn, "one");
  log(fg::log_level::error, "two");
  log(fg::log_level::warn, "three spans", "spans");
  log(fg::log_level::warn, "four spans", "spans");
  log(fg::log_level::debug, "below the level");
  CHECK(said == std::vector<std::string>{"warning: one", "error: two", "warning: three spans"});
  fg::set_log_handler({});
}

TEST_CASE("what a handler throws is swallowed") {
  fg::set_log_handler([](fg::log_level, std::string_view) { throw std::runtime_error("no"); });
  log(fg::log_level::error, "message");
  fg::set_log_handler({});
}

TEST_CASE("levels by their names") {
  CHECK(fg::detail::log_level_named("off", fg::log_level::warn) == fg::log_level::off);
  CHECK(fg::detail::log_level_named("debug", fg::log_level::warn) == fg::log_level::debug);
  CHECK(fg::detail::log_level_named("loud", fg::log_level::warn) == fg::log_level::warn);
}
