#include <fulgurite/processor/any_processor.hpp>

#include "../tracing.hpp"

#include <chrono>

namespace fg = fulgurite;
using namespace fulgurite_test;

TEST_CASE("an erased processor works like the one it holds") {
  for (const bool inline_one : {false, true}) {
    fg::memory_exporter store;
    fg::any_processor held = inline_one ? fg::any_processor(fg::inline_processor{})
                                        : fg::any_processor(fg::batch_processor{fg::batch_options{
                                              .max_batch_size = 2, .schedule_delay = std::chrono::hours(1)}});
    CHECK(held.is_inline() == inline_one);
    fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{}, std::move(held)};
    for (int i = 0; i < 5; ++i) auto span = tracer.trace_context("span");
    CHECK((store.spans().size() == 5) == inline_one);  // the fifth is no full batch
    CHECK(tracer.force_flush());
    CHECK(store.spans().size() == 5);
    check_accounts(tracer.stats());
  }
}

TEST_CASE("an empty one is harmless") {
  fg::any_processor none;
  CHECK_FALSE(none.is_inline());
  CHECK(none.flush({}));
  CHECK(none.shutdown({}));
  CHECK(none.queued() == 0);
}
