// A tracer's pipeline with its policies.
#pragma once

#include <fulgurite/delivery/lane.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/pipeline/pipeline.hpp>
#include <fulgurite/propagator/propagator.hpp>
#include <fulgurite/record/limited_record.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

template <class Sampler, class Exporter, class Propagator, class Processor>
class typed_pipeline final : public pipeline {
 public:
  typed_pipeline(resource of, instrumentation_scope scope, span_limits const& limits, std::size_t last_trace_limit,
                 Sampler&& sampler, Exporter&& exporter, Propagator&& propagator, Processor&& processor)
      : pipeline(std::make_shared<resource>(std::move(of)), std::make_shared<instrumentation_scope>(std::move(scope)),
                 last_trace_limit),
        limiter_(detail::cuts_values(processor) ? without_lengths(limits) : limits),
        cutter_(lengths_alone(limits)),
        sampler_(std::move(sampler)),
        exporter_(std::move(exporter)),
        propagator_(std::move(propagator)),
        processor_(std::move(processor)) {
    cuts_ = detail::cuts_values(processor_) && limits.attribute_value_length != span_limits::unlimited;
    sent_resource_ = redacted(resource_);
    sent_scope_ = scope_;
    if constexpr (processor_with_redact_scope<Processor>) {
      auto sent = std::make_shared<instrumentation_scope>(*scope_);
      processor_.redact_scope(*sent);
      sent_scope_ = std::move(sent);
    }
    asks_children_ = detail::asks_children(sampler_);
    is_inline_ = fulgurite::exports_inline(processor_);
    using clock = typename Processor::clock;
    if constexpr (clock::unit == clock_unit::ticks)
      falls_back_ = !tsc_usable();
    else
      clock_marks_ = mark_start_in_nanoseconds | mark_end_in_nanoseconds;
    if (const std::optional<std::uint64_t> threshold = detail::root_threshold(sampler_); threshold && is_fast()) {
      root_threshold_ = *threshold;
      simple_roots_ = true;
    }
  }

  /// Registers a pipeline that is ready; false when the process has too many.
  static bool open(std::shared_ptr<typed_pipeline> const& self) {
    self->processor_.start(self);
    engine::instance().add(self, self->key_);
    return self->key_ != 0;
  }

  sampling_result sample(sampling_input const& input) noexcept override { return sampler_.sample(input); }

