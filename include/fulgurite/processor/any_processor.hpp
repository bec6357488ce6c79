// A processor chosen at run time. Erasure costs one virtual call a record on the worker, nothing on the hot path.
#pragma once

#include <fulgurite/processor/processor.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Holds any processor whose clock is `tsc_clock`; a default-made one drops everything.
class any_processor {
 public:
  using clock = tsc_clock;
  static constexpr bool exports_inline = false;

  any_processor() = default;
  template <class P>
    requires(!std::same_as<std::remove_cvref_t<P>, any_processor> && processor<std::remove_cvref_t<P>>)
  any_processor(P&& model) : self_(std::make_unique<holder<std::remove_cvref_t<P>>>(std::forward<P>(model))) {
    static_assert(check_processor<std::remove_cvref_t<P>>());
    static_assert(std::same_as<typename std::remove_cvref_t<P>::clock, tsc_clock>,
                  "any_processor holds processors with tsc_clock: the clock is part of the span's type");
  }

  bool is_inline() const noexcept { return self_ && self_->is_inline(); }
  void start(std::shared_ptr<export_target> target) {
    if (self_) self_->start(std::move(target));
  }
  void process(record_view const& record) noexcept {
    if (self_) self_->process(record);
  }
  void commit() noexcept {
    if (self_) self_->commit();
  }
  bool flush(deadline until) noexcept { return !self_ || self_->flush(until); }
  bool export_pending(deadline until) noexcept { return !self_ || self_->export_pending(until); }
  bool shutdown(deadline until) noexcept { return !self_ || self_->shutdown(until); }
  std::uint64_t queued() const noexcept { return self_ ? self_->queued() : 0; }
  void poll() noexcept {
    if (self_) self_->poll();
  }
  void redact_resource(resource& of) const {
    if (self_) self_->redact_resource(of);
  }
  void redact_scope(instrumentation_scope& of) const {
    if (self_) self_->redact_scope(of);
  }
  bool cuts_values() const noexcept { return self_ && self_->cuts_values(); }
  bool blocks() const noexcept { return self_ && self_->blocks(); }
  bool would_block() noexcept { return self_ && self_->would_block(); }
  void before_fork() noexcept {
    if (self_) self_->before_fork();
  }
  void after_fork(bool in_child) noexcept {
    if (self_) self_->after_fork(in_child);
  }

 private:
  struct base {
    virtual ~base() = default;
    virtual bool is_inline() const noexcept = 0;
    virtual void start(std::shared_ptr<export_target> target) = 0;
    virtual void process(record_view const& record) noexcept = 0;
    virtual void commit() noexcept = 0;
    virtual bool flush(deadline until) noexcept = 0;
    virtual bool export_pending(deadline until) noexcept = 0;
    virtual bool shutdown(deadline until) noexcept = 0;
    virtual std::uint64_t queued() const noexcept = 0;
    virtual void poll() noexcept = 0;
    virtual void redact_resource(resource& of) const = 0;
    virtual void redact_scope(instrumentation_scope& of) const = 0;
    virtual bool cuts_values() const noexcept = 0;
    virtual bool blocks() const noexcept = 0;
    virtual bool would_block() noexcept = 0;
    virtual void before_fork() noexcept = 0;
    virtual void after_fork(bool in_child) noexcept = 0;
  };
  template <class P>
  struct holder final : base {
    template <class Q>
    explicit holder(Q&& from) : model(std::forward<Q>(from)) {}
    bool is_inline() const noexcept override { return fulgurite::exports_inline(model); }
    void start(std::shared_ptr<export_target> target) override { model.start(std::move(target)); }
    void process(record_view const& record) noexcept override { model.process(record); }
    void commit() noexcept override { model.commit(); }
    bool flush(deadline until) noexcept override { return model.flush(until); }
    bool export_pending(deadline until) noexcept override { return detail::export_pending(model, until); }
    bool shutdown(deadline until) noexcept override { return model.shutdown(until); }
    std::uint64_t queued() const noexcept override { return model.queued(); }
    void poll() noexcept override { detail::poll(model); }
    void redact_resource(resource& of) const override { detail::redact_resource(model, of); }
    void redact_scope(instrumentation_scope& of) const override { detail::redact_scope(model, of); }
    bool cuts_values() const noexcept override { return detail::cuts_values(model); }
    bool blocks() const noexcept override { return detail::blocks(model); }
    bool would_block() noexcept override { return detail::would_block(model); }
    void before_fork() noexcept override { detail::before_fork(model); }
    void after_fork(bool in_child) noexcept override { detail::after_fork(model, in_child); }
    P model;
  };

  std::unique_ptr<base> self_;
};

}  // namespace v1
}  // namespace fulgurite
