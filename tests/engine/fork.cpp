// Both sides of a fork go on: no span twice, none lost that the parent made.
#include <fulgurite/engine/fork.hpp>

#include "../tracing.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::only;
using fulgurite_test::recorder;
using namespace fg::literals;

namespace {

/// Runs `f` in the child of a fork; true when it returned true there within the time.
template <class F>
bool in_child(F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a child that hangs is killed
    bool good = false;
    try {
      good = f();
    } catch (...) {
    }
    _exit(good ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::size_t count(std::vector<fg::span_data> const& spans, std::string_view name) {
  std::size_t n = 0;
  for (fg::span_data const& span : spans) n += span.name == name;
  return n;
}

/// Takes its time to be made: a fork meanwhile meets a thread in the middle of it.
struct slow {
  static inline std::atomic<bool> begun{false};
  slow() {
    begun = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    complete = true;
  }
  bool complete = false;
};
bool is_made() { return fg::detail::one_in_process<slow, fg::detail::process_part::tracer_registry>().complete; }

#define EXPECT(condition)                                                      \
  if (!(condition)) {                                                          \
    std::fprintf(stderr, "in the child, line %d: %s\n", __LINE__, #condition); \
    return false;                                                              \
  }

}  // namespace

TEST_CASE("a fork waits for what another thread makes for the process") {
  const recorder r;
  std::thread maker([] { CHECK(is_made()); });
  while (!slow::begun) std::this_thread::yield();
  CHECK(in_child([] { return is_made(); }));
  maker.join();
}

TEST_CASE("what is recorded before, and what is open, is the parent's") {
  recorder r;
  {
    auto before = r.tracer.trace_context("before");
  }
  std::string parent_trace;
  {
    auto open = r.tracer.trace_context("open", "k"_a = 1);
    auto inner = r.tracer.trace_context("open too");
    auto free = r.tracer.start_span("free");
    auto dated = r.tracer.start_span("dated", fg::span_options{.kind = fg::span_kind::client, .start_time = 1});
    for (int i = 0; i < 50; ++i) open.set_attribute("k" + std::to_string(i), std::string(100, 'x'));  // pieces
    parent_trace = open.context().trace_id().to_hex();
    CHECK(in_child([&] {
      const std::string parent = inner.context().span_id().to_hex();
      {
        auto child = r.tracer.trace_context("in the child", "n"_a = 2);
      }
      {
        auto dated_child =
            r.tracer.start_span("dated in the child", fg::span_options{.kind = fg::span_kind::server, .start_time = 1});
      }
      inner.set_attribute("late", 1);
      inner.end();
      free.end();
      dated.end();
      EXPECT(r.tracer.force_flush(std::chrono::seconds(30)));
      const auto spans = r.store.spans();
      EXPECT(spans.size() == 2);
      EXPECT(spans[0].name == "in the child");
      EXPECT(spans[0].trace_id.to_hex() == parent_trace);
      EXPECT(spans[0].parent_span_id.to_hex() == parent);
      EXPECT(spans[0].kind == fg::span_kind::internal);
      EXPECT(spans[1].name == "dated in the child");
      EXPECT(spans[1].kind == fg::span_kind::server);
      const auto stats = r.tracer.stats();
      EXPECT(stats.sampled == 2);
      EXPECT(stats.exported == 2);
      EXPECT(stats.started == 2);
      return true;
    }));
  }
  const auto spans = r.spans();
  CHECK(spans.size() == 5);
  for (const char* name : {"before", "open", "open too", "free", "dated"}) CHECK(count(spans, name) == 1);
  CHECK(only(spans, "dated").kind == fg::span_kind::client);
  CHECK(count(spans, "in the child") == 0);
}

TEST_CASE("the child's ids are its own, and its roots are sampled anew") {
  recorder r;
  {
    auto warm = r.tracer.trace_context("warm");
  }
  int pipe_of[2];
  REQUIRE(pipe(pipe_of) == 0);
  const auto id = [&] {
    auto root = r.tracer.trace_context("root");
    return root.context().trace_id().to_hex() + root.context().span_id().to_hex();
  };
  CHECK(in_child([&] { return write(pipe_of[1], id().data(), 48) == 48; }));
  std::string theirs(48, ' ');
  REQUIRE(read(pipe_of[0], theirs.data(), 48) == 48);
  CHECK(id() != theirs);
  close(pipe_of[0]);
  close(pipe_of[1]);
}

TEST_CASE("children of children, as deep as generations are told apart") {
  recorder r;
  const std::function<bool(int)> descend = [&](int depth) {
    auto span = r.tracer.trace_context("level");
    if (depth > 0 && !in_child([&] { return descend(depth - 1); })) return false;
    span.end();
    EXPECT(r.tracer.force_flush(std::chrono::seconds(30)));
    EXPECT(count(r.store.spans(), "level") == 1);
    EXPECT(r.store.spans().size() == 1);
    return true;
  };
  CHECK(descend(20));
}

TEST_CASE("fork while other threads trace: neither side hangs, and each has its own spans once") {
  recorder r;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> made{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      // Fast at first, then so slow that no queue fills, however long the forks take on a busy machine.
      for (int n = 0; !stop; ++n) {
        auto root = r.tracer.trace_context("root");
        {
          auto child = r.tracer.trace_context("child");
        }
        root.end();
        made += 2;
        std::this_thread::sleep_for(std::chrono::microseconds(n < 5'000 ? 50 : 2'000));
      }
    });
  for (int i = 0; i < 40; ++i) {
    CHECK(in_child([&] {
      for (int n = 0; n < 1'000; ++n) auto span = r.tracer.trace_context("in the child");
      std::thread other([&] { auto span = r.tracer.trace_context("on a thread of the child"); });
      other.join();
      EXPECT(r.tracer.force_flush(std::chrono::seconds(30)));
      const auto stats = r.tracer.stats();
      EXPECT(stats.sampled == 1'001);
      EXPECT(stats.exported == 1'001);
      EXPECT(count(r.store.spans(), "in the child") == 1'000);
      EXPECT(r.store.spans().size() == 1'001);
      return r.tracer.shutdown(std::chrono::seconds(30));
    }));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const auto spans = r.spans();
  CHECK(spans.size() == made);
  fulgurite_test::check_accounts(r.tracer.stats());
}

TEST_CASE("the child's worker comes with its first record: spans are delivered without a flush") {
  recorder r;
  {
    auto warm = r.tracer.trace_context("warm");
  }
  CHECK(in_child([&] {
    {
      auto span = r.tracer.trace_context("in the child");
    }
    for (int i = 0; i < 3'000 && r.store.spans().empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT(r.store.spans().size() == 1);
    return true;
  }));
}

TEST_CASE("an inline processor, and a tracer that was shut down before") {
  fg::memory_exporter store;
  fg::tracer tracer{fg::resource{.service_name = "inline"}, fg::always_on_sampler{}, store, fg::w3c_propagator{},
                    fg::inline_processor{}};
  {
    auto span = tracer.trace_context("before");
  }
  CHECK(in_child([&] {
    {
      auto span = tracer.trace_context("in the child");
    }
    EXPECT(count(store.spans(), "in the child") == 1);
    EXPECT(tracer.stats().sampled == 1);
    return true;
  }));
  tracer.shutdown(std::chrono::seconds(5));
  CHECK(in_child([&] {
    {
      auto span = tracer.trace_context("late");
    }
    EXPECT(tracer.shutdown(std::chrono::seconds(5)));
    EXPECT(count(store.spans(), "late") == 0);
    return true;
  }));
}
