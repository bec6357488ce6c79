// The hot path allocates nothing: every operator new is counted on the tracing thread.
//
// A program of its own, without doctest: it replaces the operators for the whole process. Afterwards they fail, for the
// collector and for the traced thread: spans may be lost then and are counted, and nothing hangs or crashes.
#include <fulgurite/fulgurite.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <thread>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

constinit thread_local long allocations = 0;
/// How many more allocations of this thread succeed; negative is all.
constinit thread_local long allowed = -1;

bool refused() noexcept {
  ++allocations;
  if (allowed < 0) return false;
  if (allowed == 0) return true;
  --allowed;
  return false;
}

}  // namespace

// Not malloc: the sanitizers have their own. Not inlined: g++ would warn of what it takes for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (!refused())
    if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::nothrow_t const&) noexcept {
  return refused() ? nullptr : std::malloc(size);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  if (!refused())
    if (void* memory = std::aligned_alloc(step, (size + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment, std::nothrow_t const&) noexcept {
  const auto step = static_cast<std::size_t>(alignment);
  return refused() ? nullptr : std::aligned_alloc(step, (size + step - 1) / step * step);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace {

int failures = 0;

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "failed: %s\n", what);
  ++failures;
}

/// Runs `f` a thousand times after as many to warm up, and wants no allocation.
template <class F>
void allocates_nothing(const char* what, F&& f) {
  for (int i = 0; i < 1000; ++i) f(i);
  const long before = allocations;
  for (int i = 0; i < 1000; ++i) f(i);
  if (allocations == before) return;
  std::fprintf(stderr, "%s: %ld allocations\n", what, allocations - before);
  ++failures;
}

template <class Tracer>
void hot_path(Tracer& tracer, const char* name) {
  {
    // So large that the ring must have its full size at once: it would grow sooner or later, as the worker sleeps.
    const std::string text(64 * 1024, 't');
    auto span = tracer.trace_context("first");
    span.add_event("large", {{"a", text}, {"b", text}, {"c", text}});
  }
  const auto flushed = [&](const char* what, auto&& f) {
    tracer.force_flush();
    const std::string title = std::string(name) + ", " + what;
    allocates_nothing(title.c_str(), f);
  };
  flushed("roots", [&](int) { auto span = tracer.trace_context("root"); });
  flushed("roots with attributes", [&](int i) {
    auto span = tracer.trace_context("root", "i"_a = i, "text"_a = "text");
    span.set_attribute("n", i);
  });
  auto root = tracer.trace_context("root");
  flushed("children", [&](int) { auto span = tracer.trace_context("child"); });
  flushed("children with a schema", [&](int i) {
    auto span = tracer.trace_context("child", "i"_a = i, "real"_a = 0.5, "flag"_a = true, "text"_a = "text");
  });
  flushed("children with run-time attributes", [&](int i) {
    auto span = tracer.trace_context("child");
    span.set_attribute("i", i);
    span.set_attribute("real", 0.5);
    span.set_attribute("flag", true);
    span.set_attribute("text", "text");
  });
  flushed("free spans", [&](int) { auto span = tracer.start_span("free"); });
  flushed("events and status", [&](int i) {
    auto span = tracer.trace_context("child");
    span.add_event("event", {{"attempt", i}});
    span.set_status(fg::status_code::error, "in words");
  });
  const std::string long_name(300, 'n'), long_value(1000, 'v');
  flushed("pieces", [&](int) {
    auto span = tracer.trace_context(std::string_view(long_name));
    span.set_attribute("long", std::string_view(long_value));
  });
}

/// Makes the collection on this thread fail at its first, second, … allocation.
void survives_without_memory() {
  fg::set_log_handler([](fg::log_level, std::string_view) {});
  fg::memory_exporter store;
  fg::tracer tracer(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, store);
  for (long n = 0; n < 60; ++n) {
    {
      auto root = tracer.trace_context("root");
      auto child = tracer.trace_context("child", "k"_a = 1);
      child.set_attribute("long", std::string(2000, 'x'));
      child.add_event("event", {{"k", "v"}});
      auto free = tracer.start_span("free");
      auto scope = activate(free);
      tracer.add_span_attribute("k", 1);
    }
    allowed = n;
    fg::detail::engine::instance().collect();
    (void)tracer.force_flush(std::chrono::milliseconds(1));
    allowed = -1;
    const bool flushed = tracer.force_flush(std::chrono::seconds(60));
    const fg::tracer_stats stats = tracer.stats();
    check(stats.queued == 0, "after a flush nothing is queued");
    check(stats.sampled == stats.exported + stats.failed + stats.dropped + stats.queued, "the accounts agree");
    check(flushed || stats.dropped + stats.failed > 0, "a flush that fails has a reason");
  }
  // Whatever was lost, the next span is not.
  store.clear();
  {
    auto span = tracer.trace_context("after");
  }
  check(tracer.force_flush(std::chrono::seconds(60)) && store.spans().size() == 1, "it goes on afterwards");
  check(!tracer.get_last_trace().empty(), "it has a last trace again");
}

/// Starting spans when nothing can be allocated: they are not recorded, and nothing else happens.
void starts_without_memory() {
  fg::tracer tracer(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, fg::memory_exporter{});
  std::thread([&] {
    allowed = 0;
    {
      auto root = tracer.trace_context("root", "k"_a = 1);
      auto child = tracer.trace_context("child");
      child.set_attribute("long", std::string_view("short"));
      auto free = tracer.start_span("free");
      auto scope = activate(free);
      tracer.add_span_event("event");
    }
    allowed = -1;
  }).join();
  (void)tracer.force_flush(std::chrono::seconds(60));
  const fg::tracer_stats stats = tracer.stats();
  check(stats.sampled == stats.exported + stats.failed + stats.dropped + stats.queued, "the accounts agree");
}

}  // namespace

int main() {
  const long before = allocations;
  delete new int;  // may be left out by the compiler, unlike the next
  ::operator delete(::operator new(1));
  check(allocations > before, "allocations are counted");
  {
    fg::tracer tracer(fg::resource{}, fg::parent_based{fg::always_on_sampler{}}, fg::noop_exporter{});
    hot_path(tracer, "recorded");
    check(tracer.stats().exported > 10'000, "spans were recorded");
  }
  {
    fg::tracer tracer(fg::resource{}, fg::parent_based{fg::ratio_sampler{0.5}}, fg::noop_exporter{});
    hot_path(tracer, "sampled");
  }
  {
    fg::tracer tracer(fg::resource{}, fg::parent_based{fg::always_off_sampler{}}, fg::memory_exporter{});
    hot_path(tracer, "unsampled");
  }
  survives_without_memory();
  starts_without_memory();
  if (failures == 0) std::puts("no allocation on the hot path");
  return failures == 0 ? 0 : 1;
}
