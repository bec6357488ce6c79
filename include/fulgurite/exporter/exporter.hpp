// The exporter role: takes batches of finished spans out of the process.
//
// A model is any class with the three members below; nothing is inherited. The batch processor calls `export_spans`
// from one thread at a time, never concurrently; `flush` and `shutdown` come from the same thread. Retries are the
// exporter's own (OpenTelemetry, trace/sdk.md, Span Exporter). It may also have, called from any thread:
//
//   exporter_stats stats() const             what it counts by itself
//   health_report check_health(deadline)     asks the backend
//   void interrupt() noexcept                makes the `export_spans` that is under way give up
//   void hurry() noexcept                    shutdown has begun: for good, a batch gets one attempt and nothing is
//                                            waited for, also in the `export_spans` that is under way
//   deadline idle_at() const noexcept        when `idle` wants to be called; `deadline::max()`: not before the next
//                                            batch
//   bool keeps_undelivered() const noexcept  what it cannot deliver at shutdown it can still put somewhere, if it is
//                                            given the time: it is interrupted some time before the end
//   bool is_exit_safe() const noexcept       all that its libraries destroy at exit() they had made when its
//                                            constructor returned, so that it can deliver until what was registered for
//                                            exit() before that is called. Of one that does not say so the tracer ends
//                                            as soon as exit() has begun, once it has delivered
//   void after_fork() noexcept               in the child of a fork, which has one thread: locks that another one held,
//                                            and connections, are the parent's
//
// and, called as `export_spans` is:
//
//   void idle() noexcept                     work of its own while there is nothing to export, for about one request
//
// Models: `noop_exporter` (exporter/noop.hpp), `memory_exporter`, `console_exporter`, `otlp_http_exporter`,
// `otlp_grpc_exporter`, `jaeger_http_exporter`, `jaeger_udp_exporter`, `zipkin_exporter`, `agentops_exporter`,
// `file_exporter`, each in its own header here; `fan_out` joins several.
#pragma once

#include <fulgurite/record/span_batch.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>

namespace fulgurite {
inline namespace v1 {

/// What became of a batch, after all retries.
enum class export_result { success, failure };

/// When something must be done: never `now + timeout` computed twice.
using deadline = std::chrono::steady_clock::time_point;

template <class E>
concept exporter = std::movable<E> && requires(E e, span_batch const& batch, deadline until) {
  { e.export_spans(batch) } -> std::same_as<export_result>;
  { e.flush(until) } -> std::same_as<bool>;
  { e.shutdown(until) } -> std::same_as<bool>;
};

/// Whether a backend answered: what `check_health` reports.
struct health_report {
  bool reachable = false;
  std::string endpoint = {};
  /// In words: what is wrong, or how it answered.
  std::string reason = {};
  std::chrono::nanoseconds latency{0};
};

/// What an exporter counts by itself; one that has no member `stats()` counts a whole batch by its result.
struct exporter_stats {
  /// Requests that were sent again.
  std::uint64_t retried = 0;
  /// Of batches reported as success: spans that the backend refused (OTLP partial success).
  std::uint64_t rejected = 0;
  /// Of batches reported as success: spans too large to be sent.
  std::uint64_t too_large = 0;
  /// Of batches reported as success: spans that wait in the spool.
  std::uint64_t spooled = 0;
  /// Of batches reported as success: spans that were in the spool and could not be delivered after all.
  std::uint64_t failed = 0;
  /// Spans of earlier processes, delivered from the spool: in none of this process's accounts.
  std::uint64_t replayed = 0;
  /// Files of the spool that could not be read.
  std::uint64_t set_aside = 0;
  /// Of batches reported as success, by an exporter that has a queue of its own: spans that wait there, in memory; that
  /// found no room there; that were given up there at shutdown.
  std::uint64_t waiting = 0, queue_full = 0, shutdown = 0;
};

/// `static_assert(fulgurite::check_exporter<mine>())` says in a sentence what a class lacks to be an exporter.
template <class E>
consteval bool check_exporter() {
  static_assert(std::movable<E>, "an exporter must be movable: the tracer keeps it");
  static_assert(
      requires(E e, span_batch const& batch) {
        { e.export_spans(batch) } -> std::same_as<export_result>;
      }, "an exporter needs a member function: export_result export_spans(span_batch const&)");
  static_assert(
      requires(E e, deadline until) {
        { e.flush(until) } -> std::same_as<bool>;
      }, "an exporter needs a member function: bool flush(deadline)");
  static_assert(
      requires(E e, deadline until) {
        { e.shutdown(until) } -> std::same_as<bool>;
      }, "an exporter needs a member function: bool shutdown(deadline)");
  return exporter<E>;
}

}  // namespace v1
}  // namespace fulgurite
