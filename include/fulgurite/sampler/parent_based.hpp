// The sampler that does as the parent did, and asks another one where a trace begins.
//
// OpenTelemetry, trace/sdk.md, ParentBased. So a trace is recorded whole or not at all, whoever began it. The answers
// for the four kinds of parents can be replaced too; they are the parent's own by default.
#pragma once

#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/sampler/sampler.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// `parent_based{parent_based{x}}` is `parent_based{x}`: class template argument deduction copies, and that is right,
/// because the outer one would ask the inner one for roots only, which the inner one hands to x.
template <class Root, class RemoteSampled = always_on_sampler, class RemoteNotSampled = always_off_sampler,
          class LocalSampled = always_on_sampler, class LocalNotSampled = always_off_sampler>
class parent_based {
  static_assert(check_sampler<Root>() && check_sampler<RemoteSampled>() && check_sampler<RemoteNotSampled>() &&
                check_sampler<LocalSampled>() && check_sampler<LocalNotSampled>());

 public:
  /// The root's sampler is never asked about children; one that replaces the answer for a local parent may want to be.
  static constexpr bool samples_children =
      fulgurite::samples_children<LocalSampled> || fulgurite::samples_children<LocalNotSampled>;

  explicit parent_based(Root for_roots, RemoteSampled remote_sampled = {}, RemoteNotSampled remote_not_sampled = {},
                        LocalSampled local_sampled = {}, LocalNotSampled local_not_sampled = {})
      : root_(std::move(for_roots)),
        remote_sampled_(std::move(remote_sampled)),
        remote_not_sampled_(std::move(remote_not_sampled)),
        local_sampled_(std::move(local_sampled)),
        local_not_sampled_(std::move(local_not_sampled)) {}

  sampling_result sample(sampling_input const& input) const noexcept {
    span_context const& parent = input.parent.span();
    if (!parent.is_valid()) return root_.sample(input);
    if (parent.is_remote()) return parent.sampled() ? remote_sampled_.sample(input) : remote_not_sampled_.sample(input);
    return parent.sampled() ? local_sampled_.sample(input) : local_not_sampled_.sample(input);
  }

  /// The root sampler's, if it has one.
  std::optional<std::uint64_t> root_threshold() const noexcept { return detail::root_threshold(root_); }
  /// `ParentBased{root:…,remoteParentSampled:…,remoteParentNotSampled:…,localParentSampled:…,localParentNotSampled:…}`
  std::string description() const {
    return "ParentBased{root:" + std::string(root_.description()) +
           ",remoteParentSampled:" + std::string(remote_sampled_.description()) +
           ",remoteParentNotSampled:" + std::string(remote_not_sampled_.description()) +
           ",localParentSampled:" + std::string(local_sampled_.description()) +
           ",localParentNotSampled:" + std::string(local_not_sampled_.description()) + "}";
  }

 private:
  // Mutable: a sampler may keep state; that it is asked on many threads at once is its own care.
  [[no_unique_address]] mutable Root root_;
  [[no_unique_address]] mutable RemoteSampled remote_sampled_;
  [[no_unique_address]] mutable RemoteNotSampled remote_not_sampled_;
  [[no_unique_address]] mutable LocalSampled local_sampled_;
  [[no_unique_address]] mutable LocalNotSampled local_not_sampled_;
};

}  // namespace v1
}  // namespace fulgurite
