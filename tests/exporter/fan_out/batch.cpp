#include <fulgurite/exporter/fan_out/batch.hpp>

#include "../../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>

namespace fg = fulgurite;
using namespace fg::detail;

namespace {

void check_sum(fan_out_counts const& counts) {
  std::uint64_t sum = counts.waiting;
  for (const std::uint64_t spans : counts.by_fate) sum += spans;
  CHECK(sum == counts.taken);
}

}  // namespace

TEST_CASE("a batch waits until the last destination has said what became of it") {
  const auto account = std::make_shared<fan_out_account>();
  fulgurite_test::record_builder builder;
  const fg::span_data span;
  for (int i = 0; i < 3; ++i) builder.add(span);
  const auto settled = [&](fan_out_fate first, fan_out_fate second, fan_out_fate third) {
    shared_batch batch(builder.batch(), account, 3);
    CHECK(batch.spans() == 3);
    CHECK(batch.bytes() == builder.batch().bytes());
    account->take(batch.spans());
    batch.settle(first);
    batch.settle(second);
    CHECK(account->counts().waiting == 3);
    check_sum(account->counts());
    batch.settle(third);
    CHECK(account->counts().waiting == 0);
    check_sum(account->counts());
    return account->counts();
  };
  using fate = fan_out_fate;
  CHECK(settled(fate::delivered, fate::delivered, fate::delivered).with(fate::delivered) == 3);
  CHECK(settled(fate::delivered, fate::failed, fate::queue_full).with(fate::failed) == 3);
  CHECK(settled(fate::queue_full, fate::failed, fate::delivered).with(fate::queue_full) == 3);
  CHECK(settled(fate::delivered, fate::delivered, fate::shutdown).with(fate::shutdown) == 3);
  CHECK(account->counts().taken == 12);
  account->take(5);
  account->give_back(5);
  CHECK(account->counts().taken == 12);
  check_sum(account->counts());
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
