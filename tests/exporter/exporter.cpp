// What a missing member's message says is tested in tests/compile_fail.
#include <fulgurite/exporter/exporter.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;

namespace {

struct least {
  fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::failure; }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};
struct without_flush {
  fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::failure; }
  bool shutdown(fg::deadline) { return true; }
};
struct wrong_result : least {
  void export_spans(fg::span_batch const&) {}
};
struct unmovable : least {
  unmovable() = default;
  unmovable(unmovable const&) = delete;
  unmovable& operator=(unmovable const&) = delete;
};

static_assert(fg::exporter<least> && fg::check_exporter<least>());
static_assert(!fg::exporter<without_flush>);
static_assert(!fg::exporter<wrong_result>);
static_assert(!fg::exporter<unmovable>);
static_assert(!fg::exporter<int>);

}  // namespace

TEST_CASE("nothing is counted or reachable until somebody says so") {
  CHECK(fg::exporter_stats().retried + fg::exporter_stats().rejected + fg::exporter_stats().too_large == 0);
  CHECK_FALSE(fg::health_report().reachable);
}
