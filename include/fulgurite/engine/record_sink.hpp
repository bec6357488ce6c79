// Where the collector takes complete records: a tracer's pipeline, as the engine sees it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class clock_converter;

class record_sink {
 public:
  record_sink() = default;
  record_sink(record_sink const&) = delete;
  record_sink& operator=(record_sink const&) = delete;
  virtual ~record_sink() = default;

  /// A complete record, its times still in the clock's ticks: they are converted in place. Called by one thread at a
  /// time; must not block.
  virtual void accept(std::byte* record, clock_converter const& clock) noexcept = 0;
  /// The end of a round in which `accept` was called.
  virtual void commit() noexcept = 0;
  /// Called by the worker several times a second, between rounds: time limits are watched here. Must not block.
  virtual void poll() noexcept = 0;
  /// Exports on the calling thread what was accepted, where the processor is of that kind. Not under the lock.
  virtual void export_inline() noexcept = 0;
  /// Whether threads wait where there is no room for their records, rather than drop them.
  virtual bool blocks() const noexcept { return false; }
  /// Of such a sink: there is no room now. The collector leaves the record in its ring.
  virtual bool would_block() noexcept { return false; }
  /// How long the end of the process may wait for this sink, in nanoseconds; below 0 when there is nothing to wait for.
  virtual std::int64_t end_timeout() const noexcept { return -1; }
  /// exit() has begun, and static objects are still there: delivers what has ended by now, until a time of
  /// CLOCK_MONOTONIC in nanoseconds. What may not be able to deliver later ends here.
  virtual void deliver_before_end(std::int64_t until) noexcept { static_cast<void>(until); }
  /// The last moment: delivers, and ends. What comes later is counted.
  virtual void end_with_process(std::int64_t until) noexcept { static_cast<void>(until); }
  /// Logs what was lost, unless that has been logged already. Not under the lock.
  virtual void say_what_was_lost() noexcept {}
  /// Around a fork, on the thread that forks. Between the two nothing of the sink is held or half changed by another
  /// thread. In the child the other threads are gone, and everything that was collected is the parent's.
  virtual void before_fork() noexcept {}
  virtual void after_fork(bool in_child) noexcept { static_cast<void>(in_child); }
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
