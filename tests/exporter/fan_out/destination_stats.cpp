#include <fulgurite/exporter/fan_out/destination_stats.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;
using namespace fg::detail;

TEST_CASE("what became of batches, what the exporter keeps of them, and what it has settled since") {
  const fg::settled_spans batches{
      .exported = 70, .rejected = 6, .too_large = 4, .failed = 7, .queue_full = 5, .shutdown = 3};
  const fg::exporter_stats own{
      .settled = {.exported = 8, .rejected = 1, .too_large = 0, .failed = 4, .queue_full = 2, .shutdown = 1},
      .spooled = 10};
  const fg::destination_stats sum = account_of("name", batches, 26, 20, own);
  CHECK(sum.name == "name");
  CHECK(sum.offered == 141);
  CHECK(sum.exported == 78);
  CHECK(sum.failed == 18);
  CHECK(sum.dropped == 15);
  CHECK(sum.queued == 30);
  CHECK(sum.offered == sum.exported + sum.failed + sum.dropped + sum.queued);
  CHECK(sum.exporter.spooled == 10);
}

TEST_CASE("an exporter may settle what its batch's outcome has not said yet") {
  const fg::destination_stats sum = account_of("", {}, 0, 2, {.settled = {.exported = 2}});
  CHECK(sum.queued == 2);
}
