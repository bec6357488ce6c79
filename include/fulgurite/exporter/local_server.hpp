// Finds the local server (`fulgurite serve`), or starts it: a process of its own that the program need not know of.
//
// The program keeps its descriptors, its signals and its `wait`: the server inherits none of the first, starts with
// fresh ones of the second, and is no child that the third could see. It has its own files in the data directory, of
// which `server.json` says where it listens.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" char** environ;

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `$FULGURITE_DATA`, else `$XDG_DATA_HOME/fulgurite`, else `~/.local/share/fulgurite`; empty when there is no home.
inline std::string default_data_directory() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (std::string given = variable("FULGURITE_DATA"); !given.empty()) return given;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty() && data.front() == '/')
    return data + "/fulgurite";
  std::string home = variable("HOME");
  if (home.empty()) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_dir)
      home = found->pw_dir;
  }
  return home.empty() ? std::string() : home + "/.local/share/fulgurite";
}

/// The text member `name` of a flat JSON object that holds no escapes; empty when it is not there. Enough for what a
/// server of ours writes, and harmless with anything else.
inline std::string json_text_member(std::string_view json, std::string_view name) {
  const std::string quoted = '"' + std::string(name) + '"';
  std::size_t at = json.find(quoted);
  if (at == std::string_view::npos) return {};
  at = json.find_first_not_of(" \t\r\n", at + quoted.size());
  if (at == std::string_view::npos || json[at] != ':') return {};
  at = json.find_first_not_of(" \t\r\n", at + 1);
  if (at == std::string_view::npos || json[at] != '"') return {};
  const std::size_t end = json.find_first_of("\"\\", at + 1);
  if (end == std::string_view::npos || json[end] != '"') return {};
  return std::string(json.substr(at + 1, end - at - 1));
}

/// Whether a URL is plain HTTP to this machine, as the local server's is: nothing else is believed.
inline bool is_local_url(std::string const& url) {
  http_endpoint at;
  return parse_endpoint(url, at).empty() && !at.tls &&
         (at.host == "127.0.0.1" || at.host == "::1" || at.host == "localhost");
}

/// What `server.json` says: the URL of a server that runs, or did before it crashed. Empty when it says nothing.
inline std::string announced_server(std::string const& directory) {
  std::ifstream in(directory + "/server.json");
  std::string json(4096, '\0');
  in.read(json.data(), static_cast<std::streamsize>(json.size()));
  json.resize(static_cast<std::size_t>(in.gcount()));
  std::string url = json_text_member(json, "url");
  return is_local_url(url) ? url : std::string();
}

/// The command's full path by $PATH, or empty.
inline std::string find_command(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::string candidate(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    if (candidate.empty() || candidate.front() != '/') continue;  // never from wherever the program happens to stand
    candidate.append("/").append(name);
    struct stat about{};
    if (::stat(candidate.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

/// A process like ours, without the handlers of `pthread_atfork`. With 0 for a signal, neither SIGCHLD nor a `wait` for
/// any child tells of its end.
inline pid_t plain_fork(int signal) noexcept { return static_cast<pid_t>(::syscall(SYS_clone, signal, 0, 0, 0, 0)); }

/// Starts a program that is no child of ours, with its standard output and error in a pipe, and returns the end to read
/// from; negative when that failed. Its environment is ours without LD_PRELOAD.
inline int start_detached(std::vector<std::string> const& command) {
  std::vector<char*> arguments, environment;
  for (std::string const& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  for (char** variable = environ; variable && *variable; ++variable)
    if (std::string_view(*variable).substr(0, 11) != "LD_PRELOAD=") environment.push_back(*variable);
  environment.push_back(nullptr);
  rlimit files{};
  const int last =
      getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? static_cast<int>(files.rlim_cur) : 65536;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  sigset_t all, before;
  sigfillset(&all);
  // No handler of the program may run in the processes below.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t between = plain_fork(0);
  if (between == 0) {
    // From here on only what is safe in a signal handler: another thread may have held any lock.
    setsid();
    if (plain_fork(SIGCHLD) != 0) _exit(0);
    const int output = fcntl(ends[1], F_DUPFD, 3);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(output, 1);
    dup2(output, 2);
#ifdef SYS_close_range
    if (::syscall(SYS_close_range, 3U, ~0U, 0U) != 0)
#endif
      for (int i = 3; i < last; ++i) ::close(i);
    struct sigaction normal{};
    normal.sa_handler = SIG_DFL;
    for (int i = 1; i < NSIG; ++i) sigaction(i, &normal, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(arguments[0], arguments.data(), environment.data());
    _exit(127);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[1]);
  if (between < 0) {
    ::close(ends[0]);
    return -1;
  }
  while (waitpid(between, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  return ends[0];
}

/// The first line that comes out of a pipe, without its end; shorter when the pipe ends, time is up, or `stop` is set.
inline std::string read_line(int from, std::chrono::steady_clock::time_point until, std::atomic<bool> const& stop) {
  std::string line;
  while (line.size() < 1000 && !stop) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) break;
    pollfd ready{from, POLLIN, 0};
    const int count = poll(&ready, 1, static_cast<int>(std::min<long long>(left, 20)));
    if (count < 0 && errno != EINTR) break;
    if (count <= 0) continue;
    char c = 0;
    const ssize_t got = ::read(from, &c, 1);
    if (got <= 0 || c == '\n') break;
    line += c;
  }
  return line;
}

struct started_server {
  std::string url = {};
  /// Why there is no URL.
  std::string problem = {};
};

/// Runs `fulgurite serve --managed` and waits until it says where it listens. `owner`: the server ends with this
/// process.
inline started_server start_server(std::string const& program, std::string const& directory, bool owner,
                                   std::chrono::steady_clock::time_point until, std::atomic<bool> const& stop) {
  std::vector<std::string> command{program, "serve", "--managed", "--port", "0", "--data", directory};
  if (owner) {
    command.emplace_back("--owner-pid");
    command.push_back(std::to_string(getpid()));
  }
  const int output = start_detached(command);
  if (output < 0) return {{}, "no process could be started: " + std::string(std::strerror(errno))};
  const std::string line = read_line(output, until, stop);
  ::close(output);
  constexpr std::string_view listening = "listening on ";
  if (line.starts_with(listening)) {
    std::string url = line.substr(listening.size());
    if (is_local_url(url)) return {std::move(url), {}};
  }
  if (line.empty()) return {{}, program + " did not say in time where it listens"};
  return {{}, program + " says: " + line};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
