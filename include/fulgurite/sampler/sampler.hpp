// The sampler role: which traces are recorded.
//
// A sampler is a class with two member functions, `sample` and `description`. It is asked when a span starts that has
// no parent in this process (a local root); the spans below inherit the answer, which is what keeps an unsampled span
// at a flag test. One that wants to be asked for every span says `static constexpr bool samples_children = true;`.
// Nothing is inherited and nothing registered. `sample` runs on many threads at once.
//
// Its models: always_off.hpp (the null model), always_on.hpp, ratio.hpp, parent_based.hpp, the others in this folder,
// and any_sampler.hpp when it is chosen at run time.
#pragma once

#include <fulgurite/context/context.hpp>
#include <fulgurite/record/attribute_value.hpp>
#include <fulgurite/record/span_kind.hpp>
#include <fulgurite/sampler/decision.hpp>

#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// What a sampler decides by; all of it is borrowed and gone after the call.
struct sampling_input {
  /// Where the span comes from; its span context is invalid for the root of a trace.
  context const& parent;
  /// The new span's trace: the parent's, or a new one.
  fulgurite::trace_id trace_id = {};
  std::string_view name = {};
  span_kind kind = span_kind::internal;
  /// The attributes given when the span was started.
  std::span<const attribute_view> attributes = {};
};

/// A decision, and what it adds to the span. From a decision alone it costs nothing.
struct sampling_result {
  constexpr sampling_result() noexcept = default;
  sampling_result(sampling_decision d) noexcept : decision(d) {}
  sampling_result(sampling_decision d, std::vector<attribute> added,
                  std::optional<fulgurite::trace_state> state = std::nullopt) noexcept
      : decision(d), attributes(std::move(added)), trace_state(std::move(state)) {}

  sampling_decision decision = sampling_decision::drop;
  /// Set on the span beside its own; the span's win where keys are equal.
  std::vector<attribute> attributes = {};
  /// The span's trace state; the parent's when not given, none when empty.
  std::optional<fulgurite::trace_state> trace_state = {};
};

namespace detail {

template <class S>
concept has_sample = requires(S& s, sampling_input const& input) {
  { s.sample(input) } -> std::convertible_to<sampling_result>;
};
template <class S>
concept has_noexcept_sample = requires(S& s, sampling_input const& input) {
  { s.sample(input) } noexcept;
};
template <class S>
concept has_description = requires(S const& s) {
  { s.description() } -> std::convertible_to<std::string>;
};
template <class S>
concept has_samples_children = requires { S::samples_children; };

template <class S>
consteval bool well_formed_samples_children() {
  if constexpr (has_samples_children<S>)
    return requires { typename std::bool_constant<static_cast<bool>(S::samples_children)>; };
  else
    return true;
}

/// All of it but that it can be moved. A wrapper that converts from any sampler asks for this much only: whether
/// `parent_based<any_sampler>` can be moved depends on what any_sampler converts from.
template <class S>
concept samples = has_sample<S> && has_noexcept_sample<S> && has_description<S> && well_formed_samples_children<S>();

}  // namespace detail

/// What a sampler is. It may answer with a bare `sampling_decision`.
template <class S>
concept sampler = std::move_constructible<S> && detail::samples<S>;

/// The sampler asks to decide about every span, also one whose parent is in this process.
template <class S>
inline constexpr bool samples_children = false;
template <detail::has_samples_children S>
inline constexpr bool samples_children<S> = static_cast<bool>(S::samples_children);

namespace detail {

/// The same at run time: a type-erased sampler knows it only there.
template <class S>
constexpr bool asks_children(S const& sampler) noexcept {
  if constexpr (requires {
                  { sampler.asks_children() } -> std::same_as<bool>;
                })
    return sampler.asks_children();
  else
    return samples_children<S>;
}

}  // namespace detail

namespace detail {

/// What a sampler may say besides: a trace without a parent is sampled exactly when the randomness of its id (its low
/// 56 bits) is at least this, with nothing added. The tracer then need not ask. A type-erased sampler may say so or
/// not.
template <class S>
constexpr std::optional<std::uint64_t> root_threshold(S const& sampler) noexcept {
  if constexpr (requires {
                  { sampler.root_threshold() } -> std::convertible_to<std::optional<std::uint64_t>>;
                })
    return sampler.root_threshold();
  else
    return std::nullopt;
}

}  // namespace detail

/// Says in one sentence what a sampler lacks: `static_assert(fulgurite::check_sampler<mine>());`
template <class S>
consteval bool check_sampler() {
  static_assert(std::move_constructible<S>, "a sampler must be movable: the tracer keeps it");
  static_assert(detail::has_sample<S>,
                "a sampler needs a member function: sampling_result sample(sampling_input const&) const noexcept");
  static_assert(!detail::has_sample<S> || detail::has_noexcept_sample<S>,
                "sample() must be noexcept: it runs inside the traced program");
  static_assert(detail::has_description<S>, "a sampler needs a member function: std::string description() const");
  static_assert(detail::well_formed_samples_children<S>(),
                "samples_children must be a constant: static constexpr bool samples_children = true");
  return sampler<S>;
}

}  // namespace v1
}  // namespace fulgurite
