// The tracer: composed from a sampler, an exporter, a propagator and a processor.
//
// A tracer is a handle: a key and a pointer to its pipeline, which the engine knows (engine/engine.hpp). Starting a
// span compares the key with that of the current context and is done on the fast path (span/span_base.hpp).
// Constructors never throw: they report and stay off. `noop_tracer` (noop.hpp) has the same calls and no code.
#pragma once

#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/pipeline/typed_pipeline.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/propagator/carrier.hpp>
#include <fulgurite/propagator/w3c.hpp>
#include <fulgurite/span/current_span.hpp>
#include <fulgurite/span/lifecycle.hpp>
#include <fulgurite/span/scoped_span.hpp>
#include <fulgurite/span/span.hpp>
#include <fulgurite/span/tracer_fwd.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What a tracer may be told beside its parts.
struct tracer_options {
  instrumentation_scope scope = {};
  /// Beside them a single value is cut at 64 KiB, and an event or a link with its attributes at 256 KiB.
  span_limits limits = {};
  /// Bytes of packed records that get_last_trace() keeps; 0 keeps nothing.
  std::size_t last_trace_limit = std::size_t{1} << 20;
  /// How long the destructor waits for what has not been delivered, and the end of the process, which waits for all
  /// tracers at once: as long as the most patient of them.
  std::chrono::milliseconds shutdown_timeout{5'000};
};

/// A tracer, composed of its parts: the sampler decides once for each local root, the processor takes finished spans to
/// the exporter, the propagator writes and reads the headers of requests. Spans may be started on any thread.
template <class Sampler, class Exporter, class Propagator, class Processor>
class tracer {
  static_assert(check_sampler<Sampler>());
  static_assert(check_exporter<Exporter>());
  static_assert(check_propagator<Propagator>());
  static_assert(check_processor<Processor>());
  using clock = typename Processor::clock;
  using pipeline = detail::typed_pipeline<Sampler, Exporter, Propagator, Processor>;

 public:
  using scoped_span_type = basic_scoped_span<clock>;
  using span_type = basic_span<clock>;

  /// Off: nothing is recorded.
  tracer() noexcept = default;

  explicit tracer(resource of, Sampler sampler, Exporter exporter, Propagator propagator = {}, Processor processor = {},
                  tracer_options options = {}) noexcept try
      : pipeline_(std::make_shared<pipeline>(std::move(of), std::move(options.scope), options.limits,
                                             options.last_trace_limit, std::move(sampler), std::move(exporter),
                                             std::move(propagator), std::move(processor))),
        shutdown_timeout_(options.shutdown_timeout) {
    pipeline_->set_shutdown_timeout(options.shutdown_timeout);
    if (!pipeline::open(pipeline_)) {
      detail::log(log_level::error, "there are more than 4096 tracers; this one stays off");
      pipeline_->shutdown(std::chrono::steady_clock::now());  // the processor lets go of the pipeline
      pipeline_.reset();
      return;
    }
    handle_ = {pipeline_->key(), pipeline_.get()};
  } catch (...) {
    report_failure();
  }

  tracer(tracer&& other) noexcept { swap(other); }
  tracer& operator=(tracer&& other) noexcept {
    tracer moved(std::move(other));
    swap(moved);
    return *this;
  }
  /// Delivers what it can within the options' shutdown_timeout.
  ~tracer() {
    if (!pipeline_) return;
    shutdown(shutdown_timeout_);
    detail::engine::instance().remove(handle_.key);
    // While the process ends the engine keeps the pipeline: spans of threads that trace on, and of static objects that
    // are destroyed later, are counted. Otherwise the tracer is off; to the compiler it is a store to a dead object.
    if (!detail::process_end::instance().has_begun()) *const_cast<volatile std::uint32_t*>(&handle_.key) = 0;
  }

  /// A span that is current until its scope ends.
  [[nodiscard]] [[gnu::always_inline]] scoped_span_type trace_context() const noexcept {
    return scoped_span_type(handle_, "trace");
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] [[gnu::always_inline]] scoped_span_type trace_context(
      span_name name, bound_attribute<Keys, Values>&&... attributes) const noexcept {
    return scoped_span_type(handle_, name, attributes...);
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] scoped_span_type trace_context(span_name name, span_options const& options,
                                               bound_attribute<Keys, Values>&&... attributes) const noexcept {
    return scoped_span_type(handle_, name, options, attributes...);
  }

  /// A span that may be moved and may end on another thread; not current by itself.
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] span_type start_span(span_name name, bound_attribute<Keys, Values>&&... attributes) const noexcept {
    return span_type(handle_, name, nullptr, attributes...);
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] span_type start_span(span_name name, span_options const& options,
                                     bound_attribute<Keys, Values>&&... attributes) const noexcept {
    return span_type(handle_, name, &options, attributes...);
  }
  /// A scope in which `of` is current.
  [[nodiscard]] span_scope<clock> activate(span_type const& of) const noexcept { return span_scope<clock>(of); }

  /// Calls `f(span)`. An exception is recorded with type and message, marks the span an error, and goes on.
  template <std::invocable<scoped_span_type&> F>
  decltype(auto) trace(span_name name, F&& f) const {
    scoped_span_type current = trace_context(name);
    try {
      return std::forward<F>(f)(current);
    } catch (std::exception const& error) {
      current.record_exception(error);
      current.set_status(status_code::error, error.what());
      current.end();
      throw;
    } catch (...) {
      current.set_status(status_code::error, "an exception that is no std::exception");
      current.end();
      throw;
    }
  }

