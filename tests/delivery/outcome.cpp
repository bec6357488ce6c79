#include <fulgurite/delivery/outcome.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

namespace fg = fulgurite;

TEST_CASE("parts of a batch add up, and the later failure's words stay") {
  fg::batch_outcome sum{.exported = 1, .rejected = 2, .reason = "first", .kind = fg::failure_kind::refused};
  sum += {.exported = 4, .too_large = 8, .failed = 16, .spooled = 32, .waiting = 64};
  CHECK(sum.exported == 5);
  CHECK(sum.spans() == 127);
  CHECK(sum.lost() == 26);
  CHECK(sum.reason == "first");
  sum += {.failed = 1, .reason = "second", .kind = fg::failure_kind::tls};
  CHECK(sum.reason == "second");
  CHECK(sum.kind == fg::failure_kind::tls);
}

TEST_CASE("only what is lost is no success") {
  CHECK(fg::batch_outcome{.exported = 1, .spooled = 2, .waiting = 3}.is_success());
  CHECK_FALSE(fg::batch_outcome{.exported = 9, .rejected = 1}.is_success());
  CHECK_FALSE(fg::batch_outcome{.exported = 9, .too_large = 1}.is_success());
  CHECK_FALSE(fg::batch_outcome{.exported = 9, .failed = 1}.is_success());
}

TEST_CASE("a simple result is of the whole batch") {
  CHECK(fg::detail::outcome_of(fg::export_result::success, 7).exported == 7);
  CHECK(fg::detail::outcome_of(fg::export_result::failure, 7).failed == 7);
}

TEST_CASE("a sum that is not the batch's size is made so, and says so where there was too much") {
  fg::batch_outcome few{.exported = 3, .rejected = 1};
  CHECK(fg::detail::normalise(few, 10));
  CHECK(few.exported == 3);
  CHECK(few.failed == 6);
  CHECK(few.spans() == 10);
  fg::batch_outcome many{.exported = 8, .rejected = 4, .spooled = 1};
  CHECK_FALSE(fg::detail::normalise(many, 10));
  CHECK(many.rejected == 4);
  CHECK(many.spooled == 1);
  CHECK(many.exported == 5);
  CHECK(many.failed == 0);
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  fg::batch_outcome absurd{.exported = most, .rejected = most, .too_large = most, .failed = most};
  CHECK_FALSE(fg::detail::normalise(absurd, 10));
  CHECK(absurd.failed == 10);
  CHECK(absurd.spans() == 10);
  fg::batch_outcome right{.exported = 10};
  CHECK(fg::detail::normalise(right, 10));
  CHECK(right.failed == 0);
}

TEST_CASE("settled spans are lost or exported") {
  fg::settled_spans settled{
      .exported = 1, .rejected = 2, .too_large = 4, .failed = 8, .queue_full = 16, .shutdown = 32};
  CHECK(settled.lost() == 62);
  CHECK(settled.spans() == 63);
  settled += settled;
  CHECK(settled.lost() == 124);
  CHECK(settled.spans() == 126);
}
