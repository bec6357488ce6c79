// What both span types have: the calls that set something, and the fast path from start to end.
#pragma once

#include <fulgurite/record/attribute_key.hpp>
#include <fulgurite/span/start.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The readable name of a type, such as `std::runtime_error`.
inline std::string type_name(std::type_info const& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 && text ? text : type.name();
  std::free(text);
  return name;
}

template <class Clock>
class span_base {
 public:
  span_base(span_base const&) = delete;
  span_base& operator=(span_base const&) = delete;

  /// What is set now will be exported.
  bool is_recording() const noexcept { return (mode_ & (span_fast | span_slow)) != 0; }

  /// Sets an attribute; of equal keys the last value counts. A callable is called only when the span records.
  template <attribute_source V>
  [[gnu::always_inline]] void set_attribute(attribute_name key, V&& value) noexcept {
    if (!is_recording()) return;
    if constexpr (attribute_compatible<V>)
      record_.set_attribute(key, value);
    else
      record_.set_lazy(value, [&](auto const& made) { record_.set_any_attribute(key, value_view(made)); });
  }
  template <fixed_string Key, class T>
  [[gnu::always_inline]] void set_attribute(bound_attribute<Key, T>&& attribute) noexcept {
    set_attribute(attribute_name(Key.text), attribute.value());
  }

  /// Adds an event at the present time.
  void add_event(span_name name, attribute_list attributes = {}) noexcept {
    if (is_recording()) record_.add_event(name, event_time(), attributes);
  }
  /// Adds a link; one to an invalid context is ignored.
  void add_link(span_context const& to, attribute_list attributes = {}) noexcept {
    if (is_recording()) record_.add_link(to, attributes);
  }
  /// Unset is ignored, ok is final, a description counts with an error only.
  void set_status(status_code code, std::string_view description = {}) noexcept {
    if (is_recording()) record_.set_status(code, description);
  }
  /// Adds an event `exception` with type and message (OpenTelemetry, trace/exceptions.md). The status stays as it is.
  /// Attributes given here win over those.
  void record_exception(std::exception const& error, attribute_list attributes = {}) noexcept try {
    if (!is_recording()) return;
    std::vector<attribute_view> all;
#ifdef __cpp_rtti
    const std::string type = type_name(typeid(error));
#else
    const std::string type = "std::exception";  // all that can be known
#endif
    const auto add = [&](std::string_view key, std::string_view value) {
      for (std::size_t i = 0; i < attributes.size(); ++i)
        if (attributes[i].key == key) return;
      all.emplace_back(key, value);
    };
    add("exception.type", type);
    add("exception.message", error.what());
    for (std::size_t i = 0; i < attributes.size(); ++i) all.push_back(attributes[i]);
    record_.add_event("exception", event_time(), all);
  } catch (...) {
    record_.drop_event();
  }
  void update_name(span_name name) noexcept {
    if (is_recording()) record_.set_name(name);
  }

  /// The span's context. Of a span that is not recorded: that of the local root which decided so.
  span_context context() const {
    if ((mode_ & (span_fast | span_slow | span_has_context | span_ended)) == 0) return current_context().span();
    const record_header& header = record_.header;
    return span_context(header.trace_id, header.span_id, trace_flags(header.flags), false, state_of_trace());
  }

 protected:
  span_base() = default;
  ~span_base() = default;

  /// The fast path: a child of the current span, in the same pipeline.
  template <class... Bound>
  [[gnu::always_inline]] void start_fast(thread_state& thread, std::uint32_t pipeline, span_name name,
                                         Bound&... bound) noexcept {
    // First: the instructions written by hand below make the compiler forget what it knows of the values.
    const bool fits = record_.write_slots(bound...);
    active_context const& current = thread.current;
    thread_counts::increment(current.counts->started);
    record_header& header = record_.header;
    header.parent_span_id = current.span;
    header.span_id = span_id::from_wire(next_random_id(thread.random));
    header.trace_id = current.trace;
    header.pipeline = pipeline;
    record_.start_name(name, current.record_bits);
    record_.write_items(fits, bound...);
    mode_ = span_fast;
    header.start = Clock::now();
  }

