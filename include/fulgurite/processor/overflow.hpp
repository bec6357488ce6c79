// The overflow role: what happens when there is no room for a finished span.
#pragma once

namespace fulgurite {
inline namespace v1 {

/// The span that finds no room is dropped and counted; the program never waits. The default.
struct drop_newest {
  static constexpr bool blocks = false;
};

/// The thread that ends the span waits until there is room: nothing is lost while the program runs, and the program is
/// as fast as its backend. It does not wait where nobody would make room: in a signal handler, after shutdown, and
/// where the collecting thread could not be started; the span is dropped and counted then.
struct block {
  static constexpr bool blocks = true;
};

template <class O>
concept overflow = requires { O::blocks ? 1 : 0; };

}  // namespace v1
}  // namespace fulgurite
