#include "serve.hpp"

#include "commands.hpp"
#include "data_directory.hpp"
#include "server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fulgurite_server {
namespace {

using namespace std::chrono_literals;

constexpr auto grace = 1s;
constexpr auto wait_for_other = 5s;
constexpr int owner_poll_ms = 200;  // where the kernel has no pidfd
constexpr off_t max_log_size = 1 << 20;

/// How long a server lives: until a signal says so, or its last owner has ended.
class life {
 public:
  /// To be made before any thread, which inherit the blocked signals. Throws `std::runtime_error`.
  life(bool managed, std::optional<pid_t> first) : is_owned_(first.has_value()) {
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
    joined_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (signals_ < 0 || joined_ < 0) throw std::runtime_error("signals cannot be waited for");
    if (first && !add(*first)) throw std::runtime_error(fmt::format("the owner, process {}, does not run", *first));
  }

  /// One more owner; false when the end has begun. From any thread.
  bool join(pid_t process) {
    const std::lock_guard lock(mutex_);
    if (has_ended_) return false;
    if (!is_owned_) return true;  // it stays anyway
    const auto same = [process](owner const& one) { return one.process == process && !one.has_ended(); };
    // Another user's process has no say in how long we live.
    if (std::none_of(owners_.begin(), owners_.end(), same) && kill(process, 0) == 0 && add(process)) {
      const std::uint64_t one = 1;
      static_cast<void>(::write(joined_, &one, sizeof one) == sizeof one);
    }
    return true;
  }

  /// Calls `at_end` once it is decided that nobody can join any more, and before anybody is told so.
  template <class AtEnd>
  void wait(AtEnd&& at_end) {
    std::vector<pollfd> waiting;
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        pollfd signalled{signals_, POLLIN, 0};
        const bool must_end = poll(&signalled, 1, 0) > 0;
        const auto ended =
            std::partition(owners_.begin(), owners_.end(), [](owner const& o) { return !o.has_ended(); });
        std::for_each(ended, owners_.end(), [](owner const& gone) {
          if (gone.descriptor >= 0) ::close(gone.descriptor);
        });
        owners_.erase(ended, owners_.end());
        if (must_end || (is_owned_ && owners_.empty())) {
          has_ended_ = true;
          at_end();
          return;
        }
        waiting = {{signals_, POLLIN, 0}, {joined_, POLLIN, 0}};
        for (owner const& one : owners_) waiting.push_back({one.descriptor, POLLIN, 0});
      }
      const bool has_all = std::all_of(waiting.begin(), waiting.end(), [](pollfd const& one) { return one.fd >= 0; });
      poll(waiting.data(), waiting.size(), has_all ? -1 : owner_poll_ms);
      std::uint64_t count = 0;
      static_cast<void>(::read(joined_, &count, sizeof count));
    }
  }

 private:
  struct owner {
    pid_t process;
    int descriptor;  ///< A pidfd, which a zombie makes readable; -1 where there is none.

    bool has_ended() const noexcept {
      if (descriptor < 0) return kill(process, 0) != 0 && errno == ESRCH;
      pollfd ended{descriptor, POLLIN, 0};
      return poll(&ended, 1, 0) > 0;
    }
  };

  /// False when it does not run.
  bool add(pid_t process) {
    owner fresh{process, -1};
    if (fresh.has_ended()) return false;
#ifdef SYS_pidfd_open
    if (owners_.size() < max_watched) fresh.descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
#endif
    owners_.push_back(fresh);
    return true;
  }

  static constexpr std::size_t max_watched = 256;  // the descriptors are needed for connections too

  const bool is_owned_;
  int signals_ = -1, joined_ = -1;
  std::mutex mutex_;
  std::vector<owner> owners_;
  bool has_ended_ = false;
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

/// A starter that does not wait for the line any more (EPIPE) is no reason not to serve.
void print_address(std::string const& url) try {
  put(fmt::format("listening on {}\n", url));
  finish_output();
} catch (output_error const& error) {
  if (error.code().value() != EPIPE) throw;
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
  life until(options.managed, options.owner);
  create_data_directory(options.data);

  std::optional<server_lock> lock = server_lock::take(options.data);
  for (const auto deadline = std::chrono::steady_clock::now() + wait_for_other; !lock;) {
    // It may be just starting, or just ending.
    const std::optional<std::string> url = find_server(options.data);
    if (url && options.managed && (!options.owner || join_server(*url, *options.owner))) {
      print_address(*url);
      return 0;
    }
    if (url && !options.managed)
      throw std::runtime_error(fmt::format("a server for {} already runs at {}", options.data.string(), *url));
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error(fmt::format("another process holds {}", (options.data / "server.lock").string()));
    std::this_thread::sleep_for(20ms);
    if (std::optional<server_lock> now = server_lock::take(options.data)) lock.emplace(std::move(*now));
  }

  server http(options.data, [&until](pid_t owner) { return until.join(owner); });
  const int port = http.bind(options.port.value_or(options.managed ? 0 : default_port));
  lock->announce(port);
  print_address(fmt::format("http://127.0.0.1:{}", port));
  std::thread answering([&http] { http.run(); });
  if (options.managed) redirect_output(options.data);

  until.wait([&lock] { lock->withdraw(); });
  http.stop(grace);
  lock.reset();
  // Idle connections hold their threads for seconds yet. Everything acknowledged is on the disk: nothing is left to do.
  std::fflush(nullptr);
  std::_Exit(0);
}

}  // namespace fulgurite_server
