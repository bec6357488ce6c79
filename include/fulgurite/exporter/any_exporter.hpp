// An exporter chosen at run time: any model behind one pointer.
//
// Called once per batch, so that erasure costs nothing that could be measured. Members that a model may have or not are
// always there and answer for it as the tracer would (exporter/exporter.hpp).
#pragma once

#include <fulgurite/exporter/exporter.hpp>

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
/// Holds any exporter; movable. An empty one (made by default, or moved from) refuses every batch.
class any_exporter {
 public:
  any_exporter() noexcept = default;

  template <class E>
    requires(!std::same_as<std::remove_cvref_t<E>, any_exporter> && exporter<std::remove_cvref_t<E>>)
  any_exporter(E&& held) : held_(std::make_unique<model<std::remove_cvref_t<E>>>(std::forward<E>(held))) {
    static_assert(check_exporter<std::remove_cvref_t<E>>());
  }

  bool has_value() const noexcept { return held_ != nullptr; }

  batch_outcome export_spans(span_batch const& batch) {
    return held_ ? held_->export_spans(batch) : batch_outcome{.failed = batch.size()};
  }
  bool flush(deadline until) { return !held_ || held_->flush(until); }
  bool shutdown(deadline until) { return !held_ || held_->shutdown(until); }
  /// All zero when the model does not count.
  exporter_stats stats() const { return held_ ? held_->stats() : exporter_stats{}; }
  /// A model that has nobody to ask is reachable.
  health_report check_health(deadline until) {
    return held_ ? held_->check_health(until) : health_report{.reachable = false, .reason = "there is no exporter"};
  }
  /// Makes the export that is under way give up, if the model can; thread-safe.
  void interrupt() noexcept {
    if (held_) held_->interrupt();
  }
  /// Tells the model, if it wants to know, that shutdown has begun; thread-safe.
  void hurry() noexcept {
    if (held_) held_->hurry();
  }
  /// Never for a model that has nothing to do when idle.
  deadline idle_at() const noexcept { return held_ ? held_->idle_at() : deadline::max(); }
  void idle() noexcept {
    if (held_) held_->idle();
  }
  bool keeps_undelivered() const noexcept { return held_ && held_->keeps_undelivered(); }
  bool is_exit_safe() const noexcept { return !held_ || held_->is_exit_safe(); }
  void after_fork() noexcept {
    if (held_) held_->after_fork();
  }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual batch_outcome export_spans(span_batch const&) = 0;
    virtual bool flush(deadline) = 0;
    virtual bool shutdown(deadline) = 0;
    virtual exporter_stats stats() const = 0;
    virtual health_report check_health(deadline) = 0;
    virtual void interrupt() noexcept = 0;
    virtual void hurry() noexcept = 0;
    virtual deadline idle_at() const noexcept = 0;
    virtual void idle() noexcept = 0;
    virtual bool keeps_undelivered() const noexcept = 0;
    virtual bool is_exit_safe() const noexcept = 0;
    virtual void after_fork() noexcept = 0;
  };

  template <class E>
  struct model final : interface {
    template <class From>
    explicit model(From&& from) : exporter_(std::forward<From>(from)) {}

    batch_outcome export_spans(span_batch const& batch) override {
      return detail::outcome_of(exporter_.export_spans(batch), batch.size());
    }
    bool flush(deadline until) override { return exporter_.flush(until); }
    bool shutdown(deadline until) override { return exporter_.shutdown(until); }
    exporter_stats stats() const override { return detail::stats_of(exporter_); }
    health_report check_health(deadline until) override { return detail::check_health(exporter_, until); }
    void interrupt() noexcept override { detail::interrupt(exporter_); }
    void hurry() noexcept override { detail::hurry(exporter_); }
    deadline idle_at() const noexcept override { return detail::idle_at(exporter_); }
    void idle() noexcept override { detail::idle(exporter_); }
    bool keeps_undelivered() const noexcept override { return detail::keeps_undelivered(exporter_); }
    bool is_exit_safe() const noexcept override { return detail::is_exit_safe(exporter_); }
    void after_fork() noexcept override { detail::after_fork(exporter_); }

    E exporter_;
  };

  std::unique_ptr<interface> held_;
};

static_assert(check_exporter<any_exporter>());

}  // namespace v1
}  // namespace fulgurite