  /// Writes the current context into a carrier.
  template <inject_carrier Carrier>
  void inject(Carrier&& carrier) const {
    inject(current_context(), carrier);
  }
  template <inject_carrier Carrier>
  void inject(context const& from, Carrier&& carrier) const {
    if (pipeline_)
      pipeline_->propagator().inject(from, detail::carrier_setter<std::remove_reference_t<Carrier>>(carrier));
  }
  /// Reads a context from a carrier; an empty one where there is none or it is malformed.
  template <extract_carrier Carrier>
  [[nodiscard]] context extract(Carrier&& carrier) const {
    if (!pipeline_) return {};
    detail::carrier_getter<std::remove_reference_t<Carrier>> getter(carrier);
    return pipeline_->propagator().extract(getter);
  }

  /// The spans of the last trace that was rooted here, was sampled and whose root has ended, in the order they ended.
  [[nodiscard]] std::vector<span_data> get_last_trace() const {
    return pipeline_ ? pipeline_->get_last_trace() : std::vector<span_data>();
  }

  /// On the current span, also where its object is not at hand.
  template <attribute_compatible V>
  void add_span_attribute(attribute_name key, V const& value) const noexcept {
    detail::on_current_span([&](detail::open_record& record) { record.set_any_attribute(key, value_view(value)); });
  }
  void add_span_event(span_name name, attribute_list attributes = {}) const noexcept {
    detail::on_current_span(
        [&](detail::open_record& record) { record.add_event(name, detail::current_span_time(), attributes); });
  }
  void set_span_status(status_code code, std::string_view description = {}) const noexcept {
    detail::on_current_span([&](detail::open_record& record) { record.set_status_item(code, description); });
  }
  /// `"OK"` or `"ERROR"` in any case; any other text changes nothing.
  void set_span_status(std::string_view code, std::string_view description = {}) const noexcept {
    set_span_status(detail::status_named(code), description);
  }

  /// Agent Lightning's life cycle: each is idempotent, and a simple program needs none of them.
  void init() noexcept {}
  void teardown() noexcept { force_flush(); }
  /// From now on the spans carry `agentlightning.worker_id`.
  void init_worker(std::int64_t id) noexcept {
    guarded([&] { pipeline_->set_resource_attribute("agentlightning.worker_id", id); });
  }
  void init_worker(std::string_view id) noexcept {
    guarded([&] { pipeline_->set_resource_attribute("agentlightning.worker_id", id); });
  }
  template <class Id>
  void teardown_worker(Id const&) noexcept {
    guarded([&] { pipeline_->erase_resource_attribute("agentlightning.worker_id"); });
  }
  /// Turns automatic instrumentation on and off: what instrument/all.hpp has registered.
  template <class Id = std::int64_t>
  void instrument(Id const& = {}) noexcept {
    detail::set_instrumented(true);
  }
  template <class Id = std::int64_t>
  void uninstrument(Id const& = {}) noexcept {
    detail::set_instrumented(false);
  }
  template <class Handler = langchain_callback_handler>
  [[nodiscard]] auto get_langchain_callback_handler(std::vector<std::string> tags = {}) {
    static_assert(detail::complete<Handler>,
                  "get_langchain_callback_handler() is defined by <fulgurite/agent/langchain.hpp>: include it");
    return Handler::make(*this, std::move(tags));
  }

  /// Delivers everything that has ended; true when all of it was delivered in time.
  bool force_flush() noexcept { return force_flush(std::chrono::seconds(30)); }
  template <class Rep, class Period>
  bool force_flush(std::chrono::duration<Rep, Period> timeout) noexcept {
    return !pipeline_ || pipeline_->flush(detail::deadline_in(timeout));
  }
  /// The same, and then records nothing more.
  bool shutdown() noexcept { return shutdown(std::chrono::seconds(30)); }
  template <class Rep, class Period>
  bool shutdown(std::chrono::duration<Rep, Period> timeout) noexcept {
    return !pipeline_ || pipeline_->shutdown(detail::deadline_in(timeout));
  }

  [[nodiscard]] tracer_stats stats() const { return pipeline_ ? pipeline_->stats() : tracer_stats(); }
  [[nodiscard]] health_report check_health() const { return check_health(std::chrono::seconds(30)); }
  template <class Rep, class Period>
  [[nodiscard]] health_report check_health(std::chrono::duration<Rep, Period> timeout) const {
    if (!pipeline_) return {true, "", "tracing is off", {}};
    return pipeline_->health(detail::deadline_in(timeout));
  }
  /// Something is recorded at all.
  [[nodiscard]] bool is_on() const noexcept { return handle_.key != 0; }

 private:
  static void report_failure() noexcept {
    detail::log(log_level::error, "a tracer cannot be made (no memory); it stays off");
  }
  template <class F>
  void guarded(F&& f) noexcept {
    if (!pipeline_) return;
    try {
      f();
    } catch (...) {
      detail::log(log_level::error, "no memory to change the tracer's resource");
    }
  }
  void swap(tracer& other) noexcept {
    std::swap(handle_, other.handle_);
    pipeline_.swap(other.pipeline_);
    std::swap(shutdown_timeout_, other.shutdown_timeout_);
  }

  detail::pipeline_handle handle_;
  std::shared_ptr<pipeline> pipeline_;
  std::chrono::milliseconds shutdown_timeout_{5'000};
};

}  // namespace v1
}  // namespace fulgurite
