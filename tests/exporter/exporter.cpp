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
// One that knows more answers with more.
struct telling : least {
  fg::batch_outcome export_spans(fg::span_batch const&) { return {}; }
};
static_assert(fg::check_exporter<telling>());
static_assert(!fg::exporter<without_flush>);
static_assert(!fg::exporter<wrong_result>);
static_assert(!fg::exporter<unmovable>);
static_assert(!fg::exporter<int>);

// A member of the name is not enough.
struct careless : least {
  fg::exporter_stats stats() { return {}; }
  fg::health_report check_health() { return {}; }
  void interrupt() {}
  void hurry() {}
  fg::deadline idle_at() const noexcept { return fg::deadline::max(); }
  bool keeps_undelivered() const { return true; }
  bool is_exit_safe() noexcept { return true; }
  void after_fork(int) noexcept {}
};
static_assert(!fg::exporter_with_stats<careless> && !fg::exporter_with_check_health<careless>);
static_assert(!fg::exporter_with_interrupt<careless> && !fg::exporter_with_hurry<careless>);
static_assert(!fg::exporter_with_idle<careless> && !fg::exporter_with_keeps_undelivered<careless>);
static_assert(!fg::exporter_with_is_exit_safe<careless> && !fg::exporter_with_after_fork<careless>);
// A datum, or a private function, of such a name is the class's own affair.
class private_names : public least {
  void interrupt() {}

 public:
  int stats = 0;
};
static_assert(fg::check_exporter<private_names>());

}  // namespace

TEST_CASE("nothing is counted or reachable until somebody says so") {
  CHECK(fg::exporter_stats().retried + fg::exporter_stats().settled.spans() + fg::exporter_stats().spooled == 0);
  CHECK_FALSE(fg::health_report().reachable);
}