  /// A local root on a thread at rest, with nothing said beside name and attributes, in a pipeline whose sampler is a
  /// plain threshold. False when it is not that simple; nothing has been done then.
  template <class... Bound>
  [[gnu::noinline]] bool start_root(pipeline_handle const& handle, span_name name, Bound&... bound) noexcept {
    pipeline const& to = *handle.pipeline;
    thread_state& thread = *this_thread;
    thread_counts* const counts = thread.recent_counts;
    if (!to.has_simple_roots() || counts->pipeline.load(std::memory_order_relaxed) != handle.key) return false;
    thread_counts::increment(counts->started);
    const trace_id trace = new_trace_id(thread);
    const span_id id = root_span_id(trace);
    active_context& current = thread.current;
    // A signal handler that traces must not take the thread for one at rest, and leave it so.
    current.fast_pipeline = no_pipeline;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    current.trace = trace;
    current.counts = counts;
    record_header& header = record_.header;
    header.trace_id = trace;
    header.span_id = id;
    header.parent_span_id = {};
    header.pipeline = handle.key;
    if (trace.randomness() < to.root_threshold()) {
      current.flags = trace_flags(trace_flags::random_bit);
      header.flags = trace_flags::random_bit;
      current.decision = local_decision::unrecorded;
      std::atomic_signal_fence(std::memory_order_seq_cst);
      current.span = id;
      current.fast_pipeline = handle.key | unrecorded_bit;
      mode_ = span_root | span_has_context;
      return true;
    }
    constexpr std::uint8_t flags = trace_flags::random_bit | trace_flags::sampled_bit;
    constexpr std::uint8_t marks =
        Clock::unit == clock_unit::ticks ? 0 : mark_start_in_nanoseconds | mark_end_in_nanoseconds;
    const std::uint64_t bits = header_bits(flags, marks) | thread.generation_bits;
    current.flags = trace_flags(flags);
    current.record_bits = bits;
    current.decision = local_decision::recorded;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    current.span = id;  // makes the context valid
    current.fast_pipeline = handle.key;
    mode_ = span_root | span_fast;
    const bool fits = record_.write_slots(bound...);
    if (!name.is_literal() || name.size() > 0xffff) [[unlikely]]
      return name_root(name, bits | header_bits(0, mark_local_root), fits, bound...);
    record_.start_name(name, bits | header_bits(0, mark_local_root));
    record_.write_items(fits, bound...);
    header.start = Clock::now();
    return true;
  }
  /// The rest of start_root for a name that must be copied: a tail call, which keeps registers out of the other way.
  template <class... Bound>
  [[gnu::noinline]] bool name_root(span_name name, std::uint64_t bits, bool fits, Bound&... bound) noexcept {
    record_.start_name(name, bits);
    record_.write_items(fits, bound...);
    record_.header.start = Clock::now();
    return true;
  }

  /// A given attribute as the sampler sees it; a callable is not called for it.
  template <class Bound>
  static attribute_view view_of(Bound& bound) noexcept {
    if constexpr (attribute_compatible<typename Bound::value_type>)
      return attribute_view(Bound::key(), value_view(bound.value()));
    else
      return attribute_view(Bound::key(), value_view());
  }

  template <class... Bound>
  [[gnu::noinline]] span_start start_slow(pipeline_handle const& handle, span_name name, const span_options* options,
                                          Bound&... bound) noexcept {
    const std::uint64_t now = Clock::now();
    const std::array<attribute_view, sizeof...(Bound)> views{view_of(bound)...};
    bool fits = true;
    const auto slots = [&] { fits = record_.write_slots(bound...); };
    const auto items = [&] { record_.write_items(fits, bound...); };
    span_start start = detail::start_slow(handle, record_, name, options, {views, slots, items}, now);
    mode_ = start.mode;
    return start;
  }

  /// The fast path's end: one record into the ring.
  [[gnu::always_inline]] void end_fast(thread_state& thread, std::uint64_t now) noexcept {
    const std::uint32_t size = static_cast<std::uint32_t>(sizeof(record_header)) + record_.used;
    const claimed_place place = try_claim(thread, size);
    if (!place) [[unlikely]]
      return end_without_room(thread, now);
    write_record(now, place, size);
  }
  /// Something was dropped and must be said, or there is no room.
  [[gnu::noinline, gnu::cold]] void end_without_room(thread_state& thread, std::uint64_t now) noexcept {
    record_.write_dropped_counts();
    const std::uint32_t size = static_cast<std::uint32_t>(sizeof(record_header)) + record_.payload_size();
    if (const claimed_place place = reserve(thread, size, record_.header)) write_record(now, place, size);
  }

  /// Into the place that was claimed for it.
  [[gnu::always_inline]] void write_record(std::uint64_t now, claimed_place const& place, std::uint32_t size) noexcept {
    std::byte* const out = place.out;
    record_header const& header = record_.header;
    const std::uint32_t used = size - static_cast<std::uint32_t>(sizeof header);
    std::memcpy(out, &header, sizeof header);
    // Not into the header before the copy: a vector read of a word written a moment ago would wait for the store
    // buffer.
    auto* const written = reinterpret_cast<record_header*>(out);
    written->end = now;
    written->size = size;
    const std::byte* const payload = record_.payload();
    for (std::uint32_t i = 0; i < used; i += ring_slack) std::memcpy(out + sizeof header + i, payload + i, ring_slack);
    place.publish();
  }

  std::uint64_t event_time() const noexcept {
    const bool fell_back = Clock::unit == clock_unit::ticks && (record_.header.marks & mark_end_in_nanoseconds) != 0;
    return fell_back ? steady_clock::now() : Clock::now();
  }

  /// The trace state of the trace this span is of, where it is current on this thread.
  trace_state state_of_trace() const {
    active_context const& current = this_thread->current;
    return current.extras && current.trace == record_.header.trace_id ? current.extras->trace_state : trace_state();
  }

  std::uint8_t mode_;  // set by every constructor: at once, the fast path would pay for it
  open_record record_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
