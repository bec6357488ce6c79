#include "serve.hpp"

#include "data_directory.hpp"
#include "server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace fulgurite_server {
namespace {

using namespace std::chrono_literals;

constexpr auto grace = 1s;
constexpr auto wait_for_other = 5s;
constexpr int owner_poll_ms = 200;  // where the kernel has no pidfd
constexpr off_t max_log_size = 1 << 20;

/// Ends when a signal says so, or the owner has ended.
class life {
 public:
  /// To be made before any thread, which inherit the blocked signals. Throws `std::runtime_error`.
  life(bool managed, std::optional<pid_t> owner) : owner_(owner) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    if (managed) {
      signal(SIGINT, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
    } else {
      sigaddset(&signals, SIGINT);
      sigaddset(&signals, SIGHUP);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signals_ = signalfd(-1, &signals, SFD_CLOEXEC);
    if (signals_ < 0) throw std::runtime_error("signals cannot be waited for");
    if (!owner) return;
#ifdef SYS_pidfd_open
    process_ = static_cast<int>(syscall(SYS_pidfd_open, *owner, 0));
    if (process_ >= 0) return;
#endif
    if (kill(*owner, 0) != 0 && errno == ESRCH)
      throw std::runtime_error(fmt::format("the owner, process {}, does not run", *owner));
  }

  void wait() const {
    pollfd waiting[] = {{signals_, POLLIN, 0}, {process_, POLLIN, 0}};
    const int timeout = owner_ && process_ < 0 ? owner_poll_ms : -1;
    while (true) {
      const int ready = poll(waiting, 2, timeout);
      if (ready > 0) return;
      if (ready < 0 && errno != EINTR) return;
      if (timeout > 0 && kill(*owner_, 0) != 0 && errno == ESRCH) return;
    }
  }

 private:
  std::optional<pid_t> owner_;
  int signals_ = -1, process_ = -1;
};

/// Nothing of the program that started us may stay open: its listening sockets could not be bound again, and whoever
/// reads its output to the end would wait for us.
void leave_the_starter() {
  setsid();  // fails for a leader of a group, which then has nothing to leave
  closefrom(3);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (chdir("/") != 0) return;  // or a file system could not be unmounted; not worth more than trying
}

void redirect_output(std::filesystem::path const& directory) {
  const std::filesystem::path file = directory / "server.log";
  const int log = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
  struct stat about = {};
  if (log >= 0 && fstat(log, &about) == 0 && about.st_size > max_log_size && ftruncate(log, 0) != 0) return;
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) dup2(null, STDOUT_FILENO);
  dup2(log >= 0 ? log : null, STDERR_FILENO);
}

void print_address(std::string const& url) {
  std::printf("listening on %s\n", url.c_str());
  std::fflush(stdout);
}

/// cpp-httplib uses select(2).
void limit_descriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, FD_SETSIZE);
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int serve(serve_options options) {
  options.data = std::filesystem::absolute(options.data);
  if (options.managed) leave_the_starter();
  signal(SIGPIPE, SIG_IGN);
  limit_descriptors();
  const life until(options.managed, options.owner);
  create_data_directory(options.data);

  std::optional<server_lock> lock = server_lock::take(options.data);
  for (const auto deadline = std::chrono::steady_clock::now() + wait_for_other; !lock;) {
    // It may be just starting, or just ending.
    const std::optional<std::string> url = find_server(options.data);
    if (url && options.managed) {
      print_address(*url);
      return 0;
    }
    if (url) throw std::runtime_error(fmt::format("a server for {} already runs at {}", options.data.string(), *url));
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(fmt::format("another process holds {}", (options.data / "server.lock").string()));
    std::this_thread::sleep_for(20ms);
    if (std::optional<server_lock> now = server_lock::take(options.data)) lock.emplace(std::move(*now));
  }

  server http(options.data);
  const int port = http.bind(options.port.value_or(options.managed ? 0 : default_port));
  lock->announce(port);
  std::thread answering([&http] { http.run(); });
  print_address(fmt::format("http://127.0.0.1:{}", port));
  if (options.managed) redirect_output(options.data);

  until.wait();
  lock->withdraw();
  http.stop(grace);
  lock.reset();
  // Idle connections hold their threads for seconds yet. Everything acknowledged is on the disk: nothing is left to do.
  std::fflush(nullptr);
  std::_Exit(0);
}

}  // namespace fulgurite_server
