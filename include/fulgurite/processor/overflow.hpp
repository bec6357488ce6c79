// The overflow role: what happens when there is no room for a finished span.
#pragma once

namespace fulgurite {
inline namespace v1 {

/// The span that finds no room is dropped and counted; the program never waits. The default.
struct drop_newest {
  static constexpr bool blocks = false;
};

template <class O>
concept overflow = requires { O::blocks ? 1 : 0; };

}  // namespace v1
}  // namespace fulgurite
