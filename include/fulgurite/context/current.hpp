// What is current on this thread: reading it, and setting baggage for a scope.
#pragma once

#include <fulgurite/context/thread_state.hpp>

#include <initializer_list>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline context context_of(active_context const& active) {
  return context(span_context(active.trace, active.span, active.flags, active.remote,
                              active.extras ? active.extras->trace_state : trace_state()),
                 extras_ref::share(active.extras));
}

}  // namespace detail

/// The context of the span that is current on this thread, with its baggage. Its span is invalid where there is none.
inline context current_context() { return detail::context_of(detail::seen_thread().current); }

/// The baggage that is current on this thread.
inline baggage current_baggage() {
  const detail::context_extras* extras = detail::seen_thread().current.extras;
  return extras ? extras->baggage : baggage();
}

/// A scope in which other baggage is current; made by with_baggage.
class [[nodiscard, maybe_unused]] baggage_scope {
 public:
  explicit baggage_scope(baggage bag) : thread_(detail::own_thread()) {
    if (!thread_) return;
    auto* extras = new detail::context_extras;
    if (const detail::context_extras* outer = thread_->current.extras) {
      extras->trace_state = outer->trace_state;
      extras->kept = outer->kept;
    }
    extras->baggage = std::move(bag);
    detail::enter_scope(*thread_, link_, thread_->current, detail::extras_ref(extras));
  }
  baggage_scope(baggage_scope const&) = delete;
  baggage_scope& operator=(baggage_scope const&) = delete;
  ~baggage_scope() {
    if (thread_) detail::leave_scope(*thread_, link_);
  }

 private:
  detail::thread_state* thread_;
  detail::scope_link link_;
};

/// Adds these entries to the current baggage until the returned scope ends.
inline baggage_scope with_baggage(std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  baggage bag = current_baggage();
  for (const auto& [key, value] : entries) bag.set(key, value);
  return baggage_scope(std::move(bag));
}

}  // namespace v1
}  // namespace fulgurite
