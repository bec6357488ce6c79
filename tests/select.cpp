// Built once for each word of FULGURITE_BACKEND.
#include <fulgurite/select.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <type_traits>

namespace fg = fulgurite;

#define TEXT_OF_AGAIN(word) #word
#define TEXT_OF(word) TEXT_OF_AGAIN(word)

namespace {
constexpr std::string_view backend = TEXT_OF(FULGURITE_BACKEND);
}

TEST_CASE("one program text for every backend") {
  fg::selected_tracer tracer = fg::make_selected_tracer();
  {
    auto span = tracer.trace_context("selected");
    span.set_attribute("backend", backend);
    CHECK(span.is_recording() == (backend != "noop"));
  }
  CHECK(tracer.is_on() == (backend != "noop"));
  tracer.shutdown(std::chrono::milliseconds(0));
}

TEST_CASE("noop is the type that is nothing, runtime the one that is chosen later") {
  constexpr bool is_noop = requires(fg::selected_tracer t) { requires std::is_empty_v<decltype(t)>; };
  CHECK(is_noop == (backend == "noop"));
}

#if FULGURITE_CHECKS_SETTINGS
TEST_CASE("what a fixed composition must not pass over switches it off, and is said") {
  std::string said;
  fg::set_log_handler([&said](fg::log_level, std::string_view text) { said.append(text); });
  fg::tracer_config config;
  config.redact = "password";
  fg::selected_tracer tracer = fg::make_selected_tracer(config);
  CHECK_FALSE(tracer.trace_context("x").is_recording());
  CHECK(said.find("redact") != std::string::npos);
  fg::tracer_config disabled;
  disabled.sdk_disabled = true;
  CHECK_FALSE(fg::make_selected_tracer(disabled).trace_context("x").is_recording());
  fg::set_log_handler({});
}

TEST_CASE("limits, the log's level and instrumentation are followed, as by a tracer that is chosen at run time") {
  std::string said;
  fg::set_log_handler([&said](fg::log_level, std::string_view text) { said.append(text); });
  fg::tracer_config config;
  config.attribute_count_limit = 1;
  config.log_level = "error";
  config.instrument_managed = false;
  fg::selected_tracer tracer = fg::make_selected_tracer(config);
  fg::detail::log(fg::log_level::warn, "too quiet");
  CHECK(said.empty());
  CHECK_FALSE(fg::detail::instrumented);
  {
    auto root = tracer.trace_context("root");
    root.set_attribute("kept", 1);
    root.set_attribute("dropped", 2);
  }
  const auto trace = tracer.get_last_trace();
  REQUIRE(trace.size() == 1);
  CHECK(trace.front().attributes.size() == 1);
  CHECK(trace.front().dropped_attributes_count == 1);
  fg::set_log_handler({});
  fg::detail::set_log_level("warn");
  fg::detail::set_instrumented(true);
  tracer.shutdown(std::chrono::milliseconds(0));
}
#endif