  void accept(std::byte* record, clock_converter const& clock) noexcept override {
    if (untouched_in_child_.load(std::memory_order_relaxed)) [[unlikely]]
      untouched_in_child_ = false;
    convert_times(record, clock);
    record_view view(record);
    try {
      view = limiter_.apply(view);
    } catch (...) {
      log(log_level::warn, "no memory to hold a span to its limits; it goes out as it is", "limits memory");
    }
    if (view.sampled()) {
      collected_.store(collected_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      try {
        last_trace_.add(cut_values(view));
      } catch (...) {
        log(log_level::warn, "no memory to keep the last trace", "last trace memory");
      }
    }
    if (!closed_)
      processor_.process(view);
    else if (view.sampled())
      count_dropped(drop_cause::shutdown, 1);
  }
  record_view cut_values(record_view const& record) noexcept override try {
    return cuts_ ? cutter_.apply(record) : record;
  } catch (...) {
    log(log_level::warn, "no memory to cut a span's values; it goes out as it is", "limits memory");
    return record;
  }
  void commit() noexcept override { processor_.commit(); }
  void poll() noexcept override {
    detail::poll(processor_);
    say_what_rings_lost();
  }
  void export_inline() noexcept override {
    detail::export_pending(processor_, std::chrono::steady_clock::now() + std::chrono::seconds(30));
  }

  void before_fork() noexcept override {
    resource_mutex_.lock();
    detail::before_fork(processor_);
  }
  void after_fork(bool in_child) noexcept override {
    if (in_child) {
      forget_accounts();
      lost_at_flush_ = said_lost_ = said_in_all_ = 0;
      in_flight_ = 0;
      untouched_in_child_ = true;
      if (!has_ended_) ended_by_ = 0;
      last_trace_.clear();
      detail::after_fork(exporter_);
    }
    detail::after_fork(processor_, in_child);
    resource_mutex_.unlock();
  }

  batch_outcome export_records(std::span<const std::byte> records, std::size_t spans) noexcept override {
    batch_outcome outcome;
    in_flight_.store(spans);
    {
      const exporter_call call;
      const suppression quiet;
      try {
        outcome =
            detail::outcome_of(exporter_.export_spans(span_batch(records, spans, sent_resource(), sent_scope_)), spans);
      } catch (std::exception const& error) {
        log(log_level::error, std::string("the exporter threw: ") + error.what());
      } catch (...) {
        log(log_level::error, "the exporter threw");
      }
    }
    if (!normalise(outcome, spans))
      log(log_level::error, "the exporter speaks of more spans than the batch has; the excess is not counted",
          "outcome excess");
    if (in_flight_.exchange(0) == 0) return outcome;  // abandoned, and counted
    count(outcome);
    // The exporter's libraries have now made what they make late.
    const bool answered = outcome.exported + outcome.rejected > 0;
    if (const unsigned had = deliveries_seen_; had < 2 && (had == 0 || answered)) {
      deliveries_seen_ = answered ? 2 : 1;
      engine::instance().deliver_early_at_exit();
    }
    return outcome;
  }
  std::uint64_t abandon_export() noexcept override {
    const std::uint64_t spans = in_flight_.exchange(0);
    if (spans != 0) count_dropped(drop_cause::shutdown, spans);
    return spans;
  }
  bool flush_exporter(deadline until) noexcept override {
    const exporter_call call;
    try {
      return !call.is_refused() && exporter_.flush(until);
    } catch (...) {
      log(log_level::error, "the exporter threw in flush()");
      return false;
    }
  }
  bool shut_down_exporter(deadline until) noexcept override {
    const exporter_call call;
    try {
      return !call.is_refused() && exporter_.shutdown(until);
    } catch (...) {
      log(log_level::error, "the exporter threw in shutdown()");
      return false;
    }
  }
  void interrupt_exporter() noexcept override { detail::interrupt(exporter_); }
  void hurry_exporter() noexcept override { detail::hurry(exporter_); }
  deadline idle_at() const noexcept override { return detail::idle_at(exporter_); }
  void idle_exporter() noexcept override {
    const exporter_call call;
    const suppression quiet;
    detail::idle(exporter_);
  }
  bool keeps_undelivered() const noexcept override { return detail::keeps_undelivered(exporter_); }

  bool blocks() const noexcept override { return detail::blocks(processor_) && !closed_; }
  bool would_block() noexcept override { return !closed_ && detail::would_block(processor_); }
  std::int64_t end_timeout() const noexcept override {
    if (has_ended_ || untouched_in_child_) return -1;
    return std::chrono::nanoseconds(shutdown_timeout_).count();
  }
  void deliver_before_end(std::int64_t until) noexcept override {
    if (!detail::is_exit_safe(exporter_)) {
      // What its libraries made late is destroyed next, so it ends here; with nothing made yet it may as well wait.
      if (deliveries_seen_ != 0) end_with_process(until);
      return;
    }
    hurry_exporter();
    const deadline last = interrupt_at(to_deadline(until), keeps_undelivered());
    if (!deliver(last) && std::chrono::steady_clock::now() >= last) end_with_process(until);
  }
  void end_with_process(std::int64_t until) noexcept override {
    ended_with_process_ = true;
    end(to_deadline(until));
  }
  void wake_collector() noexcept override { engine::instance().wake(); }

  bool flush(deadline until) noexcept {
    const uncancelled here;
    const bool delivered = deliver(until);
    return lost_since_flush() == 0 && delivered;
  }
  bool shutdown(deadline until) noexcept {
    const uncancelled here;
    if (process_end& of_process = process_end::instance(); of_process.has_begun()) {
      // A static tracer's destructor. What comes after it is counted.
      ended_with_process_ = true;
      if (of_process.until != 0) until = std::min(until, to_deadline(of_process.until));
    } else {
      open_ = false;
      simple_roots_ = false;
    }
    return end(until);
  }
  /// How long the end of the process may wait for this tracer's spans.
  void set_shutdown_timeout(std::chrono::milliseconds timeout) noexcept {
    shutdown_timeout_ = std::clamp(timeout, std::chrono::milliseconds(0), longest_shutdown);
  }

  /// At the end, in numbers: each cause was logged when it came up. Logged again when more was lost since.
  [[gnu::cold]] void say_what_was_lost() noexcept override try {
    tracer_stats sum = stats();
    // After the last delivery nothing that is queued, or on its way, is delivered any more.
    const std::uint64_t left =
        !process_end::instance().parks || untouched_in_child_
            ? 0
            : sum.sampled - std::min(sum.sampled, sum.exported + sum.spooled + sum.failed + sum.dropped);
    sum.by_cause[static_cast<std::size_t>(drop_cause::shutdown)] += left;
    const std::uint64_t lost = sum.failed + sum.dropped + left;
    if (lost == said_in_all_.exchange(lost)) return;
    std::string by_cause;
    for (std::size_t i = 0; i < drop_causes; ++i)
      if (sum.by_cause[i] != 0)
        by_cause +=
            (by_cause.empty() ? "" : ", ") + std::string(drop_cause_names[i]) + " " + std::to_string(sum.by_cause[i]);
    std::string who = shared_resource()->service_name;
    if (!who.empty()) who += ": ";
    log(log_level::warn,
        who + "of " + std::to_string(sum.sampled) + " spans " + std::to_string(lost) + " were not delivered (" +
            by_cause + ")",
        "not delivered in all " + std::to_string(key_) + " " + std::to_string(lost));
  } catch (...) {
    log(log_level::warn, "not all spans were delivered");
  }

  tracer_stats stats() {
    engine::instance().collect();
    tracer_stats sum;
    const std::uint64_t lost_in_rings = this->lost_in_rings();
    std::uint64_t lost_in_handlers = 0;
    for_each_count(key_, [&](thread_counts const& counts) {
      sum.started += counts.started.load(std::memory_order_relaxed);
      lost_in_handlers += counts.dropped_signal.load(std::memory_order_relaxed);
    });
    // Queued is read first: a span that is exported meanwhile is then counted once too often, never too seldom.
    sum.queued = processor_.queued();
    for (std::size_t i = 0; i < drop_causes; ++i) sum.by_cause[i] = dropped_[i].load(std::memory_order_relaxed);
    sum.exported = exported_.load(std::memory_order_relaxed);
    const exporter_stats own = detail::stats_of(exporter_);
    const settled_spans& settled = own.settled;
    sum.retried = own.retried;
    // What is settled while its batch's outcome is still on its way is counted twice for that moment: as exported, say,
    // and as queued.
    const std::uint64_t kept = kept_.load(std::memory_order_relaxed);
    sum.queued += kept - std::min(kept, settled.spans());
    sum.spooled = std::min(own.spooled, sum.queued);
    sum.replayed = own.replayed;
    sum.set_aside = own.set_aside;
    sum.exported += settled.exported;
    sum.by_cause[static_cast<std::size_t>(drop_cause::export_failed)] += settled.failed;
    sum.by_cause[static_cast<std::size_t>(drop_cause::rejected)] += settled.rejected;
    sum.by_cause[static_cast<std::size_t>(drop_cause::too_large)] += settled.too_large;
    sum.by_cause[static_cast<std::size_t>(drop_cause::queue_full)] += settled.queue_full;
    sum.by_cause[static_cast<std::size_t>(drop_cause::shutdown)] += settled.shutdown;
    sum.by_cause[static_cast<std::size_t>(drop_cause::queue_full)] += lost_in_rings;
    sum.by_cause[static_cast<std::size_t>(drop_cause::signal)] += lost_in_handlers;
    sum.sampled = collected_.load(std::memory_order_relaxed) + lost_in_rings + lost_in_handlers;
    sum.failed = sum.dropped_by(drop_cause::rejected) + sum.dropped_by(drop_cause::export_failed);
    for (const std::uint64_t by : sum.by_cause) sum.dropped += by;
    sum.dropped -= sum.failed;
    return sum;
  }

  health_report health(deadline until) {
    const exporter_call call;
    if (call.is_refused()) return {false, "", "the process ends", {}};
    return detail::check_health(exporter_, until);
  }

  std::vector<span_data> get_last_trace() {
    engine::instance().collect();
    const std::shared_ptr<const resource> of = shared_resource();
    return engine::instance().between_rounds([&] { return last_trace_.spans(of, scope_); });
  }

  /// How long a change of the resource waits for the spans that go out before it.
  static constexpr std::chrono::milliseconds longest_wait_for_resource{500};

  /// Sets a resource attribute from now on. What has ended before goes out without it, unless the backend is slow: for
  /// it the program does not wait longer than longest_wait_for_resource.
  void set_resource_attribute(std::string_view key, attribute_value value) {
    flush(std::chrono::steady_clock::now() + longest_wait_for_resource);
    const std::lock_guard lock(resource_mutex_);
    auto changed = std::make_shared<resource>(*resource_);
    std::erase_if(changed->attributes, [key](attribute const& given) { return given.key == key; });
    changed->attributes.push_back({std::string(key), std::move(value)});
    set_resource(std::move(changed));
  }
  void erase_resource_attribute(std::string_view key) {
    flush(std::chrono::steady_clock::now() + longest_wait_for_resource);
    const std::lock_guard lock(resource_mutex_);
    auto changed = std::make_shared<resource>(*resource_);
    std::erase_if(changed->attributes, [key](attribute const& given) { return given.key == key; });
    set_resource(std::move(changed));
  }

  Propagator& propagator() noexcept { return propagator_; }
  Sampler& sampler() noexcept { return sampler_; }

 private:
  static constexpr std::chrono::milliseconds longest_shutdown = std::chrono::hours(24 * 365);

  /// Ends the processor and the exporter, once. Whoever else asks for it waits for the first, but not the thread that
  /// the first waits for itself, and nobody for a thread that has called exit() meanwhile: one that comes then takes
  /// over. So does the end of the process where the first may take longer.
  bool end(deadline until) noexcept {
    const pid_t own = thread_id();
    if (pid_t by = 0; !ended_by_.compare_exchange_strong(by, own)) {
      const auto is_stuck = [&] {
        process_end const& of_process = process_end::instance();
        return of_process.is_ending_thread(by) || (of_process.has_begun() && ended_until_.load() > until);
      };
      if (by != own) wait_until(to_monotonic(until), [&] { return has_ended_ || is_stuck(); });
      if (has_ended_) return delivered_at_shutdown_;
      if (by == own || !is_stuck() || !ended_by_.compare_exchange_strong(by, own)) return false;
    }
    ended_until_ = until;
    say_what_rings_lost();
    engine::instance().collect();
    if (untouched_in_child_) {
      engine::instance().between_rounds([this] { closed_ = true; });
      delivered_at_shutdown_ = true;
      has_ended_ = true;
      return true;
    }
    if (blocks()) {
      hurry_exporter();
      deliver(until);
    }
    engine::instance().between_rounds([this] { closed_ = true; });
    delivered_at_shutdown_ = processor_.shutdown(until);
    // A thread of the program may be gone in the middle of a line once another has called exit(), which then says it.
    if (process_end const& of_process = process_end::instance();
        !of_process.has_begun() || on_library_thread || of_process.is_ending_thread(own))
      say_what_was_lost();
    has_ended_ = true;
    return delivered_at_shutdown_;
  }
  static std::int64_t to_monotonic(deadline until) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(until.time_since_epoch()).count();
  }
  static deadline to_deadline(std::int64_t monotonic) noexcept {
    return deadline(std::chrono::duration_cast<deadline::duration>(std::chrono::nanoseconds(monotonic)));
  }

