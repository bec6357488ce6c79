#include <fulgurite/pipeline/pipeline.hpp>

#include "../tracing.hpp"

namespace fg = fulgurite;
namespace fd = fulgurite::detail;
using namespace fulgurite_test;

TEST_CASE("statistics begin at nothing, and name every cause") {
  const fg::tracer_stats stats;
  for (const auto cause : {fg::drop_cause::queue_full, fg::drop_cause::too_large, fg::drop_cause::rejected,
                           fg::drop_cause::export_failed, fg::drop_cause::shutdown, fg::drop_cause::signal})
    CHECK(stats.dropped_by(cause) == 0);
  check_accounts(stats);
}

TEST_CASE("a thread's counters of a pipeline are one, and are found again") {
  fd::thread_state* thread = fd::own_thread();
  REQUIRE(thread);
  fd::thread_counts* counts = fd::counts_of(*thread, 0x7ffffff0);
  REQUIRE(counts);
  CHECK(fd::counts_of(*thread, 0x7ffffff0) == counts);
  CHECK(fd::counts_of(*thread, 0x7ffffff1) != counts);
  fd::thread_counts::increment(counts->started);
  fd::thread_counts::increment(counts->started);
  std::uint64_t sum = 0;
  fd::for_each_count(0x7ffffff0, [&](fd::thread_counts const& each) { sum += each.started.load(); });
  CHECK(sum == 2);
}

TEST_CASE("while tracing is suppressed nothing is recorded, and what was current is current again") {
  recorder r;
  {
    auto root = r.tracer.trace_context("root");
    {
      const fd::suppression quiet;
      auto hidden = r.tracer.trace_context("hidden");
      CHECK_FALSE(hidden.is_recording());
      auto hidden_root = r.tracer.trace_context("hidden too", fg::span_options{.parent = fg::root});
      auto hidden_free = r.tracer.start_span("hidden as well");
      CHECK_FALSE(hidden_free.is_recording());
    }
    auto child = r.tracer.trace_context("child");
  }
  CHECK(r.spans().size() == 2);
}
