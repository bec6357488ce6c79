// What both span types have: the calls that set something, and the fast path from start to end.
#pragma once

#include <fulgurite/record/attribute_key.hpp>
#include <fulgurite/span/start.hpp>

#include <array>
#include <cstddef>
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
  bool is_recording() const noexcept { return record_.is_recording(); }

  /// Sets an attribute; of equal keys the last value counts. A callable is called only when the span records.
  template <attribute_source V>
  [[gnu::always_inline]] void set_attribute(attribute_name key, V&& value) noexcept {
    if constexpr (attribute_compatible<V>) {
      if (record_.set_number(key, value)) [[likely]]
        return;
      if (is_recording()) record_.set_any_attribute(key, value_view(value));
    } else if (is_recording())
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
    if ((record_.mode() & (span_fast | span_slow | span_has_context | span_ended)) == 0)
      return current_context().span();
    const record_header& header = record_.header;
    return span_context(header.trace_id, header.span_id, trace_flags(header.flags), false, state_of_trace());
  }

 protected:
  span_base() = default;
  ~span_base() = default;

  /// The fast path: a child of the current span, in the same pipeline. `Current`: and then current itself.
  template <bool Current, class... Bound>
  [[gnu::always_inline]] void start_fast(thread_state& thread, span_name name, Bound&... bound) noexcept {
    // First: the instructions written by hand below make the compiler forget what it knows of the values.
    bool fits;
    [[maybe_unused]] const std::uint32_t size = record_.write_slots(fits, bound...);
    active_context& current = thread.current;
    thread_counts::increment(current.counts->started);
    record_header& header = record_.header;
    header.parent_span_id = current.span;
    const span_id id = span_id::from_wire(next_random_id(thread.random));
    header.span_id = id;
    if constexpr (Current) current.span = id;
    copy_context(header, current);
    if constexpr (sizeof...(Bound) > 0) header.size = size;
    record_.start_name(name);
    record_.write_items(fits, bound...);
    clock_reading<Clock>().store(header.start);
  }
  /// What a child's header has from the context it is started in: trace id, size, pipeline, flags and marks.
  [[gnu::always_inline]] static void copy_context(record_header& header, active_context const& current) noexcept {
    constexpr std::size_t to = offsetof(record_header, trace_id), size = offsetof(record_header, parent_span_id) - to;
    static_assert(offsetof(active_context, trace) == 0 && offsetof(active_context, span) == size);
    static_assert(offsetof(active_context, record_size) == offsetof(record_header, size) - to);
    static_assert(offsetof(active_context, fast_pipeline) == offsetof(record_header, pipeline) - to);
    static_assert(offsetof(active_context, record_bits) == offsetof(record_header, name_size) - to);
    static_assert(active_context().record_size == sizeof(record_header));
    std::memcpy(reinterpret_cast<std::byte*>(&header) + to, &current, size);
  }

  /// A local root on a thread at rest, with nothing said beside name and attributes, in a pipeline whose sampler is a
  /// plain threshold. False when it is not that simple; nothing has been done then.
  template <class... Bound>
  [[gnu::always_inline]] bool start_root(thread_state& thread, pipeline_handle const& handle, span_name name,
                                         Bound&... bound) noexcept {
    pipeline const& to = *handle.pipeline;
    const std::uint32_t key = to.key();  // not the handle's, which is cleared while the process ends
    thread_counts* const counts = thread.recent_counts;
    if (!to.has_simple_roots() || counts->pipeline.load(std::memory_order_relaxed) != key) return false;
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
    header.pipeline = key;
    if (trace.randomness() < to.root_threshold()) {
      current.flags = trace_flags(trace_flags::random_bit);
      header.flags = trace_flags::random_bit;
      current.decision = local_decision::unrecorded;
      std::atomic_signal_fence(std::memory_order_seq_cst);
      current.span = id;
      current.fast_pipeline = key | unrecorded_bit;
      record_.set_mode(span_root | span_has_context);
      return true;
    }
    constexpr std::uint8_t flags = trace_flags::random_bit | trace_flags::sampled_bit;
    constexpr std::uint8_t marks =
        Clock::unit == clock_unit::ticks ? 0 : mark_start_in_nanoseconds | mark_end_in_nanoseconds;
    const std::uint64_t bits = header_bits(flags, marks) | thread.generation_bits;
    const std::uint64_t root_bits = bits | header_bits(0, mark_local_root);
    current.flags = trace_flags(flags);
    current.record_bits = bits;
    current.decision = local_decision::recorded;
    std::atomic_signal_fence(std::memory_order_seq_cst);
    current.span = id;  // makes the context valid
    current.fast_pipeline = key;
    bool fits;
    header.size = record_.write_slots(fits, bound...);
    record_.set_mode(span_root | span_fast);
    std::memcpy(&header.name_size, &root_bits, sizeof root_bits);
    record_.start_name(name);
    record_.write_items(fits, bound...);
    clock_reading<Clock>().store(header.start);
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
    const auto slots = [&] { record_.header.size = record_.write_slots(fits, bound...); };
    const auto items = [&] { record_.write_items(fits, bound...); };
    span_start start = detail::start_slow(handle, record_, name, options, {views, slots, items}, now);
    record_.set_mode(start.mode);
    return start;
  }

  /// The end of any span that did not take the slow path: something may have been dropped and must be said, or there
  /// is no room.
  [[gnu::noinline]] void end_fast(thread_state& thread) noexcept {
    const std::uint64_t now = Clock::now();  // before a wait for room
    record_.write_dropped_counts();
    const std::uint32_t size = record_.size();
    if (const claimed_place place = reserve(thread, size, record_.header)) {
      write_special_record(place, size);
      reinterpret_cast<record_header*>(place.out)->end = now;
      place.publish();
    }
  }

  /// Into the place that was claimed for it. The end is not written into the header before the copy: a vector read of a
  /// word written a moment ago would wait for the store buffer.
  [[gnu::always_inline]] void write_record(claimed_place const& place, std::uint64_t size, span_id parent) noexcept {
    std::byte* const out = place.out;
    auto* const written = reinterpret_cast<record_header*>(out);
    clock_reading<Clock>().store(written->end);
    std::memcpy(out, &record_.header, offsetof(record_header, parent_span_id));
    written->parent_span_id = parent;
    if (size == sizeof(record_header)) return;
    const std::byte* from = record_.payload();
    std::byte* to = out + sizeof(record_header);
    std::memcpy(to, from, ring_slack);
    if (size <= sizeof(record_header) + ring_slack) return;
    const std::byte* const end = from + (size - sizeof(record_header));
    do {
      from += ring_slack;
      to += ring_slack;
      std::memcpy(to, from, ring_slack);
    } while (from + ring_slack < end);
  }
  /// The same where the header's size has more than the size in it.
  [[gnu::always_inline]] void write_special_record(claimed_place const& place, std::uint32_t size) noexcept {
    write_record(place, size, record_.header.parent_span_id);
    reinterpret_cast<record_header*>(place.out)->size = size;
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

  open_record record_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
