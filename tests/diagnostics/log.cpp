#include <fulgurite/diagnostics/log.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
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

TEST_CASE("TRACER_LOG_LEVEL counts in any case") {
  const char* held = std::getenv("TRACER_LOG_LEVEL");
  const std::string before = held ? held : "";
  setenv("TRACER_LOG_LEVEL", "Error", 1);
  int said = 0;
  fg::set_log_handler([&](fg::log_level, std::string_view) { ++said; });
  log(fg::log_level::warn, "below");
  log(fg::log_level::error, "said");
  CHECK(said == 1);
  held ? setenv("TRACER_LOG_LEVEL", before.c_str(), 1) : unsetenv("TRACER_LOG_LEVEL");
  fg::set_log_handler({});
}

TEST_CASE("what a backend says reaches the handler without what moves a terminal") {
  std::string said;
  fg::set_log_handler([&](fg::log_level, std::string_view text) { said = text; });
  log(fg::log_level::error,
      "a\xc2\x9b"
      "2Jb\x9b"
      "c\xe2\x80\xae"
      "d\x1b[0m\nGrüße");
  CHECK(said == "a?2Jb?c?d?[0m\nGrüße");
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
  CHECK(fg::detail::log_level_named("DEBUG", fg::log_level::warn) == fg::log_level::debug);
  CHECK(fg::detail::log_level_named("Off", fg::log_level::warn) == fg::log_level::off);
  CHECK(fg::detail::log_level_named("O\x06\x06", fg::log_level::warn) == fg::log_level::warn);
  CHECK(fg::detail::log_level_named("loud", fg::log_level::warn) == fg::log_level::warn);
}
