#include <fulgurite/exporter/fan_out/destination_stats.hpp>

#include <doctest/doctest.h>

namespace fg = fulgurite;
using namespace fg::detail;

TEST_CASE("what the exporter counts by itself is taken from what it took, and from no more") {
  // delivered, failed, queue_full, shutdown
  const std::array<std::uint64_t, fan_out_fates> fates{100, 7, 5, 3};
  const fg::exporter_stats own{.rejected = 1, .too_large = 2, .spooled = 10, .failed = 4};
  fg::destination_stats sum = account_of("name", fates, 20, own);
  CHECK(sum.name == "name");
  CHECK(sum.offered == 135);
  CHECK(sum.exported == 83);
  CHECK(sum.failed == 12);
  CHECK(sum.dropped == 10);
  CHECK(sum.queued == 30);
  CHECK(sum.exporter.spooled == 10);
  sum = account_of("", {2, 0, 0, 0}, 0, own);
  CHECK(sum.offered == 2);
  CHECK(sum.exported == 0);
  CHECK(sum.exported + sum.failed + sum.dropped + sum.queued == 2);
}
