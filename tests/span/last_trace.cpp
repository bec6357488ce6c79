#include <fulgurite/span/last_trace.hpp>

#include "../tracing.hpp"

#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;

TEST_CASE("the last trace is the one whose root ended last, children first") {
  recorder r;
  CHECK(r.tracer.get_last_trace().empty());
  {
    auto root = r.tracer.trace_context("root");
    {
      auto child = r.tracer.trace_context("child");
    }
    {
      auto other = r.tracer.trace_context("other", fg::span_options{.parent = fg::root});
    }
    const auto last = r.tracer.get_last_trace();
    REQUIRE(last.size() == 1);
    CHECK(last[0].name == "other");
  }
  auto last = r.tracer.get_last_trace();
  REQUIRE(last.size() == 2);
  CHECK(last[0].name == "child");
  CHECK(last[1].name == "root");
  CHECK(last[0].resource->service_name == "test");
  {
    auto root = r.tracer.trace_context("open");
    auto child = r.tracer.trace_context("child of open");
    child.end();
    CHECK(r.tracer.get_last_trace().size() == 2);
  }
  CHECK(r.tracer.get_last_trace()[1].name == "open");
}

TEST_CASE("what is over the limit is left out, and said") {
  captured_log log;
  fg::tracer tracer{fg::resource{},       fg::always_on_sampler{}, fg::memory_exporter{},
                    fg::w3c_propagator{}, fg::batch_processor{},   fg::tracer_options{.last_trace_limit = 1'000}};
  {
    auto root = tracer.trace_context("root");
    for (int i = 0; i < 50; ++i) auto child = tracer.trace_context("child");
  }
  const auto last = tracer.get_last_trace();
  CHECK(last.size() == 1'000 / sizeof(fg::detail::record_header));
  CHECK(log.count("last_trace_limit") == 1);

  fg::tracer none{fg::resource{},       fg::always_on_sampler{}, fg::memory_exporter{},
                  fg::w3c_propagator{}, fg::batch_processor{},   fg::tracer_options{.last_trace_limit = 0}};
  {
    auto root = none.trace_context("root");
  }
  CHECK(none.get_last_trace().empty());
}

TEST_CASE("traces of several threads do not mix, and those that never end are given up") {
  recorder r;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        auto root = r.tracer.trace_context("root");
        auto child = r.tracer.trace_context("child");
        child.end();
        if (i % 10 == 9) CHECK(r.tracer.get_last_trace().size() == 2);
      }
    });
  for (std::thread& thread : threads) thread.join();
  const auto last = r.tracer.get_last_trace();
  REQUIRE(last.size() == 2);
  CHECK(last[0].trace_id == last[1].trace_id);

  // Children whose root is elsewhere: nothing ever completes their traces.
  for (int i = 0; i < 1'000; ++i) {
    const fg::span_context parent(fg::trace_id::from_numbers(1, static_cast<std::uint64_t>(i) + 1),
                                  fg::span_id::from_number(1), fg::trace_flags(1));
    auto child = r.tracer.trace_context("orphan", fg::span_options{.parent = parent});
  }
  CHECK(r.tracer.get_last_trace().size() == 2);
}
