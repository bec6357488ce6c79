// Sends every batch to several exporters at once; a slow, dead or hanging one holds up none of the others.
//
//   fg::fan_out{fg::otlp_http_exporter{...}, fg::file_exporter{...}}         chosen at compile time: fan_out<E...>
//   fg::dynamic_fan_out{std::move(exporters)}            chosen at run time: a std::vector<fg::any_exporter>
//
// Each destination has a queue, bounded by bytes and batches, a thread, and an account of its own; records are copied
// once, and all destinations read the same copy. No thread is started before the first batch (but for an exporter that
// has a spool to empty, and at shutdown). What the calls of an exporter mean here:
//
//   export_spans   never waits. Success: at least one destination has taken the batch into its queue. Failure: none
//   has,
//                  because all queues are full or it was shut down; or there was no memory.
//   flush(t)       true when every destination has delivered all that was sent round before, and has flushed. It waits
//                  for the slowest, until `t` at the longest; the others do not wait for that one.
//   shutdown(t)    every destination delivers what waits and is shut down, all at the same time. One that has not
//                  finished shortly before `t` is interrupted, one with a spool earlier; one that does not heed that is
//                  left behind with its thread, and what waited for it is counted as dropped. True when none of this
//                  happened and all was delivered.
//   interrupt, hurry   go to all destinations.
//   check_health   asks all at once: reachable when every one is; the reason begins "2 of 3 reachable".
//
// An export that takes longer than `export_timeout` is interrupted as it would be in a batch processor of its own: that
// is noticed while the tracer exports, flushes, or waits (`idle_at`).
//
// A span counts once in `tracer_stats`, whatever the number of destinations, and as the worst that befell it: as
// exported when every destination has taken it; as failed, or dropped by a cause, when one has lost it, by the cause of
// the first that did; until all have said so as queued. So "exported" promises that it can be found in each of them,
// and "failed" says that it is missing in one; in which, `destination_stats()` says, where each destination has a whole
// account of its own. What an exporter refuses of a batch that it has taken (OTLP's partial success) is not told by the
// span and is added up: refused by two destinations a span counts twice, but never more than there are. Of spools the
// one with the most counts.
//
// Copies share everything, as those of `memory_exporter` do: give one to the tracer, and ask the other. Needs
// Boost.Hana.
#pragma once

#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/fan_out/lanes.hpp>

#include <boost/hana/for_each.hpp>
#include <boost/hana/tuple.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The name of a type as its compiler writes it, without namespaces and template arguments.
template <class T>
constexpr std::string_view short_type_name() noexcept {
  std::string_view name = __PRETTY_FUNCTION__;  // "... [with T = a::b<c>; ...]", or "... [T = a::b<c>]"
  name.remove_prefix(name.find("T = ") + 4);
  name = name.substr(0, name.find_first_of(";]<"));
  return name.substr(name.rfind(':') + 1);
}

/// What both forms of fan-out have.
class fan_out_base {
 public:
  /// Takes the batch into every queue that has room for it; does not block.
  batch_outcome export_spans(span_batch const& batch) noexcept { return lanes_->export_spans(batch); }
  bool flush(deadline until) noexcept { return lanes_->flush(until); }
  bool shutdown(deadline until) noexcept { return lanes_->shutdown(until); }
  bool is_exit_safe() const noexcept { return lanes_->is_exit_safe(); }
  void interrupt() noexcept { lanes_->interrupt(); }
  void hurry() noexcept { lanes_->hurry(); }
  deadline idle_at() const noexcept { return lanes_->idle_at(); }
  void idle() noexcept { lanes_->idle(); }
  void after_fork() noexcept { lanes_->after_fork(); }
  /// All destinations together, as the comment above says. From any thread.
  exporter_stats stats() const { return lanes_->stats(); }
  /// One for each destination, in the order they were given. From any thread.
  std::vector<fulgurite::destination_stats> destination_stats() const { return lanes_->destinations(); }
  health_report check_health(deadline until) const { return lanes_->check_health(until); }
  std::size_t size() const noexcept { return lanes_->size(); }

 protected:
  explicit fan_out_base(fan_out_options options) : lanes_(std::make_shared<fan_out_lanes>(std::move(options))) {}
  // Declared, so that a move is a copy and no fan-out is ever without its destinations.
  fan_out_base(fan_out_base const&) = default;
  fan_out_base& operator=(fan_out_base const&) = default;

  template <class E>
  void add(E&& exporter) {
    lanes_->add(std::string(short_type_name<E>()), any_exporter(std::forward<E>(exporter)));
  }

 private:
  std::shared_ptr<fan_out_lanes> lanes_;
};

}  // namespace detail

/// Several exporters of any types.
template <class... E>
class fan_out : public detail::fan_out_base {
  static_assert((check_exporter<E>() && ...));

 public:
  explicit fan_out(E... exporters) : fan_out(fan_out_options{}, std::move(exporters)...) {}
  explicit fan_out(fan_out_options options, E... exporters) : fan_out_base(std::move(options)) {
    boost::hana::tuple<E...> all(std::move(exporters)...);
    boost::hana::for_each(all, [this](auto& exporter) { this->add(std::move(exporter)); });
  }
};

/// A list of exporters made at run time.
template <>
class fan_out<std::vector<any_exporter>> : public detail::fan_out_base {
 public:
  explicit fan_out(std::vector<any_exporter> exporters) : fan_out(fan_out_options{}, std::move(exporters)) {}
  fan_out(fan_out_options options, std::vector<any_exporter> exporters) : fan_out_base(std::move(options)) {
    for (any_exporter& exporter : exporters) add(std::move(exporter));
  }
};

template <class... E>
fan_out(E...) -> fan_out<E...>;
template <class... E>
fan_out(fan_out_options, E...) -> fan_out<E...>;

/// `OTEL_TRACES_EXPORTER=otlp,zipkin`.
using dynamic_fan_out = fan_out<std::vector<any_exporter>>;

static_assert(check_exporter<fan_out<any_exporter, any_exporter>>());
static_assert(check_exporter<dynamic_fan_out>());

}  // namespace v1
}  // namespace fulgurite
