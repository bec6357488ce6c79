#include <fulgurite/exporter/fan_out/batch.hpp>

#include "../../record_builder.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace fg = fulgurite;
using namespace fg::detail;

TEST_CASE("a batch is settled when the last destination has said what became of it, by what the first ones lost") {
  const auto account = std::make_shared<fan_out_account>();
  fulgurite_test::record_builder builder;
  const fg::span_data span;
  for (int i = 0; i < 3; ++i) builder.add(span);
  // What the batch adds to the account.
  const auto settled = [&](fg::settled_spans const& first, fg::settled_spans const& second,
                           fg::settled_spans const& third) {
    shared_batch batch(builder.batch(), account, 3);
    CHECK(batch.spans() == 3);
    CHECK(batch.bytes() == builder.batch().bytes());
    const fg::settled_spans before = account->settled();
    batch.settle(first);
    batch.settle(second);
    CHECK(account->settled().spans() == before.spans());
    batch.settle(third);
    const fg::settled_spans after = account->settled();
    CHECK(after.spans() == before.spans() + 3);
    return fg::settled_spans{.exported = after.exported - before.exported,
                             .rejected = after.rejected - before.rejected,
                             .too_large = after.too_large - before.too_large,
                             .failed = after.failed - before.failed,
                             .queue_full = after.queue_full - before.queue_full,
                             .shutdown = after.shutdown - before.shutdown};
  };
  const fg::settled_spans exported{.exported = 3}, failed{.failed = 3}, queue_full{.queue_full = 3},
      shutdown{.shutdown = 3};
  CHECK(settled(exported, exported, exported).exported == 3);
  CHECK(settled(exported, failed, queue_full).failed == 3);
  CHECK(settled(queue_full, failed, exported).queue_full == 3);
  CHECK(settled(exported, exported, shutdown).shutdown == 3);
  // Part of a batch: taken to be different spans, as long as there are some.
  const fg::settled_spans two_rejected{.exported = 1, .rejected = 2}, one_large{.exported = 2, .too_large = 1};
  fg::settled_spans parts = settled(exported, two_rejected, one_large);
  CHECK(parts.rejected == 2);
  CHECK(parts.too_large == 1);
  CHECK(parts.exported == 0);
  parts = settled(two_rejected, two_rejected, exported);
  CHECK(parts.rejected == 3);
  // What a destination keeps is in none of its counts, and counts as exported until it has lost it.
  CHECK(settled({}, {}, {}).exported == 3);
}

TEST_CASE("the copy outlives the batch that it was made of") {
  const auto account = std::make_shared<fan_out_account>();
  std::unique_ptr<shared_batch> copy;
  fg::span_data span;
  span.name = "kept";
  {
    fulgurite_test::record_builder builder(std::make_shared<fg::resource>(fg::resource{.service_name = "shop"}));
    builder.add(span);
    copy = std::make_unique<shared_batch>(builder.batch(), account, 1);
  }
  REQUIRE(copy->view().spans().size() == 1);
  CHECK(copy->view().spans()[0].name == "kept");
  CHECK(copy->view().resource().service_name == "shop");
}
