// Writes a text to a stdio stream in one piece: no other thread's output between, no SIGPIPE, no wait without an end.
//
// Not with fwrite: it waits for ever for a reader that has stopped reading, and what becomes of a text that was refused
// is the C library's secret. So the stream is flushed, and the text goes straight to the file beneath it; only a
// regular file, or a stream in memory, gets it through stdio, which keeps its position.
#pragma once

#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/platform/sigpipe.hpp>

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Returns 0, or the error's number; ETIMEDOUT when the reader takes nothing until the deadline.
inline int write_to_file(int file, std::string_view text, deadline until) noexcept {
  // As much as a pipe that is ready to be written takes without blocking.
  constexpr std::size_t piece = 4096;
  while (!text.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    pollfd ready{file, POLLOUT, 0};
    const int polled = poll(&ready, 1, static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000)));
    if (polled < 0 && errno != EINTR) return errno;
    if (polled == 0 && left <= 0) return ETIMEDOUT;
    if (polled <= 0) continue;
    const ssize_t written = write(file, text.data(), std::min(text.size(), piece));
    if (written < 0 && errno != EINTR && errno != EAGAIN) return errno;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// Writes all of the text; what the program itself has buffered goes before it. Returns what is wrong, in words; empty
/// when all was written.
inline std::string write_to_stream(std::FILE* stream, std::string_view text, deadline until) {
  if (!stream) return "there is no stream";
  int error = 0;
  {
    const sigpipe_blocked quiet;
    flockfile(stream);
    errno = 0;
    const bool flushed = std::fflush(stream) == 0;
    error = flushed ? 0 : errno != 0 ? errno : EIO;
    struct stat about = {};
    const int file = fileno(stream);
    if (flushed && file >= 0 && fstat(file, &about) == 0 && !S_ISREG(about.st_mode)) {
      error = write_to_file(file, text, until);
    } else if (flushed) {
      errno = 0;
      if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0)
        error = errno != 0 ? errno : EIO;
    }
    funlockfile(stream);
  }
  return error == 0 ? std::string() : std::generic_category().message(error);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
