// A processor that stands before another one: the base of what changes, holds back or counts records on their way.
//
//   struct counting : fg::processor_decorator<fg::batch_processor<>> {
//     void process(fg::record_view const& record) noexcept { ++seen, next().process(record); }
//     std::atomic<int> seen{0};
//   };
//
// A decorator hides the members that it does something in, and calls those of `next()` there. What it does not hide
// answers for the next processor, so that forgetting a member cannot change what that one does.
#pragma once

#include <fulgurite/processor/batch.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Forwards every member of a processor, also those that `Next` may have or not, to `Next`.
template <processor Next = batch_processor<>>
class processor_decorator {
 public:
  using clock = typename Next::clock;
  static constexpr bool exports_inline = Next::exports_inline;

  processor_decorator() = default;
  explicit processor_decorator(Next next) : next_(std::move(next)) {}

  void start(std::shared_ptr<export_target> target) { next_.start(std::move(target)); }
  void process(record_view const& record) noexcept { next_.process(record); }
  void commit() noexcept { next_.commit(); }
  bool flush(deadline until) noexcept { return next_.flush(until); }
  bool shutdown(deadline until) noexcept { return next_.shutdown(until); }
  std::uint64_t queued() const noexcept { return next_.queued(); }

  bool is_inline() const noexcept { return fulgurite::exports_inline(next_); }
  bool export_pending(deadline until) noexcept { return detail::export_pending(next_, until); }
  bool cuts_values() const noexcept { return detail::cuts_values(next_); }
  bool blocks() const noexcept { return detail::blocks(next_); }
  bool would_block() noexcept { return detail::would_block(next_); }
  void poll() noexcept { detail::poll(next_); }
  void before_fork() noexcept { detail::before_fork(next_); }
  void after_fork(bool in_child) noexcept { detail::after_fork(next_, in_child); }
  void redact_resource(resource& of) const { detail::redact_resource(next_, of); }
  void redact_scope(instrumentation_scope& of) const { detail::redact_scope(next_, of); }

 protected:
  Next& next() noexcept { return next_; }
  Next const& next() const noexcept { return next_; }

 private:
  Next next_;
};

}  // namespace v1
}  // namespace fulgurite
