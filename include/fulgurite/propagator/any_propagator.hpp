// A propagator chosen at run time.
//
// It holds any propagator behind a small virtual interface; setter and getter cross it as references, so nothing is
// allocated for a call. Without one inside it does nothing, like noop_propagator.
#pragma once

#include <fulgurite/context/function_ref.hpp>
#include <fulgurite/propagator/propagator.hpp>

#include <concepts>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

using setter_ref = function_ref<void(std::string_view, std::string_view)>;

/// Any getter, with its way to list the fields if it has one.
class getter_ref {
 public:
  using visitor = function_ref<void(std::string_view, std::string_view)>;

  template <class Getter>
    requires(!std::same_as<std::remove_cvref_t<Getter>, getter_ref>)
  explicit getter_ref(Getter& getter) noexcept
      : get_(getter),
        object_(const_cast<void*>(static_cast<const void*>(std::addressof(getter)))),
        list_([](void* object, visitor visit) { return for_each_field(*static_cast<Getter*>(object), visit); }) {}

  std::optional<std::string_view> operator()(std::string_view key) { return get_(key); }
  bool for_each(visitor visit) { return list_(object_, visit); }

 private:
  function_ref<std::optional<std::string_view>(std::string_view)> get_;
  void* object_;
  bool (*list_)(void*, visitor);
};

}  // namespace detail

/// Holds any propagator. One without does nothing.
class any_propagator {
 public:
  /// Does nothing.
  any_propagator() noexcept = default;
  /// Holds this one.
  template <class Propagator>
    requires(!std::same_as<std::remove_cvref_t<Propagator>, any_propagator> &&
             detail::propagates<std::decay_t<Propagator>>)
  any_propagator(Propagator&& held)
      : held_(std::make_unique<model<std::decay_t<Propagator>>>(std::forward<Propagator>(held))) {}

  template <class Setter>
  void inject(context const& from, Setter&& setter) const {
    if (held_) held_->inject(from, detail::setter_ref(setter));
  }
  template <class Getter>
  context extract(Getter&& getter) const {
    return held_ ? held_->extract(detail::getter_ref(getter)) : context();
  }
  std::vector<std::string_view> fields() const { return held_ ? held_->fields() : std::vector<std::string_view>(); }

 private:
  struct interface {
    virtual ~interface() = default;
    virtual void inject(context const& from, detail::setter_ref setter) = 0;
    virtual context extract(detail::getter_ref getter) = 0;
    virtual std::vector<std::string_view> fields() = 0;
  };
  template <class Propagator>
  struct model final : interface {
    template <class Given>
    explicit model(Given&& given) : held(std::forward<Given>(given)) {}
    void inject(context const& from, detail::setter_ref setter) override { held.inject(from, setter); }
    context extract(detail::getter_ref getter) override { return held.extract(getter); }
    std::vector<std::string_view> fields() override {
      auto&& keys = held.fields();
      return std::vector<std::string_view>(std::begin(keys), std::end(keys));
    }
    Propagator held;
  };

  std::unique_ptr<interface> held_;
};

}  // namespace v1
}  // namespace fulgurite
