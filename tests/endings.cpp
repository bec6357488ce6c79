// How a process may end while it traces. Each case is a child whose exporter writes the names of spans to a pipe.
#include <fulgurite/any_tracer.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/processor/any_processor.hpp>
#include <fulgurite/tracer.hpp>

#include "tracing.hpp"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using namespace std::chrono_literals;

namespace {

int names_to = -1;

struct name_exporter {
  fg::export_result export_spans(fg::span_batch const& batch) {
    std::string names;
    for (fg::span_data const& span : batch.spans()) names += span.name + "\n";
    return write(names_to, names.data(), names.size()) == static_cast<ssize_t>(names.size())
               ? fg::export_result::success
               : fg::export_result::failure;
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};

using name_tracer = fg::tracer<fg::always_on_sampler, name_exporter>;

name_tracer make() {
  return name_tracer(fg::resource{.service_name = "ending"}, fg::always_on_sampler{}, name_exporter{});
}

struct ending {
  std::string names;
  int status = 0;

  bool has(std::string const& name) const { return ("\n" + names).find("\n" + name + "\n") != std::string::npos; }
  /// Whether the log has an account that ends so.
  bool counts(std::string const& account) const { return names.find("ending: of " + account + "\n") != names.npos; }
  bool exited(int code) const { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
};

template <class F>
ending in_process(F&& f) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    close(ends[0]);
    names_to = ends[1];
    dup2(names_to, STDERR_FILENO);  // the library's account
    f();
    _exit(99);
  }
  close(ends[1]);
  ending result;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    result.names.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  REQUIRE(waitpid(child, &result.status, 0) == child);
  return result;
}

/// Traces when it is destroyed.
struct last_words {
  const char* name;
  name_tracer** tracer;
  ~last_words() {
    if (*tracer) auto span = (*tracer)->trace_context(name);
  }
};

/// Does what it is made with, on the exporting thread.
struct doing_exporter {
  void (*act)();
  fg::export_result export_spans(fg::span_batch const&) {
    act();
    return fg::export_result::success;
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};
void hang() {
  for (;;) pause();
}

fg::any_tracer make_doing(void (*act)(), std::chrono::milliseconds timeout, bool inline_one = false) {
  fg::tracer_options options;
  options.shutdown_timeout = timeout;
  return fg::any_tracer(fg::resource{.service_name = "ending"}, fg::always_on_sampler{}, doing_exporter{act},
                        fg::w3c_propagator{},
                        inline_one ? fg::any_processor(fg::inline_processor{})
                                   : fg::any_processor(fg::batch_processor{fg::batch_options{.schedule_delay = 1ms}}),
                        options);
}
void trace(fg::any_tracer const& tracer, int spans) {
  for (int i = 0; i < spans; ++i) auto span = tracer.trace_context("span");
}

/// Made before any tracer of this process, and so destroyed after the engine's last handler.
struct first_object {
  void (*act)() = nullptr;
  ~first_object() {
    if (act) act();
  }
} made_first;

}  // namespace

TEST_CASE("exit() while another thread's shutdown() waits for longer than the end may: counted") {
  const ending end = in_process([] {
    static fg::any_tracer tracer = make_doing(hang, 200ms);
    trace(tracer, 5);
    std::thread([] { tracer.shutdown(60s); }).detach();
    std::this_thread::sleep_for(50ms);
    std::exit(3);
  });
  CHECK(end.exited(3));
  INFO(end.names);
  CHECK(end.counts("5 spans 5 were not delivered (shutdown 5)"));
}

TEST_CASE("however many exporters hang, and however many tracers there were: one deadline") {
  const ending end = in_process([] {
    alarm(10);  // with half a second for each it would be 25
    for (int i = 0; i < 40; ++i) trace(make_doing([] {}, 200ms), 1);
    static auto* const kept = new std::vector<fg::any_tracer>;  // and no destructor ends them
    for (int i = 0; i < 10; ++i) trace(kept->emplace_back(make_doing(hang, 200ms)), 1);
    std::exit(3);
  });
  CHECK(end.exited(3));
  INFO(end.names);
  CHECK(end.counts("1 spans 1 were not delivered (shutdown 1)"));
}

TEST_CASE("what an object traces that is destroyed after every handler of the library is counted") {
  const ending end = in_process([] {
    static auto* const tracer = new fg::any_tracer(make_doing([] {}, 200ms));
    trace(*tracer, 2);
    made_first.act = [] { trace(*tracer, 3); };
    std::exit(3);
  });
  CHECK(end.exited(3));
  INFO(end.names);
  CHECK(end.counts("5 spans 3 were not delivered (shutdown 3)"));
}

TEST_CASE("a tracer made then, and destroyed, holds nobody up") {
  const ending end = in_process([] {
    alarm(10);
    static auto* const tracer = new fg::any_tracer(make_doing([] {}, 60s));
    trace(*tracer, 1);
    made_first.act = [] { trace(make_doing([] {}, 60s), 4); };
    std::exit(3);
  });
  CHECK(end.exited(3));
  INFO(end.names);
  CHECK(end.counts("4 spans 4 were not delivered (shutdown 4)"));
}

TEST_CASE("an exporter calls exit() on the thread that traces") {
  const ending end = in_process([] {
    alarm(10);
    static fg::any_tracer tracer = make_doing([] { std::exit(4); }, 60s, true);
    trace(tracer, 1);
    std::exit(3);
  });
  CHECK(end.exited(4));
  INFO(end.names);
  CHECK(end.counts("1 spans 1 were not delivered (shutdown 1)"));
}

TEST_CASE("a thread may be cancelled while it flushes") {
  const ending end = in_process([] {
    static fg::any_tracer tracer = make_doing([] { std::this_thread::sleep_for(100ms); }, 5s);
    trace(tracer, 1);
    pthread_t thread;
    const auto flush = [](void*) -> void* {
      tracer.force_flush(10s);
      pthread_testcancel();
      return nullptr;
    };
    pthread_create(&thread, nullptr, flush, nullptr);
    std::this_thread::sleep_for(20ms);
    pthread_cancel(thread);
    void* how = nullptr;
    pthread_join(thread, &how);
    std::exit(how == PTHREAD_CANCELED ? 3 : 4);
  });
  CHECK(end.exited(3));
}

TEST_CASE("exit() in the middle of a span: what has ended is delivered, the open one is not") {
  const ending end = in_process([] {
    static name_tracer tracer = make();
    {
      auto ended = tracer.trace_context("ended");
    }
    auto open = tracer.trace_context("open");
    std::exit(3);
  });
  CHECK(end.exited(3));
  CHECK(end.has("ended"));
  CHECK_FALSE(end.has("open"));
}

TEST_CASE("static destructors that trace, before the tracer's and after it") {
  const ending end = in_process([] {
    static name_tracer* tracer = nullptr;
    static const last_words after{"after the tracer", &tracer};  // destroyed last
    static name_tracer held = make();
    tracer = &held;
    static const last_words before{"before the tracer", &tracer};  // destroyed first
    std::exit(0);
  });
  CHECK(end.exited(0));
  CHECK(end.has("before the tracer"));
  CHECK_FALSE(end.has("after the tracer"));
}

TEST_CASE("quick_exit() destroys nothing, and what has ended is delivered all the same") {
  const ending end = in_process([] {
    static name_tracer tracer = make();
    {
      auto ended = tracer.trace_context("ended");
    }
    std::quick_exit(4);
  });
  CHECK(end.exited(4));
  CHECK(end.has("ended"));
}

TEST_CASE("threads that never stop trace on while the process ends") {
  const ending end = in_process([] {
    static name_tracer tracer = make();
    static std::atomic<int> running{0};
    for (int i = 0; i < 4; ++i)
      std::thread([] {
        ++running;
        for (;;) auto span = tracer.trace_context("endless");
      }).detach();
    while (running < 4) std::this_thread::yield();
    {
      auto ended = tracer.trace_context("ended");
    }
    tracer.force_flush(10s);
    std::exit(5);
  });
  CHECK(end.exited(5));
  CHECK(end.has("ended"));
}

TEST_CASE("a thread ends with open spans, and traces in the destructors of its own objects") {
  const ending end = in_process([] {
    static name_tracer* tracer = nullptr;
    static name_tracer held = make();
    tracer = &held;
    std::thread([] {
      static thread_local const last_words words{"last words of a thread", &tracer};
      static thread_local std::optional<name_tracer::span_type> open;
      static_cast<void>(words.name);
      {
        auto ended = held.trace_context("ended");
      }
      open.emplace(held.start_span("open at the end of its thread"));  // ended by its destructor
    }).join();
    std::thread([] { auto span = held.trace_context("on a new thread"); }).join();
    held.force_flush(10s);
    const auto stats = held.stats();
    std::_Exit(stats.sampled == 4 && stats.exported == 4 ? 0 : 1);
  });
  CHECK(end.exited(0));
  CHECK(end.has("last words of a thread"));
  CHECK(end.has("open at the end of its thread"));
  CHECK(end.has("on a new thread"));
}

TEST_CASE("a daemon: the parent of a double fork ends, its grandchild traces") {
  const ending end = in_process([] {
    static name_tracer tracer = make();
    {
      auto span = tracer.trace_context("of the parent");
    }
    if (fork() != 0) std::exit(0);
    setsid();
    if (fork() != 0) _exit(0);
    {
      auto span = tracer.trace_context("of the daemon");
    }
    std::exit(0);
  });
  CHECK(end.has("of the parent"));
  CHECK(end.has("of the daemon"));
  CHECK(end.names.find("of the parent") == end.names.rfind("of the parent"));
}

TEST_CASE("fork and exec: the new program has nothing of it, the parent goes on") {
  const ending end = in_process([] {
    static name_tracer tracer = make();
    auto open = tracer.trace_context("around the program");
    const pid_t program = fork();
    if (program == 0) {
      execl("/bin/true", "true", nullptr);
      _exit(1);
    }
    int status = 0;
    waitpid(program, &status, 0);
    open.end();
    tracer.force_flush(10s);
    std::_Exit(WEXITSTATUS(status));
  });
  CHECK(end.exited(0));
  CHECK(end.names == "around the program\n");
}
