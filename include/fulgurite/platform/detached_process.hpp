// A program that is started and then left alone: no child that our program's `wait` could see, with none of its
// descriptors and signals.
//
// As long as we watch, a process of ours stands between: it is the parent, which alone can learn how the program ended.
// When we stop watching it goes, and the program belongs to init.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern "C" char** environ;

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A process like ours, without the handlers of `pthread_atfork`. With 0 for a signal, neither SIGCHLD nor a `wait` for
/// any child tells of its end.
inline pid_t plain_fork(int signal) noexcept { return static_cast<pid_t>(::syscall(SYS_clone, signal, 0, 0, 0, 0)); }

class detached_process {
 public:
  /// Starts a program with the full path `command[0]`, our environment without LD_PRELOAD, and standard output and
  /// error in a pipe to us.
  explicit detached_process(std::vector<std::string> const& command) {
    std::vector<char*> arguments, environment;
    for (std::string const& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    for (char** variable = environ; variable && *variable; ++variable)
      if (std::string_view(*variable).substr(0, 11) != "LD_PRELOAD=") environment.push_back(*variable);
    environment.push_back(nullptr);
    rlimit files{};
    const int last =
        getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? static_cast<int>(files.rlim_cur) : 65536;
    int output[2], watch[2];
    if (pipe2(output, O_CLOEXEC) != 0) return;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watch) != 0) {
      close_both(output);
      return;
    }
    sigset_t all, before;
    sigfillset(&all);
    // No handler of the program may run in the processes below.
    pthread_sigmask(SIG_SETMASK, &all, &before);
    between_ = plain_fork(0);
    if (between_ == 0) {
      // From here on only what is safe in a signal handler: another thread may have held any lock.
      setsid();
      reset_signals();
      const pid_t started = plain_fork(SIGCHLD);
      if (started == 0) become(arguments.data(), environment.data(), output[1], last);
      stand_between(started, watch[1], last);
    }
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::close(output[1]);
    ::close(watch[1]);
    output_ = output[0];
    watch_ = watch[0];
    errno = error;
  }
  detached_process(detached_process const&) = delete;
  detached_process& operator=(detached_process const&) = delete;
  /// The program runs on.
  ~detached_process() {
    const int error = errno;
    if (output_ >= 0) ::close(output_);
    if (watch_ >= 0) {
      ::shutdown(watch_, SHUT_RDWR);
      ::close(watch_);
    }
    while (between_ > 0 && waitpid(between_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
    errno = error;
  }

  /// Else `errno` says why.
  bool is_started() const noexcept { return between_ > 0; }

  /// The first line of the output, without its end; shorter when the program or its output ends, time is up, or `stop`
  /// is set.
  std::string read_line(std::chrono::steady_clock::time_point until, std::atomic<bool> const& stop) {
    std::string line;
    while (line.size() < 1000 && !stop) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
      if (left <= 0) break;
      pollfd ready[]{{output_, POLLIN, 0}, {watch_, POLLIN, 0}};
      const int count = poll(ready, 2, static_cast<int>(std::min<long long>(left, 20)));
      if (count < 0 && errno != EINTR) break;
      if (count <= 0) continue;
      // What it said before it ended comes first.
      if (ready[0].revents != 0) {
        char c = 0;
        const ssize_t got = ::read(output_, &c, 1);
        if (got > 0 && c == '\n') break;
        if (got > 0) {
          line += c;
          continue;
        }
        ::close(output_);
        output_ = -1;
        if (!line.empty()) break;
        // Most likely it has ended, and its parent is about to say so.
        until = std::min(until, std::chrono::steady_clock::now() + std::chrono::seconds(1));
      } else {
        int status = 0;
        if (::read(watch_, &status, sizeof status) == sizeof status) status_ = status;
        break;
      }
    }
    return line;
  }

  /// How it ended, in words, as far as `read_line` came to know of it; empty otherwise.
  std::string end() const {
    if (!status_) return {};
    if (WIFSIGNALED(*status_)) return "was ended by signal " + std::to_string(WTERMSIG(*status_));
    return "exited with status " + std::to_string(WEXITSTATUS(*status_));
  }
  /// It can say nothing any more.
  bool is_silent() const noexcept { return output_ < 0; }

 private:
  static void close_both(const int (&ends)[2]) noexcept {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    errno = error;
  }
  static void reset_signals() noexcept {
    struct sigaction normal{};
    normal.sa_handler = SIG_DFL;
    for (int i = 1; i < NSIG; ++i) sigaction(i, &normal, nullptr);
  }
  static void close_from(int first, int last) noexcept {
#ifdef SYS_close_range
    if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
#endif
    for (int i = first; i < last; ++i) ::close(i);
  }

  [[noreturn]] static void become(char** arguments, char** environment, int output, int last) noexcept {
    output = fcntl(output, F_DUPFD, 3);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
    close_from(3, last);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(arguments[0], arguments, environment);
    _exit(127);
  }

  /// Waits for the program's end, which it reports, and for that of the watching.
  [[noreturn]] static void stand_between(pid_t started, int watch, int last) noexcept {
    dup2(watch, 0);
    close_from(1, last);
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(started, &status, WNOHANG);
      if (ended == started) ::send(0, &status, sizeof status, MSG_NOSIGNAL);
      if (ended != 0) _exit(0);
      pollfd watched{0, POLLIN, 0};
      if (poll(&watched, 1, 5) > 0) _exit(0);
    }
  }

  pid_t between_ = -1;
  int output_ = -1, watch_ = -1;
  std::optional<int> status_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
