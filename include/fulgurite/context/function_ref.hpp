// A function passed down a call without being kept: two words, no allocation.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

template <class Signature>
class function_ref;

/// Refers to anything callable; valid as long as that is (compare std::function_ref of C++26).
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
 public:
  template <class F>
    requires(!std::same_as<std::remove_cvref_t<F>, function_ref> && std::is_object_v<std::remove_reference_t<F>> &&
             std::is_invocable_r_v<Result, F&, Arguments...>)
  constexpr function_ref(F&& function) noexcept
      : object_(const_cast<void*>(static_cast<const volatile void*>(std::addressof(function)))),
        call_([](void* object, Arguments... arguments) -> Result {
          auto& self = *static_cast<std::remove_reference_t<F>*>(object);
          if constexpr (std::is_void_v<Result>)
            static_cast<void>(self(std::forward<Arguments>(arguments)...));
          else
            return self(std::forward<Arguments>(arguments)...);
        }) {}

  constexpr Result operator()(Arguments... arguments) const {
    return call_(object_, std::forward<Arguments>(arguments)...);
  }

 private:
  void* object_;
  Result (*call_)(void*, Arguments...);
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
