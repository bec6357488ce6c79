// What travels along a call chain: the span, the baggage, and what a propagator keeps.
//
// The parts that are seldom there (trace state, baggage, a propagator's own entries) lie in one shared, immutable
// `context_extras`, which a span passes on by a pointer, so that a child costs nothing more for them.
#pragma once

#include <fulgurite/context/baggage.hpp>
#include <fulgurite/context/span_context.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The seldom parts of a context. Immutable once shared; counted by reference.
struct context_extras {
  fulgurite::trace_state trace_state;
  fulgurite::baggage baggage;
  /// Fields that a propagator keeps from extraction to injection, such as B3's debug flag.
  std::vector<std::pair<std::string, std::string>> kept;
  mutable std::atomic<std::uint32_t> references{1};

  bool empty() const noexcept { return trace_state.empty() && baggage.empty() && kept.empty(); }
};

/// A counted reference to extras; null when there are none.
class extras_ref {
 public:
  constexpr extras_ref() noexcept = default;
  /// Takes over one reference.
  explicit constexpr extras_ref(const context_extras* owned) noexcept : extras_(owned) {}
  static extras_ref share(const context_extras* extras) noexcept {
    if (extras) extras->references.fetch_add(1, std::memory_order_relaxed);
    return extras_ref(extras);
  }
  extras_ref(extras_ref const& other) noexcept : extras_ref(share(other.extras_)) {}
  extras_ref(extras_ref&& other) noexcept : extras_(std::exchange(other.extras_, nullptr)) {}
  extras_ref& operator=(extras_ref other) noexcept {
    std::swap(extras_, other.extras_);
    return *this;
  }
  ~extras_ref() {
    if (extras_ && extras_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete extras_;
  }

  const context_extras* get() const noexcept { return extras_; }
  const context_extras* operator->() const noexcept { return extras_; }
  explicit operator bool() const noexcept { return extras_ != nullptr; }

 private:
  const context_extras* extras_ = nullptr;
};

}  // namespace detail

/// A value: copying it shares what is in it (OpenTelemetry, context/README.md).
class context {
 public:
  context() = default;
  explicit context(span_context span, fulgurite::baggage bag = {},
                   std::vector<std::pair<std::string, std::string>> kept = {})
      : span_(std::move(span)) {
    if (bag.empty() && kept.empty()) return;
    auto* extras = new detail::context_extras;
    extras->trace_state = span_.trace_state();
    extras->baggage = std::move(bag);
    extras->kept = std::move(kept);
    extras_ = detail::extras_ref(extras);
  }
  context(span_context span, detail::extras_ref extras) : span_(std::move(span)), extras_(std::move(extras)) {}

  span_context const& span() const noexcept { return span_; }
  fulgurite::baggage const& baggage() const noexcept {
    static const fulgurite::baggage none;
    return extras_ ? extras_->baggage : none;
  }
  /// The same span with other baggage.
  context with_baggage(fulgurite::baggage bag) const {
    return context(span_, std::move(bag), extras_ ? extras_->kept : decltype(detail::context_extras::kept){});
  }
  /// What a propagator kept under this key when it extracted; empty when nothing.
  std::string_view kept(std::string_view key) const noexcept {
    if (extras_)
      for (const auto& [name, value] : extras_->kept)
        if (name == key) return value;
    return {};
  }
  detail::extras_ref const& extras() const noexcept { return extras_; }

 private:
  span_context span_;
  detail::extras_ref extras_;
};

}  // namespace v1
}  // namespace fulgurite