  /// Collects and exports what has ended so far. Where the queue had no room for all of it, what was left in the rings
  /// comes after.
  bool deliver(deadline until) {
    for (bool delivered = true;;) {
      engine::instance().collect();
      const bool more = engine::instance().is_stuck(key_);
      delivered = processor_.flush(until) && delivered;
      if (!more) return delivered;
      if (std::chrono::steady_clock::now() >= until) return false;
    }
  }

  std::shared_ptr<const resource> shared_resource() {
    const std::lock_guard lock(resource_mutex_);
    return resource_;
  }
  std::shared_ptr<const resource> sent_resource() {
    const std::lock_guard lock(resource_mutex_);
    return sent_resource_;
  }
  /// Under the lock.
  void set_resource(std::shared_ptr<const resource> changed) {
    sent_resource_ = redacted(changed);
    resource_ = std::move(changed);
  }
  /// The resource as it goes out: a processor may hold something back.
  std::shared_ptr<const resource> redacted(std::shared_ptr<const resource> const& of) const {
    if constexpr (processor_with_redact_resource<Processor>) {
      auto sent = std::make_shared<resource>(*of);
      processor_.redact_resource(*sent);
      return sent;
    } else
      return of;
  }

  /// Ticks become nanoseconds since the Unix epoch, in place.
  static void convert_times(std::byte* record, clock_converter const& clock) noexcept {
    auto& header = *reinterpret_cast<record_header*>(record);
    if ((header.marks & mark_start_in_nanoseconds) == 0)
      header.start = static_cast<std::uint64_t>(clock.to_unix(header.start));
    const bool ticks = (header.marks & mark_end_in_nanoseconds) == 0;
    if (ticks) header.end = static_cast<std::uint64_t>(clock.to_unix(header.end));
    header.end = std::max(header.start, header.end);  // a start that was given may lie in the future
    if ((header.marks & mark_has_events) == 0 || !ticks) return;
    const record_view view(record);
    for (const std::byte* at = view.items(); at != view.end();) {
      const item_view item(at);
      at = item.end();
      if (item.kind() != item_kind::event) continue;
      const std::int64_t time = clock.to_unix(read_packed<std::uint64_t>(item.body()));
      write_packed(record + (item.body() - view.begin()), time);
    }
  }

