// The last delivery: every sink at the same time, under one deadline, and then no thread of the library inside an
// exporter.
//
// Each sink delivers on a thread of its own, never on the one that called exit(): that one's thread_local objects,
// which a library may need, are destroyed by then. Part of engine/engine.hpp, which knows the sinks and when the end
// has come.
#pragma once

#include <fulgurite/context/library_thread.hpp>
#include <fulgurite/engine/record_sink.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <semaphore.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// How much longer than their deadline the end waits for threads that were told to give up.
inline constexpr std::int64_t end_grace = 500'000'000;

/// Calls `done() -> bool` until it is true or the time (nanoseconds of CLOCK_MONOTONIC) has come.
template <class Done>
bool wait_until(std::int64_t until, Done&& done) noexcept {
  constexpr long shortest = 20'000, longest = 1'000'000;
  for (long pause = shortest; !done(); pause = std::min(2 * pause, longest)) {
    if (monotonic_now() >= until) return false;
    const timespec nap{0, pause};
    nanosleep(&nap, nullptr);
  }
  return true;
}

/// `record_sink::deliver_before_end` or `record_sink::end_with_process`.
using sink_delivery = void (record_sink::*)(std::int64_t) noexcept;

/// Has all the sinks deliver at the same time. Returns when all have, or a moment after `until`.
[[gnu::cold]] inline void deliver_all(std::vector<std::shared_ptr<record_sink>> const& sinks, sink_delivery how,
                                      std::int64_t until) {
  struct ending {
    std::shared_ptr<record_sink> sink;
    sink_delivery how;
    std::int64_t until;
    std::shared_ptr<sem_t> ended;
  };
  const auto ended = std::make_shared<sem_t>();
  sem_init(ended.get(), 0, 0);
  const auto run = [](void* given) -> void* {
    const std::unique_ptr<ending> own(static_cast<ending*>(given));
    suppress_tracing();
    ((*own->sink).*own->how)(own->until);
    sem_post(own->ended.get());
    return nullptr;
  };
  for (std::shared_ptr<record_sink> const& sink : sinks) {
    auto one = std::make_unique<ending>(ending{sink, how, until, ended});
    if (start_library_thread("fulgurite-end", run, one.get()))
      static_cast<void>(one.release());
    else  // no thread is to be had: here and one after the other
      run(one.release());
  }
  const std::int64_t last = until + end_grace;
  const timespec when{static_cast<std::time_t>(last / 1'000'000'000), static_cast<long>(last % 1'000'000'000)};
  for (std::size_t i = 0; i < sinks.size(); ++i)
    while (sem_clockwait(ended.get(), CLOCK_MONOTONIC, &when) != 0)
      if (monotonic_now() >= last) return;
}

/// Waits until no thread is inside an exporter (but the calling one, whose exporter may have called exit()) and none of
/// the library's threads is in the middle of its end.
[[gnu::cold]] inline void wait_for_exporters(std::int64_t until) noexcept {
  wait_until(until, [] {
    bool ending = false;
    for_each_library_thread([&](pid_t, bool ends) { ending = ending || ends; });
    return !ending && process_end::instance().inside.load() <= exporter_calls_here;
  });
}
/// Waits until all the other threads of the library have gone.
[[gnu::cold]] inline bool wait_for_library_threads(std::int64_t until) noexcept {
  return wait_until(until, [] {
    bool any = false;
    for_each_library_thread([&](pid_t, bool) { any = true; });
    return !any;
  });
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
