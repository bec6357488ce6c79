// Traces on 8 threads by every way a span may live and die, until standard input ends; chaos.py kills it meanwhile.
//
// usage: chaos ENDPOINT SPOOL JOURNAL SEED     or, to see what a seed does:  chaos --schedule SEED COUNT
// Each span's id is in the journal before the span can end: JOURNAL.PID, a mapped file that outlives kill -9, of
// entries {span id, 1 or 2: its tracer is gone before it ends}. What each tracer says of its spans goes as a line of
// JSON to JOURNAL.accounts when it has been shut down.
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;
using namespace std::chrono_literals;

namespace {

constexpr int threads = 8;

enum class what : unsigned {
  nested,
  attributes,
  huge,
  events,
  out_of_order,
  ended_twice,
  unwound,
  moved,
  free_spans,
  short_thread,
  handler,
  interrupt_another,
  other_tracer,
  tracer_gone_first,
  fork_and_trace,
  fork_and_exec,
  flush,
  burst,
  pause,
  kinds
};
// Of 1,000.
constexpr std::array<unsigned, static_cast<std::size_t>(what::kinds)> weights{260, 120, 4, 80, 60, 50, 50, 80, 60, 10,
                                                                              60,  40,  4, 2,  2,  2,  4,  12, 100};

struct step {
  what kind;
  unsigned number;
};

/// A thread's schedule: nothing but the seed decides it.
class schedule {
 public:
  schedule(std::uint64_t seed, int thread) : random_(seed * 1'000 + static_cast<std::uint64_t>(thread)) {}
  step next() {
    unsigned left = static_cast<unsigned>(random_() % 1'000);
    unsigned kind = 0;
    for (; kind + 1 < weights.size() && left >= weights[kind]; ++kind) left -= weights[kind];
    return {static_cast<what>(kind), static_cast<unsigned>(random_() % 1'000)};
  }

 private:
  std::mt19937_64 random_;
};

/// The ids of the spans of this process.
class journal {
 public:
  static constexpr std::size_t room = std::size_t{1} << 24;  // a sparse file

  void open(std::string const& path) {
    const int file =
        ::open((path + "." + std::to_string(getpid())).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, room * sizeof(entry)) != 0) std::abort();
    void* const place = mmap(nullptr, room * sizeof(entry), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (place == MAP_FAILED) std::abort();
    close(file);
    entries_ = static_cast<entry*>(place);
    next_ = 0;
  }
  /// Also in a signal handler.
  template <class Span>
  void note(Span const& span, std::uint64_t kind = 1) {
    const std::size_t at = next_++;
    if (at >= room) std::abort();
    entries_[at] = {span.context().span_id().wire(), kind};
  }

 private:
  struct entry {
    std::uint64_t id, kind;
  };
  entry* entries_ = nullptr;
  std::atomic<std::size_t> next_{0};
};

journal made;
std::string endpoint, spool, accounts;

using tracer_type =
    fg::tracer<fg::always_on_sampler, fg::otlp_http_exporter, fg::w3c_propagator, fg::batch_processor<>>;
using span_type = tracer_type::span_type;

tracer_type make(std::size_t queue) {
  return tracer_type(
      fg::resource{.service_name = "chaos"}, fg::always_on_sampler{},
      fg::otlp_http_exporter{{.endpoint = endpoint,
                              .timeout = 500ms,
                              .delivery = {.initial_backoff = 10ms, .max_backoff = 100ms, .spool = spool}}},
      fg::w3c_propagator{},
      fg::batch_processor<>{fg::batch_options{.max_queue_size = queue, .max_batch_size = 500, .schedule_delay = 50ms}});
}

/// Shuts the tracer down and says what became of its spans.
void finish(tracer_type& tracer, const char* whose) {
  tracer.shutdown(20s);
  const fg::tracer_stats stats = tracer.stats();
  std::string line = "{\"whose\":\"" + std::string(whose) + "\",\"pid\":" + std::to_string(getpid());
  const auto say = [&line](const char* name, std::uint64_t n) {
    line += ",\"" + std::string(name) + "\":" + std::to_string(n);
  };
  say("sampled", stats.sampled);
  say("exported", stats.exported);
  say("failed", stats.failed);
  say("dropped", stats.dropped);
  say("queued", stats.queued);
  say("spooled", stats.spooled);
  say("replayed", stats.replayed);
  say("set_aside", stats.set_aside);
  say("signal", stats.dropped_by(fg::drop_cause::signal));
  say("queue_full", stats.dropped_by(fg::drop_cause::queue_full));
  line += "}\n";
  const int file = ::open(accounts.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0 || write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  close(file);
}

tracer_type* traced = nullptr;

void on_signal(int) {
  const int before = errno;
  {
    auto span = traced->trace_context("in a handler", "k"_a = 1);
    made.note(span);
    span.set_attribute("more", 2);
  }
  errno = before;
}

/// Spans on their way to another thread, where they end.
class post {
 public:
  void send(span_type span) {
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
    if (spans_.size() > 64) spans_.pop_front();  // ends it here
  }
  void receive() {
    const std::lock_guard lock(mutex_);
    if (spans_.empty()) return;
    span_type span = std::move(spans_.front());
    spans_.pop_front();
    span.set_attribute("ended on another thread", true);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    spans_.clear();
  }

 private:
  std::mutex mutex_;
  std::deque<span_type> spans_;
} posted;

/// The threads that may be interrupted.
struct members {
  std::mutex mutex;
  std::vector<pthread_t> all;
} interruptible;

void nest(unsigned depth) {
  auto span = traced->trace_context("nested", "depth"_a = depth);
  made.note(span);
  if (depth > 0) nest(depth - 1);
}

void unwind(unsigned depth) {
  auto span = traced->trace_context("unwound");
  made.note(span);
  if (depth == 0) throw std::runtime_error("chaos");
  unwind(depth - 1);
}

void some(int spans) {
  for (int i = 0; i < spans; ++i) {
    auto span = traced->trace_context("one of many", "i"_a = i, "text"_a = "some text");
    made.note(span);
  }
}

/// In the child of a fork: it traces on its own, as two threads, and ends well.
[[noreturn]] void be_child(std::string const& path) {
  alarm(60);
  made.open(path);
  some(50);
  std::thread([] { some(50); }).join();
  finish(*traced, "child");
  _exit(0);
}

void wait_for(pid_t child) {
  int status = 0;
  if (child < 0) return;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "a child ended with status %d\n", status);
    std::_Exit(3);
  }
}

void take(step now, std::string const& path, std::mutex& one_fork) {
  const unsigned n = now.number;
  switch (now.kind) {
    case what::nested:
      return nest(n % 12);
    case what::attributes: {
      auto span = traced->trace_context("attributes");
      made.note(span);
      for (unsigned i = 0; i < n % 60; ++i) span.set_attribute("key " + std::to_string(i), std::string(n % 300, 'v'));
      break;
    }
    case what::huge: {
      auto span = traced->trace_context("huge");
      made.note(span);
      span.set_attribute("huge", std::string(n * 400, 'h'));
      break;
    }
    case what::events: {
      auto span = traced->trace_context("events");
      made.note(span);
      for (unsigned i = 0; i < n % 20; ++i) span.add_event("event", {{"i", i}});
      span.set_status(fg::status_code::error, "chaos");
      break;
    }
    case what::out_of_order: {
      auto a = traced->start_span("first");
      auto b = traced->start_span("second");
      made.note(a);
      made.note(b);
      auto outer = traced->trace_context("outer");
      made.note(outer);
      auto inner = traced->trace_context("inner");
      made.note(inner);
      a.end();
      outer.end();
      break;
    }
    case what::ended_twice: {
      auto span = traced->trace_context("ended twice");
      made.note(span);
      span.end();
      span.set_attribute("late", true);
      span.end();
      break;
    }
    case what::unwound:
      try {
        unwind(n % 5);
      } catch (std::runtime_error const&) {
      }
      break;
    case what::moved: {
      auto span = traced->start_span("moved", "n"_a = n);
      made.note(span);
      posted.send(std::move(span));
      posted.receive();
      break;
    }
    case what::free_spans: {
      auto span = traced->start_span("free");
      made.note(span);
      const auto scope = fg::activate(span);
      auto child = traced->trace_context("child of a free span");
      made.note(child);
      break;
    }
    case what::short_thread:
      std::thread([n] {
        static thread_local std::optional<span_type> open;
        open.emplace(traced->start_span("open at the end of its thread"));
        made.note(*open);
        nest(n % 3);
      }).join();
      break;
    case what::handler: {
      auto span = traced->trace_context("around a handler");
      made.note(span);
      raise(SIGUSR1);
      break;
    }
    case what::interrupt_another: {
      const std::lock_guard lock(interruptible.mutex);
      if (!interruptible.all.empty()) pthread_kill(interruptible.all[n % interruptible.all.size()], SIGUSR1);
      break;
    }
    case what::other_tracer: {
      tracer_type other = make(1'000);
      for (unsigned i = 0; i < n % 50; ++i) {
        auto span = other.trace_context("another tracer's");
        made.note(span);
      }
      finish(other, "other");
      break;
    }
    case what::tracer_gone_first: {
      std::optional<tracer_type> other(make(1'000));
      auto late = other->start_span("its tracer is gone");
      made.note(late, 2);
      finish(*other, "other");
      other.reset();
      break;
    }
    case what::fork_and_trace: {
      // One at a time: children are not the load here.
      const std::lock_guard lock(one_fork);
      auto span = traced->trace_context("around a fork");
      made.note(span);
      const pid_t child = fork();
      if (child == 0) be_child(path);
      wait_for(child);
      break;
    }
    case what::fork_and_exec: {
      auto span = traced->trace_context("around a program");
      made.note(span);
      const pid_t child = fork();
      if (child == 0) {
        execl("/bin/true", "true", nullptr);
        _exit(1);
      }
      wait_for(child);
      break;
    }
    case what::flush:
      traced->force_flush(std::chrono::milliseconds(n));
      break;
    case what::burst:
      return some(static_cast<int>(n));
    case what::pause:
    case what::kinds:
      std::this_thread::sleep_for(std::chrono::microseconds(n * 20));
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string_view(argv[1]) == "--schedule") {
    for (int t = 0; t < threads; ++t) {
      schedule steps(std::strtoull(argv[2], nullptr, 10), t);
      for (long left = std::atol(argv[3]); left > 0; --left) {
        const step next = steps.next();
        std::printf("%d %u %u\n", t, static_cast<unsigned>(next.kind), next.number);
      }
    }
    return 0;
  }
  if (argc != 5) {
    std::fputs("usage: chaos ENDPOINT SPOOL JOURNAL SEED\n       chaos --schedule SEED COUNT\n", stderr);
    return 2;
  }
  endpoint = argv[1];
  spool = argv[2];
  const std::string path = argv[3];
  accounts = path + ".accounts";
  const std::uint64_t seed = std::strtoull(argv[4], nullptr, 10);
  fg::set_log_handler([](fg::log_level, std::string_view) {});  // a backend with faults is the point here
  made.open(path);
  tracer_type tracer = make(20'000);
  traced = &tracer;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);

  std::atomic<bool> stop{false};
  std::mutex one_fork;
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t)
    all.emplace_back([&, t] {
      {
        const std::lock_guard lock(interruptible.mutex);
        interruptible.all.push_back(pthread_self());
      }
      for (schedule steps(seed, t); !stop;) {
        take(steps.next(), path, one_fork);
        std::this_thread::sleep_for(2ms);
      }
      const std::lock_guard lock(interruptible.mutex);
      std::erase(interruptible.all, pthread_self());
    });
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  stop = true;
  for (std::thread& thread : all) thread.join();
  posted.clear();
  finish(tracer, "main");
  return 0;
}
