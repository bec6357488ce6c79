// A sampler chosen at run time.
//
// It holds any sampler behind a small virtual interface: one indirect call for each local root. Whether the held one
// wants to be asked for every span is known at run time only, by `asks_children()`. Without one inside it drops.
#pragma once

#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/sampler/sampler.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Holds any sampler. One without drops every trace.
class any_sampler {
 public:
  /// Drops every trace: what is not configured must cost nothing.
  any_sampler() noexcept = default;
  /// Holds this one.
  template <class Sampler>
    requires(!std::same_as<std::remove_cvref_t<Sampler>, any_sampler> && detail::samples<std::decay_t<Sampler>>)
  any_sampler(Sampler&& held)
      : held_(std::make_unique<model<std::decay_t<Sampler>>>(std::forward<Sampler>(held))),
        asks_children_(held_->asks_children()) {}
  any_sampler(any_sampler&& other) noexcept
      : held_(std::move(other.held_)), asks_children_(std::exchange(other.asks_children_, false)) {}
  any_sampler& operator=(any_sampler&& other) noexcept {
    held_ = std::move(other.held_);
    asks_children_ = std::exchange(other.asks_children_, false);
    return *this;
  }

  sampling_result sample(sampling_input const& input) const noexcept {
    return held_ ? held_->sample(input) : sampling_result(sampling_decision::drop);
  }
  /// The held sampler wants to decide about every span: `samples_children`, at run time.
  bool asks_children() const noexcept { return asks_children_; }
  std::optional<std::uint64_t> root_threshold() const noexcept {
    return held_ ? held_->root_threshold() : always_off_sampler::root_threshold();
  }
  std::string description() const { return held_ ? held_->description() : "AlwaysOffSampler"; }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual sampling_result sample(sampling_input const& input) noexcept = 0;
    virtual bool asks_children() const noexcept = 0;
    virtual std::optional<std::uint64_t> root_threshold() const noexcept = 0;
    virtual std::string description() const = 0;
  };
  template <class Sampler>
  struct model final : interface {
    template <class Given>
    explicit model(Given&& given) : held(std::forward<Given>(given)) {}
    sampling_result sample(sampling_input const& input) noexcept override { return held.sample(input); }
    bool asks_children() const noexcept override { return detail::asks_children(held); }
    std::optional<std::uint64_t> root_threshold() const noexcept override { return detail::root_threshold(held); }
    std::string description() const override { return held.description(); }
    Sampler held;
  };

  std::unique_ptr<interface> held_;
  bool asks_children_ = false;
};

}  // namespace v1
}  // namespace fulgurite
