// An exporter chosen at run time: any model behind one pointer.
//
// Called once per batch, so that erasure costs nothing that could be measured. Members that a model may have or not
// (`stats`, `check_health`, `interrupt`, `hurry`, `idle`, `is_exit_safe`, `after_fork`) are always there and answer for
// it.
#pragma once

#include <fulgurite/exporter/exporter.hpp>

#include <chrono>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

template <class E>
concept counting_exporter = requires(E const& e) {
  { e.stats() } -> std::same_as<exporter_stats>;
};
template <class E>
concept checkable_exporter = requires(E& e, deadline until) {
  { e.check_health(until) } -> std::same_as<health_report>;
};
/// Another thread can make the export that is under way give up.
template <class E>
concept interruptible_exporter = requires(E& e) { e.interrupt(); };
/// It can be told that shutdown has begun.
template <class E>
concept hurrying_exporter = requires(E& e) { e.hurry(); };
template <class E>
concept forking_exporter = requires(E& e) { e.after_fork(); };
/// It has work of its own while there is nothing to export.
template <class E>
concept idling_exporter = requires(E& e, E const& c) {
  { c.idle_at() } noexcept -> std::same_as<deadline>;
  e.idle();
};
template <class E>
concept exit_safe_exporter = requires(E const& e) {
  { e.is_exit_safe() } noexcept -> std::same_as<bool>;
};
template <class E>
concept keeping_exporter = requires(E const& e) {
  { e.keeps_undelivered() } noexcept -> std::same_as<bool>;
};

}  // namespace detail

/// Holds any exporter; movable. An empty one (made by default, or moved from) refuses every batch.
class any_exporter {
 public:
  any_exporter() noexcept = default;

  template <class E>
    requires(!std::same_as<std::remove_cvref_t<E>, any_exporter> && exporter<std::remove_cvref_t<E>>)
  any_exporter(E&& held) : held_(std::make_unique<model<std::remove_cvref_t<E>>>(std::forward<E>(held))) {}

  bool has_value() const noexcept { return held_ != nullptr; }

  export_result export_spans(span_batch const& batch) {
    return held_ ? held_->export_spans(batch) : export_result::failure;
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
    virtual export_result export_spans(span_batch const&) = 0;
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

    export_result export_spans(span_batch const& batch) override { return exporter_.export_spans(batch); }
    bool flush(deadline until) override { return exporter_.flush(until); }
    bool shutdown(deadline until) override { return exporter_.shutdown(until); }
    exporter_stats stats() const override {
      if constexpr (detail::counting_exporter<E>)
        return exporter_.stats();
      else
        return {};
    }
    health_report check_health([[maybe_unused]] deadline until) override {
      if constexpr (detail::checkable_exporter<E>)
        return exporter_.check_health(until);
      else
        return {.reachable = true, .reason = "this exporter reaches out to nobody"};
    }
    void interrupt() noexcept override {
      if constexpr (detail::interruptible_exporter<E>) exporter_.interrupt();
    }
    void hurry() noexcept override {
      if constexpr (detail::hurrying_exporter<E>) exporter_.hurry();
    }
    deadline idle_at() const noexcept override {
      if constexpr (detail::idling_exporter<E>)
        return exporter_.idle_at();
      else
        return deadline::max();
    }
    void idle() noexcept override {
      if constexpr (detail::idling_exporter<E>) exporter_.idle();
    }
    bool keeps_undelivered() const noexcept override {
      if constexpr (detail::keeping_exporter<E>)
        return exporter_.keeps_undelivered();
      else
        return false;
    }
    bool is_exit_safe() const noexcept override {
      if constexpr (detail::exit_safe_exporter<E>)
        return exporter_.is_exit_safe();
      else
        return false;
    }
    void after_fork() noexcept override {
      if constexpr (detail::forking_exporter<E>) exporter_.after_fork();
    }

    E exporter_;
  };

  std::unique_ptr<interface> held_;
};

static_assert(check_exporter<any_exporter>());

}  // namespace v1
}  // namespace fulgurite
