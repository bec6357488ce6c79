// The processor role: takes finished records to the exporter.
//
// The collector hands a tracer's records to its processor one by one (`process`), and says when a round is over
// (`commit`); neither may block. The processor decides when they go to the exporter, as batches through an
// `export_target`, which counts what becomes of them. Models: `batch_processor` (processor/batch.hpp, the default),
// `inline_processor` (processor/inline.hpp), `any_processor` (processor/any_processor.hpp), and those that stand before
// another one: processor/decorator.hpp.
#pragma once

#include <fulgurite/context/clock.hpp>
#include <fulgurite/context/member_function.hpp>
#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/record/record_view.hpp>
#include <fulgurite/record/resource.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace fulgurite {
inline namespace v1 {

/// Why a span was not delivered.
enum class drop_cause : std::uint8_t {
  queue_full,     ///< the thread's ring or the processor's queue had no room
  too_large,      ///< the span alone is over what may be sent
  rejected,       ///< the backend took the request and refused the span
  export_failed,  ///< the backend could not be reached, or answered with an error
  shutdown,       ///< it ended, or was still queued, when the tracer was shut down
  signal          ///< it was made inside a signal handler
};
/// How many causes there are.
inline constexpr std::size_t drop_causes = 6;
/// Their names, in this order.
inline constexpr const char* drop_cause_names[drop_causes] = {"queue_full",    "too_large", "rejected",
                                                              "export_failed", "shutdown",  "signal"};

/// What a processor delivers to: a tracer's exporter, with the accounts kept.
class export_target {
 public:
  export_target() = default;
  export_target(export_target const&) = delete;
  export_target& operator=(export_target const&) = delete;
  virtual ~export_target() = default;

  /// Exports a run of packed records, and counts what became of the spans. One thread at a time.
  virtual batch_outcome export_records(std::span<const std::byte> records, std::size_t spans) noexcept = 0;
  virtual bool flush_exporter(deadline until) noexcept = 0;
  virtual bool shut_down_exporter(deadline until) noexcept = 0;
  /// Asks an export that is under way on another thread to give up.
  virtual void interrupt_exporter() noexcept = 0;
  /// Tells the exporter that shutdown has begun: what is still exported gets one attempt.
  virtual void hurry_exporter() noexcept {}
  /// When the exporter has work of its own to do while nothing is to be exported, and that work: a request at the most,
  /// where `export_records` is called.
  virtual deadline idle_at() const noexcept { return deadline::max(); }
  virtual void idle_exporter() noexcept {}
  /// The export that is under way will not return before the process ends: its spans count as dropped, unless it has
  /// been counted by now. Returns how many they are.
  virtual std::uint64_t abandon_export() noexcept { return 0; }
  /// What cannot be delivered at shutdown can still be put somewhere, if there is time for it.
  virtual bool keeps_undelivered() const noexcept { return false; }
  /// The record, or a copy with values of the tracer's greatest length (record/limits.hpp), valid until the next call:
  /// for a processor with cuts_values(), from its `process`.
  virtual record_view cut_values(record_view const& record) noexcept { return record; }
  virtual void count_dropped(drop_cause cause, std::uint64_t spans) noexcept = 0;
  /// Empties every thread's ring, so that `process` has seen all that has ended.
  virtual void collect() noexcept = 0;
  /// Collects soon, on another thread.
  virtual void wake_collector() noexcept {}
};

template <class P>
concept processor = std::movable<P> && requires(P p, const P c, std::shared_ptr<export_target> target,
                                                record_view const& record, deadline until) {
  requires clock<typename P::clock>;
  { P::exports_inline } -> std::convertible_to<bool>;
  p.start(target);
  { p.process(record) } noexcept;
  { p.commit() } noexcept;
  { p.flush(until) } noexcept -> std::same_as<bool>;
  { p.shutdown(until) } noexcept -> std::same_as<bool>;
  { c.queued() } noexcept -> std::convertible_to<std::uint64_t>;
};

// What a processor may have beside these. A tracer, an `any_processor` and a `processor_decorator` use them alike; a
// member of such a name that is not as its concept says is an error that `check_processor` puts in words.

/// Called by the engine's worker several times a second, for what must happen in time and not with a record.
template <class P>
concept processor_with_poll = requires(P& p) {
  { p.poll() } noexcept;
};
/// Whether the thread that ends a span waits until it is exported, where only the object knows it.
template <class P>
concept processor_with_is_inline = requires(P const& p) {
  { p.is_inline() } noexcept -> std::same_as<bool>;
};
/// What the end of a span does where the processor exports inline: it need not flush its exporter at every span.
template <class P>
concept processor_with_export_pending = requires(P& p, deadline until) {
  { p.export_pending(until) } noexcept -> std::same_as<bool>;
};
/// Whether it is given values in full length, and calls `export_target::cut_values` itself.
template <class P>
concept processor_with_cuts_values = requires(P const& p) {
  { p.cuts_values() } noexcept -> std::same_as<bool>;
};
/// Whether threads wait where there is no room (processor/overflow.hpp), and whether there is none now. The collector
/// leaves the next record where it is then; `export_target::wake_collector` says that there is room again.
template <class P>
concept processor_with_blocks = requires(P& p, P const& c) {
  { c.blocks() } noexcept -> std::same_as<bool>;
  { p.would_block() } noexcept -> std::same_as<bool>;
};
/// Called on a thread that forks: the processor must not be held or half changed by another thread until the second is
/// called, in both processes. In the child it must forget what it held, which the parent delivers, and its threads,
/// which are gone.
template <class P>
concept processor_with_fork_hooks = requires(P& p, bool in_child) {
  { p.before_fork() } noexcept;
  { p.after_fork(in_child) } noexcept;
};
/// Changes what goes out as the tracer's resource; called whenever that is set. May throw.
template <class P>
concept processor_with_redact_resource = requires(P const& p, resource& of) { p.redact_resource(of); };
/// The same for the scope.
template <class P>
concept processor_with_redact_scope = requires(P const& p, instrumentation_scope& of) { p.redact_scope(of); };

namespace detail {

// What a tracer, an `any_processor` or a decorator asks of a processor that may have the member or not.

template <class P>
void poll(P& processor) noexcept {
  if constexpr (processor_with_poll<P>) processor.poll();
}
template <class P>
bool export_pending(P& processor, deadline until) noexcept {
  if constexpr (processor_with_export_pending<P>)
    return processor.export_pending(until);
  else
    return processor.flush(until);
}
template <class P>
bool cuts_values(P const& processor) noexcept {
  if constexpr (processor_with_cuts_values<P>)
    return processor.cuts_values();
  else
    return false;
}
template <class P>
bool blocks(P const& processor) noexcept {
  if constexpr (processor_with_blocks<P>)
    return processor.blocks();
  else
    return false;
}
template <class P>
bool would_block(P& processor) noexcept {
  if constexpr (processor_with_blocks<P>)
    return processor.would_block();
  else
    return false;
}
template <class P>
void before_fork(P& processor) noexcept {
  if constexpr (processor_with_fork_hooks<P>) processor.before_fork();
}
template <class P>
void after_fork(P& processor, [[maybe_unused]] bool in_child) noexcept {
  if constexpr (processor_with_fork_hooks<P>) processor.after_fork(in_child);
}
template <class P>
void redact_resource(P const& processor, [[maybe_unused]] resource& of) {
  if constexpr (processor_with_redact_resource<P>) processor.redact_resource(of);
}
template <class P>
void redact_scope(P const& processor, [[maybe_unused]] instrumentation_scope& of) {
  if constexpr (processor_with_redact_scope<P>) processor.redact_scope(of);
}

}  // namespace detail

/// Whether the thread that ends a span waits until it is exported; `any_processor` knows it only at run time.
template <class P>
bool exports_inline(P const& processor) noexcept {
  if constexpr (processor_with_is_inline<P>)
    return processor.is_inline();
  else
    return P::exports_inline;
}

/// `static_assert(fulgurite::check_processor<mine>())` says in a sentence what a class lacks to be a processor.
template <class P>
consteval bool check_processor() {
  static_assert(std::movable<P>, "a processor must be movable: the tracer keeps it");
  static_assert(
      requires { requires clock<typename P::clock>; },
      "a processor needs a member type `clock`, such as fulgurite::tsc_clock: spans read it");
  static_assert(
      requires {
        { P::exports_inline } -> std::convertible_to<bool>;
      }, "a processor needs a member: static constexpr bool exports_inline");
  static_assert(
      requires(P p, std::shared_ptr<export_target> target) { p.start(target); },
      "a processor needs a member function: void start(std::shared_ptr<export_target>)");
  static_assert(
      requires(P p, record_view const& record) {
        { p.process(record) } noexcept;
      }, "a processor needs a member function: void process(record_view const&) noexcept");
  static_assert(
      requires(P p) {
        { p.commit() } noexcept;
      }, "a processor needs a member function: void commit() noexcept");
  static_assert(
      requires(P p, deadline until) {
        { p.flush(until) } noexcept -> std::same_as<bool>;
      }, "a processor needs a member function: bool flush(deadline) noexcept");
  static_assert(
      requires(P p, deadline until) {
        { p.shutdown(until) } noexcept -> std::same_as<bool>;
      }, "a processor needs a member function: bool shutdown(deadline) noexcept");
  static_assert(
      requires(const P p) {
        { p.queued() } noexcept -> std::convertible_to<std::uint64_t>;
      }, "a processor needs a member function: std::uint64_t queued() const noexcept");
  using detail::member_function;
  static_assert(
      processor_with_poll<P> || !requires { requires member_function<decltype(&P::poll)>; },
      "a processor's `poll` must be: void poll() noexcept");
  static_assert(
      processor_with_is_inline<P> || !requires { requires member_function<decltype(&P::is_inline)>; },
      "a processor's `is_inline` must be: bool is_inline() const noexcept");
  static_assert(
      processor_with_export_pending<P> || !requires { requires member_function<decltype(&P::export_pending)>; },
      "a processor's `export_pending` must be: bool export_pending(deadline) noexcept");
  static_assert(
      processor_with_cuts_values<P> || !requires { requires member_function<decltype(&P::cuts_values)>; },
      "a processor's `cuts_values` must be: bool cuts_values() const noexcept");
  static_assert(
      processor_with_blocks<P> || !requires { requires member_function<decltype(&P::blocks)>; },
      "a processor that blocks needs both: bool blocks() const noexcept, and bool would_block() noexcept");
  static_assert(
      processor_with_blocks<P> || !requires { requires member_function<decltype(&P::would_block)>; },
      "a processor that blocks needs both: bool blocks() const noexcept, and bool would_block() noexcept");
  static_assert(
      processor_with_fork_hooks<P> || !requires { requires member_function<decltype(&P::before_fork)>; },
      "a processor's hooks at a fork are both: void before_fork() noexcept, and void after_fork(bool in_child) "
      "noexcept");
  static_assert(
      processor_with_fork_hooks<P> || !requires { requires member_function<decltype(&P::after_fork)>; },
      "a processor's hooks at a fork are both: void before_fork() noexcept, and void after_fork(bool in_child) "
      "noexcept");
  static_assert(
      processor_with_redact_resource<P> || !requires { requires member_function<decltype(&P::redact_resource)>; },
      "a processor's `redact_resource` must be: void redact_resource(resource&) const");
  static_assert(
      processor_with_redact_scope<P> || !requires { requires member_function<decltype(&P::redact_scope)>; },
      "a processor's `redact_scope` must be: void redact_scope(instrumentation_scope&) const");
  return processor<P>;
}

}  // namespace v1
}  // namespace fulgurite