  /// Spans that their thread's ring had no room for.
  std::uint64_t lost_in_rings() const {
    std::uint64_t lost = 0;
    for_each_count(
        key_, [&](thread_counts const& counts) { lost += counts.dropped_queue_full.load(std::memory_order_relaxed); });
    return lost;
  }
  /// Spans that found no room anywhere since the last flush, or that the backend refused: a flush that delivers the
  /// rest has not delivered all.
  std::uint64_t lost_since_flush() {
    std::uint64_t lost = lost_in_rings() + detail::stats_of(exporter_).settled.lost();
    for (const drop_cause cause : {drop_cause::queue_full, drop_cause::rejected, drop_cause::too_large})
      lost += dropped_[static_cast<std::size_t>(cause)].load(std::memory_order_relaxed);
    return lost - lost_at_flush_.exchange(lost);
  }
  /// The thread that finds its ring full only counts; the worker says it.
  void say_what_rings_lost() {
    if (const std::uint64_t lost = lost_in_rings(); lost != said_lost_.exchange(lost))
      log(log_level::warn, "spans are dropped: a thread makes them faster than they can be collected",
          "rings are full");
  }

  std::atomic<std::uint64_t> lost_at_flush_{0}, said_lost_{0}, said_in_all_{0};
  /// What is collected from now on comes too late.
  std::atomic<bool> closed_{false};
  /// The thread that ends it, or has.
  std::atomic<pid_t> ended_by_{0};
  std::atomic<deadline> ended_until_{deadline::min()};
  std::atomic<bool> has_ended_{false};
  /// This is the child of a fork, and nothing was recorded in it: its exporter's connections and files are the
  /// parent's.
  std::atomic<bool> untouched_in_child_{false};
  std::chrono::milliseconds shutdown_timeout_{5'000};
  /// Spans of the export that is under way; 0 when they were abandoned.
  std::atomic<std::uint64_t> in_flight_{0};
  std::atomic<unsigned> deliveries_seen_{0};
  std::atomic<bool> delivered_at_shutdown_{false};
  std::mutex resource_mutex_;
  /// What exporters see of the resource and the scope; the last trace has the originals.
  std::shared_ptr<const resource> sent_resource_;
  std::shared_ptr<const instrumentation_scope> sent_scope_;
  record_limiter limiter_;
  /// Where the processor cuts values: what it does that with.
  record_limiter cutter_;
  bool cuts_ = false;
  Sampler sampler_;
  Exporter exporter_;
  Propagator propagator_;
  Processor processor_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
