// A part of a test that runs in a process of its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace fulgurite_test {

/// Calls `f() -> int` in a child; its exit code, or the negative number of the signal that killed it.
template <class F>
int in_child(F&& f) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(f());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace fulgurite_test
