#include <fulgurite/pipeline/last_trace.hpp>

#include "../tracing.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
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
  log_capture log;
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

TEST_CASE("the spans of other threads are in it, whichever thread is collected first") {
  recorder r;
  for (const bool root_here : {true, false}) {
    const auto root_and = [&](auto&& elsewhere) {
      auto root = r.tracer.trace_context("root");
      fg::span job = r.tracer.start_span("job");
      elsewhere(job);
      auto last = r.tracer.trace_context("last child");
    };
    const auto child_of = [&](fg::span& job) {
      {
        auto scope = activate(job);
        auto child = r.tracer.trace_context("child");
      }
      job.end();
    };
    if (root_here)
      root_and([&](fg::span& job) { std::thread([&] { child_of(job); }).join(); });
    else {
      fg::span job;
      std::atomic<int> step{0};
      std::thread other([&] {
        root_and([&](fg::span& made) {
          job = std::move(made);
          step = 1;
          step.notify_one();
          step.wait(1);
        });
      });
      step.wait(0);
      child_of(job);
      step = 2;
      step.notify_one();
      other.join();
    }
    const auto last = r.tracer.get_last_trace();
    REQUIRE(last.size() == 4);
    CHECK(last[0].name == "child");
    CHECK(last[1].name == "job");
    CHECK(last[2].name == "last child");
    CHECK(last[3].name == "root");
  }
}

TEST_CASE("what is not sampled is no last trace, and neither is what only passes through") {
  recorder r;
  {
    auto root = r.tracer.trace_context("kept");
  }
  const fg::span_context remote(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3), fg::trace_flags(0),
                                true);
  {
    auto root = r.tracer.trace_context("not sampled", fg::span_options{.parent = remote});
  }
  const fg::span_context local(fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3), fg::trace_flags(1));
  {
    auto child = r.tracer.trace_context("a child of this process", fg::span_options{.parent = local});
  }
  REQUIRE(r.tracer.get_last_trace().size() == 1);
  CHECK(r.tracer.get_last_trace()[0].name == "kept");
  const fg::span_context sampled(fg::trace_id::from_numbers(3, 2), fg::span_id::from_number(3), fg::trace_flags(1),
                                 true);
  for (int i = 0; i < 2; ++i) {  // two requests of one remote trace
    auto root = r.tracer.trace_context("rooted here", fg::span_options{.parent = sampled});
    auto child = r.tracer.trace_context("child");
  }
  CHECK(r.tracer.get_last_trace().size() == 2);
}
