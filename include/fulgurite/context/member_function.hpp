// What the checks of policies ask: whether a class has a member function of a name that means something.
#pragma once

#include <type_traits>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The type of `&C::member`, where that is a member function and not overloaded: what a class of one's own may have by
/// accident, or with a mistake in it.
template <class Pointer>
concept member_function = std::is_member_function_pointer_v<Pointer>;

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
