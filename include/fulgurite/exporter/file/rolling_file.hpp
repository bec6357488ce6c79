// A file of lines that several processes may append to, that begins anew when it is large or old, and that may be moved
// or removed by others at any time.
//
// Each line is one system call on a descriptor opened to append, under a lock on the file (flock), so that lines of
// several processes do not mix, and a line that the disk has no room for is taken back. A process that is killed in the
// middle of a write leaves a torn line at the end: whoever appends next begins a new line. Under the lock, too, it is
// seen whether the path still names this file; if not it is opened again. The lock belongs to the open file, and the
// kernel gives it back when its process ends. Where there are no locks (some network file systems) lines are still
// appended whole, but nothing is taken back.
#pragma once

#include <fulgurite/delivery/spool_directory.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/stream_writer.hpp>
#include <fulgurite/platform/sigpipe.hpp>
#include <fulgurite/platform/standard_descriptors.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `<name>.20261125T154112.000123Z`: names sort by age.
inline std::string rolled_suffix(std::int64_t unix_ns) {
  const std::time_t seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), ".%04d%02d%02dT%02d%02d%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(unix_ns % 1'000'000'000 / 1000));
  return text.data();
}
inline bool is_rolled_name(std::string_view name, std::string_view base) noexcept {
  constexpr std::string_view form = ".00000000T000000.000000Z";
  if (name.size() != base.size() + form.size() || name.substr(0, base.size()) != base) return false;
  name.remove_prefix(base.size());
  return std::equal(name.begin(), name.end(), form.begin(),
                    [](char c, char f) { return f == '0' ? c >= '0' && c <= '9' : c == f; });
}

struct rolling_options {
  std::string path = {};
  /// A line that would make the file larger than this goes into a new one; 0 is no limit.
  std::uint64_t max_bytes = 0;
  /// So does one that comes later than this after the file's first; 0 is no limit.
  std::chrono::nanoseconds max_age{0};
  /// Files that are kept, the current one included; 0 is no limit.
  std::size_t max_files = 0;
  mode_t mode = 0600;
  /// Whether each line is on the disk before `append` returns.
  bool sync = false;
};

/// For one thread at a time, but for `interrupt` and the counters.
class rolling_file {
 public:
  struct counters {
    std::atomic<std::uint64_t> lines{0}, rolled{0}, torn{0};
  };

  explicit rolling_file(rolling_options options) : options_(std::move(options)) {}

  rolling_options const& options() const noexcept { return options_; }
  counters const& counts() const noexcept { return counts_; }

  /// Appends a line, given without its end. Returns what is wrong, in words; empty when all was written. `now` is the
  /// time in nanoseconds since the Unix epoch. Waits for another process's lock, or for the reader of a pipe, until the
  /// deadline.
  std::string append(std::string_view line, deadline until, std::int64_t now) {
    const write_signal_blocked no_size_signal(SIGXFSZ);  // over RLIMIT_FSIZE
    const sigpipe_blocked no_pipe_signal;
    interrupted_ = false;
    for (int attempt = 0; attempt < 10; ++attempt) {
      if (const int error = open(now)) return words(error);
      held_lock lock(*this, until);
      if (lock.error != 0) return lock.error == ETIMEDOUT ? "another process holds its lock" : words(lock.error);
      struct stat about = {};
      if (::fstat(file_.get(), &about) != 0 || !is_named(about)) {
        lock.release();
        close();  // moved or removed by somebody else
        continue;
      }
      if (!regular_) return append_to_stream(line, until);
      const auto size = static_cast<std::uint64_t>(about.st_size);
      if (size == 0) born_ = now;
      if (size == 0 || !is_due(size + line.size() + 1, now)) return append_at(size, line, lock.held);
      if (const int error = roll(now)) {
        log(log_level::error, "file: " + real_ + " cannot be renamed: " + words(error) + "; it grows on",
            "file roll " + real_);
        return append_at(size, line, lock.held);
      }
      lock.release();
      close();
    }
    return "it is moved away faster than it can be written to";
  }

