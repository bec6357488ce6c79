// The header first and alone: it must compile with nothing else before it.
#include <fulgurite/exporter/noop.hpp>

#include <fulgurite/exporter/exporter.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <type_traits>

namespace fg = fulgurite;

static_assert(fg::check_exporter<fg::noop_exporter>());
static_assert(std::is_empty_v<fg::noop_exporter>);

TEST_CASE("the noop exporter takes everything") {
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  fg::noop_exporter exporter;
  CHECK(exporter.export_spans(builder.batch()) == fg::export_result::success);
  CHECK(exporter.flush(fg::deadline()));
  CHECK(exporter.shutdown(fg::deadline()));
}
