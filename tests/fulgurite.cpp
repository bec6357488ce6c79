#include <fulgurite/fulgurite.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fg = fulgurite;
using namespace fg::literals;

TEST_CASE("one include brings a whole tracer, from the span to OTLP's JSON") {
  fg::memory_exporter memory;
  fg::tracer tracer{fg::resource{.service_name = "checkout"}, fg::parent_based{fg::ratio_sampler{1.0}}, memory,
                    fg::w3c_propagator{}, fg::inline_processor{}};
  {
    auto span = tracer.trace_context("charge card", "order.id"_a = 7);
  }
  const std::string json = fg::to_otlp_json(memory.spans());
  CHECK(json.find("\"name\":\"charge card\"") != std::string::npos);
  CHECK(json.find("{\"key\":\"order.id\",\"value\":{\"intValue\":\"7\"}}") != std::string::npos);
  CHECK_FALSE(fg::noop_tracer().is_on());
}