  /// Makes `append` stop waiting for a lock; from any thread.
  void interrupt() noexcept { interrupted_ = true; }
  /// Also in the child of a fork, where it gives back nothing that the parent holds.
  void close() noexcept { file_.reset(); }

 private:
  /// The lock on the open file. `held` is false also where there are none to be had.
  struct held_lock {
    held_lock(rolling_file& of, deadline until) noexcept : file(of.file_.get()) {
      if (!of.regular_) return;
      for (int pause = 1; ::flock(file, LOCK_EX | LOCK_NB) != 0; pause = std::min(2 * pause, 16)) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return;
        if (of.interrupted_ || std::chrono::steady_clock::now() >= until) {
          error = of.interrupted_ ? EINTR : ETIMEDOUT;
          return;
        }
        const timespec time{0, pause * 1'000'000};
        ::nanosleep(&time, nullptr);
      }
      held = true;
    }
    held_lock(held_lock const&) = delete;
    held_lock& operator=(held_lock const&) = delete;
    ~held_lock() { release(); }
    /// By name, not by closing: a child that was forked meanwhile may still have a copy of the descriptor.
    void release() noexcept {
      if (std::exchange(held, false)) ::flock(file, LOCK_UN);
    }
    int file, error = 0;
    bool held = false;
  };

  static std::string words(int error) { return std::generic_category().message(error); }

  /// 0, or the error's number.
  int open(std::int64_t now) {
    if (file_) return 0;
    fill_standard_descriptors();
    struct stat about = {};
    const bool other = ::stat(options_.path.c_str(), &about) == 0 && !S_ISREG(about.st_mode);
    const auto open_as = [&](int access) {
      // O_NONBLOCK: a pipe without a reader is an error, not a wait.
      file_.reset(::open(options_.path.c_str(), access | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                         options_.mode));
      return file_ ? 0 : errno;
    };
    int error = open_as(other ? O_WRONLY : O_RDWR);  // to read its last byte
    if (error == EACCES && !other) error = open_as(O_WRONLY);
    if (error == 0 && ::fstat(file_.get(), &about) != 0) error = errno;
    if (error != 0) return error;
    regular_ = S_ISREG(about.st_mode);
    known_size_ = 0;
    born_ = birth(now);
    // A link to the file stays where it is when the file is renamed.
    real_ = options_.path;
    if (char* const resolved = ::realpath(options_.path.c_str(), nullptr)) {
      real_ = resolved;
      std::free(resolved);
    }
    return 0;
  }

  std::int64_t birth(std::int64_t now) const noexcept {
#ifdef STATX_BTIME
    struct statx about = {};
    if (::statx(file_.get(), "", AT_EMPTY_PATH, STATX_BTIME, &about) == 0 && (about.stx_mask & STATX_BTIME) != 0)
      return about.stx_btime.tv_sec * 1'000'000'000 + about.stx_btime.tv_nsec;
#endif
    return now;
  }

  bool is_named(struct stat const& file) const noexcept {
    struct stat named = {};
    return ::stat(options_.path.c_str(), &named) == 0 && named.st_dev == file.st_dev && named.st_ino == file.st_ino;
  }
  bool is_due(std::uint64_t size, std::int64_t now) const noexcept {
    return (options_.max_bytes > 0 && size > options_.max_bytes) ||
           (options_.max_age.count() > 0 && now - born_ >= options_.max_age.count());
  }

  std::string append_at(std::uint64_t size, std::string_view line, bool locked) {
    const bool torn = size > 0 && size != known_size_ && !ends_a_line(size);
    std::array<iovec, 3> parts{};
    int count = 0;
    char end = '\n';
    if (torn) parts[static_cast<std::size_t>(count++)] = {&end, 1};
    parts[static_cast<std::size_t>(count++)] = {const_cast<char*>(line.data()), line.size()};
    parts[static_cast<std::size_t>(count++)] = {&end, 1};
    std::size_t written = 0;
    known_size_ = 0;
    if (const int error = write_all(parts.data(), count, written)) {
      take_back(size, written, locked);
      return words(error);
    }
    if (options_.sync && ::fdatasync(file_.get()) != 0) return words(errno);
    known_size_ = size + written;
    counts_.lines.fetch_add(1, std::memory_order_relaxed);
    if (torn) {
      counts_.torn.fetch_add(1, std::memory_order_relaxed);
      log(log_level::warn,
          "file: " + real_ + " ended in the middle of a line, which is lost; a new one begins after it",
          "file torn " + real_);
    }
    return {};
  }

  /// In one call, but where the kernel takes a part only. 0, or the error's number.
  int write_all(iovec* part, int count, std::size_t& written) const noexcept {
    while (count > 0) {
      const ssize_t taken = ::writev(file_.get(), part, count);
      if (taken < 0 && errno == EINTR) continue;
      if (taken <= 0) return taken < 0 ? errno : ENOSPC;
      auto left = static_cast<std::size_t>(taken);
      written += left;
      for (; count > 0 && left >= part->iov_len; ++part, --count) left -= part->iov_len;
      if (count > 0) *part = {static_cast<char*>(part->iov_base) + left, part->iov_len - left};
    }
    return 0;
  }

  /// What was written of a line that does not fit; where that fails the next one begins after it.
  void take_back(std::uint64_t size, std::size_t written, bool locked) const noexcept {
    struct stat about = {};
    if (written == 0 || !locked || ::fstat(file_.get(), &about) != 0) return;
    if (static_cast<std::uint64_t>(about.st_size) != size + written) return;
    [[maybe_unused]] const int failed = ::ftruncate(file_.get(), static_cast<off_t>(size));
  }

  bool ends_a_line(std::uint64_t size) const noexcept {
    char last = '\n';
    while (::pread(file_.get(), &last, 1, static_cast<off_t>(size) - 1) < 0 && errno == EINTR) {
    }
    return last == '\n';
  }

  /// A pipe, a terminal, a device: nothing is renamed there, and a reader that stops reading is not waited for for
  /// ever.
  std::string append_to_stream(std::string_view line, deadline until) {
    std::string text;
    text.reserve(line.size() + 2);
    if (broken_) text += '\n';
    (text += line) += '\n';
    const int error = write_to_file(file_.get(), text, until);
    broken_ = error != 0;
    if (error != 0) return words(error);
    counts_.lines.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

  /// Renames the file, and removes the oldest of those that were renamed before. 0, or the error's number.
  int roll(std::int64_t now) {
    std::string to = real_ + rolled_suffix(now);
    for (struct stat about; ::lstat(to.c_str(), &about) == 0; to = real_ + rolled_suffix(now)) now += 1000;
    if (::rename(real_.c_str(), to.c_str()) != 0) return errno;
    counts_.rolled.fetch_add(1, std::memory_order_relaxed);
    if (options_.max_files == 0) return 0;
    const std::size_t slash = real_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : real_.substr(0, slash + 1);
    const std::string base = slash == std::string::npos ? real_ : real_.substr(slash + 1);
    const spool_descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::vector<std::string> rolled;
    for_each_entry(directory.get(), [&](std::string_view name) {
      if (is_rolled_name(name, base)) rolled.emplace_back(name);
    });
    std::sort(rolled.begin(), rolled.end());
    for (std::size_t i = 0; i + options_.max_files <= rolled.size(); ++i)
      if (::unlinkat(directory.get(), rolled[i].c_str(), 0) == 0)
        log(log_level::info, "file: " + rolled[i] + " is removed: it is the oldest, and max_files is reached",
            "file removed " + real_);
    return 0;
  }

  const rolling_options options_;
  spool_descriptor file_;
  bool regular_ = false, broken_ = false;
  /// What the path was when it was opened, without links.
  std::string real_;
  /// The size after this one's last line; 0: unknown. Another size means that somebody else has appended.
  std::uint64_t known_size_ = 0;
  std::int64_t born_ = 0;
  std::atomic<bool> interrupted_{false};
  counters counts_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
