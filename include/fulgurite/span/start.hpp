// Starting a span off the fast path: local roots, given parents, other tracers' children, samplers that ask for all.
#pragma once

#include <fulgurite/context/current.hpp>
#include <fulgurite/span/open_record.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What the slow start decides: how the span goes on, and what is current in its scope.
struct span_start {
  std::uint8_t mode = span_off;
  active_context scope;
  extras_ref extras;
};

/// The extras of a local root: the parent's, with this trace state.
[[gnu::noinline, gnu::cold]] inline extras_ref extras_with(const context_extras* from, trace_state const& state) {
  if (from ? from->trace_state == state : state.empty()) return extras_ref::share(from);
  return extras_ref(from ? new context_extras{state, from->baggage, from->kept} : new context_extras{state, {}, {}});
}

/// The attributes given with a span's name, with their types behind functions.
struct given_attributes {
  std::span<const attribute_view> views;  // for the sampler
  function_ref<void()> write_slots;
  function_ref<void()> write_items;
};

/// A new trace's id. The low half is random; the high half only makes it unique, and is never zero with the low one.
[[gnu::always_inline]] inline trace_id new_trace_id(thread_state& thread) noexcept {
  const std::uint64_t low = next_random(thread.random);
  return trace_id::from_wire(std::rotl(low, 32) ^ thread.trace_seed, low);
}
/// The id of a new trace's root. It is a one-to-one image of the trace's random half, so as random and as unique as
/// another number would be, and cheaper to make.
[[gnu::always_inline]] inline span_id root_span_id(trace_id const& trace) noexcept {
  std::uint64_t number = trace.wire_second() * 0x2545f491U;  // any odd factor
  asm("" : "+r"(number));  // or the test for zero goes back to the random number's parts, for eight instructions
  return span_id::from_wire(number + (number == 0 ? 1 : 0));
}

/// Makes a thread at rest again whose local root has ended.
inline void rest(thread_state& thread) noexcept {
  active_context& current = thread.current;
  // First, so that a signal handler which traces begins a root of its own, and leaves what the lines below make.
  current.fast_pipeline = at_rest;
  current.decision = local_decision::none;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current.span = {};  // the context is invalid from here on
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current.trace = {};
  current.flags = {};
}

/// The same where the root did not end in order: scopes inside it are still open, and must not bring it back.
[[gnu::noinline, gnu::cold]] inline void rest_out_of_order(thread_state& thread, trace_id const& trace) noexcept {
  for (scope_link* scope = thread.scopes; scope; scope = scope->outer)
    if (scope->saved.trace == trace) {
      scope->saved = {};
      scope->saved.fast_pipeline = scope->outer ? no_pipeline : at_rest;
    }
  if (thread.current.trace != trace) return;
  rest(thread);
  if (thread.scopes) thread.current.fast_pipeline = no_pipeline;
}

