// The exporter role: takes batches of finished spans out of the process.
//
// A model is any class with the three members that the concept `exporter` asks for; nothing is inherited. The batch
// processor calls `export_spans` from one thread at a time, never concurrently; `flush` and `shutdown` come from the
// same thread. Retries are the exporter's own (OpenTelemetry, trace/sdk.md, Span Exporter). It may have more: the
// concepts `exporter_with_...` below name each further member and what it is for. A tracer and an `any_exporter` use
// them alike; a member of such a name that is not as its concept says is an error that `check_exporter` puts in words.
//
// Models: `noop_exporter` (exporter/noop.hpp), `memory_exporter`, `console_exporter`, `otlp_http_exporter`,
// `otlp_grpc_exporter`, `jaeger_http_exporter`, `jaeger_udp_exporter`, `zipkin_exporter`, `agentops_exporter`,
// `file_exporter`, each in its own header here; `fan_out` joins several.
#pragma once

#include <fulgurite/context/member_function.hpp>
#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/record/span_batch.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>

namespace fulgurite {
inline namespace v1 {

namespace detail {

template <class R>
concept export_answer = std::same_as<R, export_result> || std::same_as<R, batch_outcome>;

}  // namespace detail

template <class E>
concept exporter = std::movable<E> && requires(E e, span_batch const& batch, deadline until) {
  { e.export_spans(batch) } -> detail::export_answer;
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

/// What an exporter counts by itself, since it was made.
struct exporter_stats {
  /// Requests that were sent again.
  std::uint64_t retried = 0;
  /// Of spans that outcomes called `spooled` or `waiting`: what has become of them since. The others still wait.
  settled_spans settled = {};
  /// Of those that wait: how many are in the spool, which the end of the process does not lose.
  std::uint64_t spooled = 0;
  /// Spans of earlier processes, delivered from the spool: in none of this process's accounts.
  std::uint64_t replayed = 0;
  /// Files of the spool that could not be read.
  std::uint64_t set_aside = 0;
};

// What an exporter may have beside the three. All are called from any thread, unless said otherwise.

/// What it counts by itself.
template <class E>
concept exporter_with_stats = requires(E const& e) {
  { e.stats() } -> std::same_as<exporter_stats>;
};
/// Asks the backend.
template <class E>
concept exporter_with_check_health = requires(E& e, deadline until) {
  { e.check_health(until) } -> std::same_as<health_report>;
};
/// Makes the `export_spans` that is under way give up.
template <class E>
concept exporter_with_interrupt = requires(E& e) {
  { e.interrupt() } noexcept;
};
/// Shutdown has begun: for good, a batch gets one attempt and nothing is waited for, also in the `export_spans` that is
/// under way.
template <class E>
concept exporter_with_hurry = requires(E& e) {
  { e.hurry() } noexcept;
};
/// It has work of its own while there is nothing to export: `idle` does it, for about one request, and is called as
/// `export_spans` is; `idle_at` says when it wants to be called, `deadline::max()`: not before the next batch.
template <class E>
concept exporter_with_idle = requires(E& e, E const& c) {
  { c.idle_at() } noexcept -> std::same_as<deadline>;
  { e.idle() } noexcept;
};
/// What it cannot deliver at shutdown it can still put somewhere, if it is given the time: it is interrupted some time
/// before the end.
template <class E>
concept exporter_with_keeps_undelivered = requires(E const& e) {
  { e.keeps_undelivered() } noexcept -> std::same_as<bool>;
};
/// Whether all that its libraries destroy at exit() they had made when its constructor returned, so that it can deliver
/// until what was registered for exit() before that is called. Of one that does not say so the tracer ends as soon as
/// exit() has begun, once it has delivered.
template <class E>
concept exporter_with_is_exit_safe = requires(E const& e) {
  { e.is_exit_safe() } noexcept -> std::same_as<bool>;
};
/// Called in the child of a fork, which has one thread: locks that another one held, and connections, are the parent's.
/// What `stats()` counts begins anew there, as the tracer's accounts do.
template <class E>
concept exporter_with_after_fork = requires(E& e) {
  { e.after_fork() } noexcept;
};

namespace detail {

// What a tracer, or an `any_exporter`, asks of an exporter that may have the member or not.

template <class E>
exporter_stats stats_of(E const& exporter) {
  if constexpr (exporter_with_stats<E>)
    return exporter.stats();
  else
    return {};
}
template <class E>
health_report check_health(E& exporter, [[maybe_unused]] deadline until) {
  if constexpr (exporter_with_check_health<E>)
    return exporter.check_health(until);
  else
    return {true, "", "this exporter reaches out to nobody", {}};
}
template <class E>
void interrupt(E& exporter) noexcept {
  if constexpr (exporter_with_interrupt<E>) exporter.interrupt();
}
template <class E>
void hurry(E& exporter) noexcept {
  if constexpr (exporter_with_hurry<E>) exporter.hurry();
}
template <class E>
deadline idle_at(E const& exporter) noexcept {
  if constexpr (exporter_with_idle<E>)
    return exporter.idle_at();
  else
    return deadline::max();
}
template <class E>
void idle(E& exporter) noexcept {
  if constexpr (exporter_with_idle<E>) exporter.idle();
}
template <class E>
bool keeps_undelivered(E const& exporter) noexcept {
  if constexpr (exporter_with_keeps_undelivered<E>)
    return exporter.keeps_undelivered();
  else
    return false;
}
template <class E>
bool is_exit_safe(E const& exporter) noexcept {
  if constexpr (exporter_with_is_exit_safe<E>)
    return exporter.is_exit_safe();
  else
    return false;
}
template <class E>
void after_fork(E& exporter) noexcept {
  if constexpr (exporter_with_after_fork<E>) exporter.after_fork();
}

}  // namespace detail

/// `static_assert(fulgurite::check_exporter<mine>())` says in a sentence what a class lacks to be an exporter, or what
/// is wrong with what it may have.
template <class E>
consteval bool check_exporter() {
  using detail::member_function;
  static_assert(std::movable<E>, "an exporter must be movable: the tracer keeps it");
  static_assert(
      requires(E e, span_batch const& batch) {
        { e.export_spans(batch) } -> detail::export_answer;
      },
      "an exporter needs a member function: export_result export_spans(span_batch const&), or one that returns a "
      "batch_outcome");
  static_assert(
      requires(E e, deadline until) {
        { e.flush(until) } -> std::same_as<bool>;
      }, "an exporter needs a member function: bool flush(deadline)");
  static_assert(
      requires(E e, deadline until) {
        { e.shutdown(until) } -> std::same_as<bool>;
      }, "an exporter needs a member function: bool shutdown(deadline)");
  static_assert(
      exporter_with_stats<E> || !requires { requires member_function<decltype(&E::stats)>; },
      "an exporter's `stats` must be: exporter_stats stats() const");
  static_assert(
      exporter_with_check_health<E> || !requires { requires member_function<decltype(&E::check_health)>; },
      "an exporter's `check_health` must be: health_report check_health(deadline)");
  static_assert(
      exporter_with_interrupt<E> || !requires { requires member_function<decltype(&E::interrupt)>; },
      "an exporter's `interrupt` must be: void interrupt() noexcept");
  static_assert(
      exporter_with_hurry<E> || !requires { requires member_function<decltype(&E::hurry)>; },
      "an exporter's `hurry` must be: void hurry() noexcept");
  static_assert(
      exporter_with_idle<E> || !requires { requires member_function<decltype(&E::idle_at)>; },
      "an exporter's `idle` needs both: deadline idle_at() const noexcept, and void idle() noexcept");
  static_assert(
      exporter_with_idle<E> || !requires { requires member_function<decltype(&E::idle)>; },
      "an exporter's `idle` needs both: deadline idle_at() const noexcept, and void idle() noexcept");
  static_assert(
      exporter_with_keeps_undelivered<E> || !requires { requires member_function<decltype(&E::keeps_undelivered)>; },
      "an exporter's `keeps_undelivered` must be: bool keeps_undelivered() const noexcept");
  static_assert(
      exporter_with_is_exit_safe<E> || !requires { requires member_function<decltype(&E::is_exit_safe)>; },
      "an exporter's `is_exit_safe` must be: bool is_exit_safe() const noexcept");
  static_assert(
      exporter_with_after_fork<E> || !requires { requires member_function<decltype(&E::after_fork)>; },
      "an exporter's `after_fork` must be: void after_fork() noexcept");
  return exporter<E>;
}

}  // namespace v1
}  // namespace fulgurite
