// Tracing compiled away: `noop_tracer` has every call of a tracer and leaves not a byte of code.
//
// A tracer composed from the null policies is this one, whatever its processor. The header is light (it brings little
// more than <string_view>), so what a call returns is only named here: whoever looks at finished spans, contexts or
// statistics includes the header that defines them, or fulgurite.hpp.
#pragma once

#include <fulgurite/exporter/noop.hpp>
#include <fulgurite/propagator/noop.hpp>
#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/span/noop_span.hpp>
#include <fulgurite/span/tracer_fwd.hpp>

#include <concepts>
#include <cstdint>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {

struct health_report;
struct resource;
struct span_data;
struct tracer_options;
struct tracer_stats;

namespace detail {

/// Defined by record/span_data.hpp.
template <class Span>
struct list_of_spans;

/// Converts to whatever text a carrier's function takes.
struct any_text {
  template <class Text>
  operator Text() const;
  operator std::string_view() const;
};
template <class C>
concept has_fields_by_pair = requires(C& c) {
  { c.begin()->first } -> std::convertible_to<std::string_view>;
  { c.begin()->second } -> std::convertible_to<std::string_view>;
};
/// The carriers of propagator/carrier.hpp, said without the headers that it needs.
template <class C>
concept noop_inject_carrier = has_fields_by_pair<C> || requires(C& c, any_text text) { c(text, text); };
template <class C>
concept noop_extract_carrier = has_fields_by_pair<C> || requires(C& c, any_text text) { c(text); } || requires(C& c) {
  &C::for_each;
} || requires(C& c, void (*visit)(std::string_view, std::string_view)) { c.for_each(visit); };

}  // namespace detail

template <class Processor>
class [[maybe_unused]] tracer<always_off_sampler, noop_exporter, noop_propagator, Processor> {
 public:
  using scoped_span_type = noop_scoped_span;
  using span_type = noop_span;

  constexpr tracer() noexcept {}  // not defaulted: GCC would say that a tracer is unused, whatever stands above
  template <class Resource, class P = Processor, class Options = tracer_options>
  explicit constexpr tracer(Resource&&, always_off_sampler, noop_exporter, noop_propagator = {}, P const& = {},
                            Options const& = {}) noexcept {}
  constexpr tracer(tracer&&) noexcept {}
  constexpr tracer& operator=(tracer&&) noexcept { return *this; }
  // Its destructor is trivial: for a tracer of static lifetime any other would be registered to run at exit.

  [[nodiscard]] constexpr noop_scoped_span trace_context() const noexcept { return {}; }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] constexpr noop_scoped_span trace_context(span_name, bound_attribute<Keys, Values>&&...) const noexcept {
    static_assert(detail::keys_differ<bound_attribute<Keys, Values>...>(), "two attributes have the same key");
    return {};
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] constexpr noop_scoped_span trace_context(span_name, span_options const&,
                                                         bound_attribute<Keys, Values>&&...) const noexcept {
    static_assert(detail::keys_differ<bound_attribute<Keys, Values>...>(), "two attributes have the same key");
    return {};
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] constexpr noop_span start_span(span_name, bound_attribute<Keys, Values>&&...) const noexcept {
    static_assert(detail::keys_differ<bound_attribute<Keys, Values>...>(), "two attributes have the same key");
    return {};
  }
  template <fixed_string... Keys, class... Values>
  [[nodiscard]] constexpr noop_span start_span(span_name, span_options const&,
                                               bound_attribute<Keys, Values>&&...) const noexcept {
    static_assert(detail::keys_differ<bound_attribute<Keys, Values>...>(), "two attributes have the same key");
    return {};
  }
  [[nodiscard]] constexpr noop_scope activate(noop_span const&) const noexcept { return {}; }
  template <std::invocable<noop_scoped_span&> F>
  constexpr decltype(auto) trace(span_name, F&& f) const {
    noop_scoped_span current;
    return std::forward<F>(f)(current);
  }

  template <detail::noop_inject_carrier Carrier>
  constexpr void inject(Carrier&&) const noexcept {}
  template <detail::noop_inject_carrier Carrier>
  constexpr void inject(context const&, Carrier&&) const noexcept {}
  template <detail::noop_extract_carrier Carrier, class Context = context>
  [[nodiscard]] constexpr Context const& extract(Carrier&&) const noexcept {
    return detail::empty_value<Context>.value;
  }
  template <class Span = span_data>
  [[nodiscard]] typename detail::list_of_spans<Span>::type get_last_trace() const {
    return {};
  }

  template <attribute_compatible V>
  constexpr void add_span_attribute(attribute_name, V const&) const noexcept {}
  constexpr void add_span_event(span_name, attribute_list = {}) const noexcept {}
  constexpr void set_span_status(status_code, std::string_view = {}) const noexcept {}
  constexpr void set_span_status(std::string_view, std::string_view = {}) const noexcept {}

  constexpr void init() const noexcept {}
  constexpr void teardown() const noexcept {}
  constexpr void init_worker(std::int64_t) const noexcept {}
  constexpr void init_worker(std::string_view) const noexcept {}
  template <class Id>
  constexpr void teardown_worker(Id const&) const noexcept {}
  template <class Id = std::int64_t>
  constexpr void instrument(Id const& = {}) const noexcept {}
  template <class Id = std::int64_t>
  constexpr void uninstrument(Id const& = {}) const noexcept {}
  template <class Handler = langchain_callback_handler>
  [[nodiscard]] auto get_langchain_callback_handler() {
    static_assert(detail::complete<Handler>,
                  "get_langchain_callback_handler() is defined by <fulgurite/agent/langchain.hpp>: include it");
    return Handler::make(*this, {});
  }
  template <class Tags, class Handler = langchain_callback_handler>
  [[nodiscard]] auto get_langchain_callback_handler(Tags&& tags) {
    static_assert(detail::complete<Handler>,
                  "get_langchain_callback_handler() is defined by <fulgurite/agent/langchain.hpp>: include it");
    return Handler::make(*this, std::forward<Tags>(tags));
  }

  static constexpr bool force_flush() noexcept { return true; }
  template <class Duration>
  static constexpr bool force_flush(Duration const&) noexcept {
    return true;
  }
  static constexpr bool shutdown() noexcept { return true; }
  template <class Duration>
  static constexpr bool shutdown(Duration const&) noexcept {
    return true;
  }
  template <class Stats = tracer_stats>
  [[nodiscard]] Stats stats() const {
    return Stats();
  }
  template <class Report = health_report>
  [[nodiscard]] Report check_health() const {
    return off<Report>();
  }
  template <class Duration, class Report = health_report>
  [[nodiscard]] Report check_health(Duration const&) const {
    return off<Report>();
  }
  static constexpr bool is_on() noexcept { return false; }

 private:
  template <class Report>
  static Report off() {
    Report report;
    report.reachable = true;
    report.reason = "tracing is compiled away";
    return report;
  }
};

/// The tracer that is not there: the same calls, no code.
using noop_tracer = tracer<always_off_sampler, noop_exporter, noop_propagator>;

}  // namespace v1
}  // namespace fulgurite