/// Begins a span: asks the sampler where it must be asked, fills the record. `now` is the clock's time.
[[gnu::noinline]] inline span_start start_slow(pipeline_handle const& handle, open_record& record, span_name name,
                                               const span_options* options, given_attributes const& given_with,
                                               std::uint64_t now) noexcept try {
  span_start start;
  pipeline* const to = handle.pipeline;
  if (!to || !to->is_open()) return start;
  const std::uint32_t key = to->key();  // not the handle's, which is cleared while the process ends
  thread_state* const thread = own_thread();
  if (!thread || thread->suppressed) return start;
  library_call call(*thread);
  if (call.is_nested()) {  // in a signal handler, which must not enter this function again
    if (thread_counts* counts = counts_of(*thread, key)) thread_counts::increment(counts->dropped_signal);
    return start;
  }
  active_context const& current = thread->current;
  thread_counts* const counts = counts_of(*thread, key);
  if (!counts) return start;
  thread->recent_counts = counts;
  thread_counts::increment(counts->started);

  const span_parent parent = options ? options->parent : span_parent();
  const span_kind kind = options ? options->kind : span_kind::internal;
  const bool below_current = parent.is_current() && current.decision != local_decision::none;
  span_id parent_id = current.span;
  trace_id trace = current.trace;
  trace_flags flags = current.flags;
  bool recorded = current.decision == local_decision::recorded;
  bool remote_parent = false, local_root = false;
  std::vector<attribute> added;
  const span_id id = span_id::from_wire(next_random_id(thread->random));

  if (below_current && !to->asks_children()) {
    if (!recorded) return start;
    start.extras = extras_ref::share(current.extras);
  } else {
    context given = parent.given_context() ? *parent.given_context()
                    : parent.given_span()  ? context(*parent.given_span(), extras_ref::share(current.extras))
                                           : context_of(current);
    if (parent.is_root()) given = context(span_context(), given.extras());
    span_context const& origin = given.span();
    const bool continues = origin.is_valid();
    // A parent of this process has decided already, wherever it is open.
    const bool inherits = continues && !origin.is_remote() && !below_current;
    trace = continues ? origin.trace_id() : new_trace_id(*thread);
    parent_id = continues ? origin.span_id() : span_id();
    remote_parent = continues && origin.is_remote();
    local_root = !below_current && !inherits;
    trace_state state = continues ? origin.trace_state() : trace_state();
    flags = continues ? origin.flags() : trace_flags(trace_flags::random_bit);
    if (inherits && !to->asks_children()) {
      recorded = origin.sampled();
    } else {
      sampling_result result = to->sample({given, trace, name.view(), kind, given_with.views});
      recorded = result.decision != sampling_decision::drop;
      flags = flags.with_sampled(result.decision == sampling_decision::record_and_sample);
      if (result.trace_state) state = std::move(*result.trace_state);
      added = std::move(result.attributes);
    }
    start.extras = extras_with(given.extras().get(), state);
  }

  record_header& header = record.header;
  header.schema = nullptr;
  header.start = now;
  header.trace_id = trace;
  header.span_id = id;
  header.parent_span_id = parent_id;
  header.pipeline = key;
  header.kind = kind_in_generation(kind, generation_of(thread->generation_bits));
  header.status = status_code::unset;
  header.flags = flags.bits();
  header.pieces = 0;
  header.marks = to->clock_marks();
  record.clear_payload();

  start.scope.trace = trace;
  start.scope.span = id;
  start.scope.extras = start.extras.get();
  start.scope.counts = counts;
  start.scope.flags = flags;
  start.scope.decision = recorded ? local_decision::recorded : local_decision::unrecorded;
  if (!recorded) {
    start.scope.fast_pipeline = to->asks_children() ? no_pipeline : key | unrecorded_bit;
    start.mode = span_has_context;
    return start;
  }
  const bool has_state = start.extras && !start.extras->trace_state.empty();
  start.scope.record_bits = header_bits(header.flags, header.marks) | thread->generation_bits;
  if (to->is_fast() && !has_state) start.scope.fast_pipeline = key;
  start.mode = static_cast<std::uint8_t>(span_slow | (to->is_inline() ? span_inline : 0));

  header.marks = static_cast<std::uint8_t>(header.marks | (local_root ? mark_local_root : 0) |
                                           (remote_parent ? mark_remote_parent : 0));
  if (to->falls_back()) {
    header.start = steady_clock::now();
    header.marks = static_cast<std::uint8_t>(header.marks | mark_start_in_nanoseconds | mark_end_in_nanoseconds);
  }
  if (options && options->start_time > 0) {
    header.start = static_cast<std::uint64_t>(options->start_time);
    header.marks = static_cast<std::uint8_t>(header.marks | mark_start_in_nanoseconds);
  }
  call.end();  // what follows may need room in the ring, which is a call of its own
  given_with.write_slots();
  record.set_name(name);
  if (has_state) record.set_text(item_kind::trace_state, start.extras->trace_state.to_header());
  record.set_attributes_beside_schema(added);
  given_with.write_items();
  if (options)
    for (link_view const& link : options->links) record.add_link(link.context, link.attributes);
  return start;
} catch (...) {
  return {};  // no memory for a context: the span is not recorded
}

/// Ends a span off the fast path: writes the record, and waits for its export where the processor works like that.
[[gnu::noinline]] inline void end_slow(open_record& record, std::uint64_t now, clock_unit unit) noexcept {
  thread_state* const thread = own_thread();
  if (!thread) return;
  record_header& header = record.header;
  const bool fell_back = unit == clock_unit::ticks && (header.marks & mark_end_in_nanoseconds) != 0;
  header.end = fell_back ? steady_clock::now() : now;
  record.write_dropped_counts();
  const std::uint8_t mode = record.mode();
  header.size = record.size();
  if (const claimed_place place = reserve(*thread, header.size, header)) {
    std::memcpy(place.out, &header, sizeof header);
    std::memcpy(place.out + sizeof header, record.payload(), record.payload_size());
    place.publish();
  }
  if ((mode & span_inline) != 0) engine::instance().collect_and_export_inline(header.pipeline);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
