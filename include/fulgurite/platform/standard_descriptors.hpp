// A program that was started with standard input, output or error closed: a socket or a file of ours must not get their
// numbers, or what the program prints would go into it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Opens /dev/null for those of the three that are closed, and leaves it open: closing it again could hit what the
/// program has put there meanwhile. A program that is executed finds them closed as before. Called before whatever
/// opens a descriptor that stays.
inline void fill_standard_descriptors() noexcept {
  const auto is_open = [](int number) { return ::fcntl(number, F_GETFD) >= 0; };
  while (!is_open(0) || !is_open(1) || !is_open(2)) {
    const int made = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (made < 0) return;
    if (made > 2) {
      ::close(made);
      return;
    }
  }
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
