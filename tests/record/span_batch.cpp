#include <fulgurite/record/span_batch.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace fg = fulgurite;

TEST_CASE("an empty batch has no spans") {
  const fulgurite_test::record_builder builder;
  const fg::span_batch batch = builder.batch();
  CHECK(batch.empty());
  CHECK(batch.size() == 0);
  CHECK(batch.bytes() == 0);
  CHECK(batch.spans().empty());
}

TEST_CASE("the spans come in their order, all with the batch's resource and scope") {
  const auto of = std::make_shared<fg::resource>(fg::resource{.service_name = "s"});
  const auto scope = std::make_shared<fg::instrumentation_scope>(fg::instrumentation_scope{.name = "l"});
  fulgurite_test::record_builder builder(of, scope);
  std::vector<fg::span_data> made(3);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].name = "span " + std::to_string(i);
    made[i].span_id = fg::span_id::from_number(i + 1);
    made[i].resource = of;
    made[i].scope = scope;
    builder.add(made[i]);
  }
  const fg::span_batch batch = builder.batch();
  CHECK(batch.size() == 3);
  CHECK(batch.spans() == made);
  CHECK(batch.spans()[2].resource == of);
  CHECK(batch.resource().service_name == "s");
  CHECK(batch.scope().name == "l");
  std::size_t visited = 0;
  batch.for_each([&](fg::record_view const& record) { CHECK(record.name() == made[visited++].name); });
  CHECK(visited == 3);
}
