// Whether the program has ended without exit(): its main thread has called pthread_exit() and no other is left but the
// library's own.
//
// POSIX says that such a process exits with status 0 when its last thread ends (pthread_exit, Description). The C
// library counts ours as well, so they must notice and end. The kernel tells by /proc; without it they never do.
#pragma once

#include <fulgurite/platform/process_end.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The state letter of a thread of this process (proc(5), /proc/pid/stat); 0 when it cannot be read.
inline char thread_state_letter(pid_t id) noexcept {
  char text[128];
  std::snprintf(text, sizeof text, "/proc/self/task/%d/stat", static_cast<int>(id));
  const int file = ::open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (size <= 0) return 0;
  text[size] = '\0';
  // The second field, the name, stands in parentheses and may contain any character; it has 15 at the most.
  const char* const name_end = std::strrchr(text, ')');
  return name_end && name_end[1] == ' ' ? name_end[2] : '\0';
}

/// The main thread has ended, and the process has not.
[[gnu::cold]] inline bool main_thread_is_gone() noexcept { return thread_state_letter(getpid()) == 'Z'; }

/// No thread but the main one and the library's, the calling one among them, is listed. False in doubt.
[[gnu::cold]] inline bool only_library_threads_left() noexcept {
  DIR* const tasks = ::opendir("/proc/self/task");
  if (!tasks) return false;
  bool others = false;
  while (const dirent* const entry = ::readdir(tasks)) {
    const pid_t id = static_cast<pid_t>(std::atoi(entry->d_name));  // 0 for "." and ".."
    if (id <= 0 || id == getpid() || id == thread_id()) continue;
    bool own = false;
    for_each_library_thread([&](pid_t each, bool) { own = own || each == id; });
    if (!own) {
      others = true;
      break;
    }
  }
  ::closedir(tasks);
  return !others;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
