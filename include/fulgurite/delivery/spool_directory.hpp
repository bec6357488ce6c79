// The files of a spool: written so that a crash leaves a whole file or none, and owned by one process at a time.
//
//     <spool>/<destination>/            one for each backend, mode 0700
//         <time>-<pid>-<n>/             one for each exporter, mode 0700; whoever locks `lock` in it owns its files
//             lock
//             <time>-<pid>-<n>.batch    one batch (delivery/spool_file.hpp), mode 0600; names sort by age
//         bad/                          what could not be read
//
// The kernel gives a lock back when its process ends, however it ends: the next exporter for the same destination takes
// the directory over. A directory is made and locked under another name and then renamed, so that nobody finds it
// without its owner. Everything goes through directory descriptors: a later chdir changes nothing.
#pragma once

#include <fulgurite/platform/sigpipe.hpp>
#include <fulgurite/platform/standard_descriptors.hpp>
#include <fulgurite/text/hex.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::string_view spool_suffix = ".batch";
inline constexpr const char* spool_bad_folder = "bad";

/// A descriptor; -1 is none. Atomic, because the child of a fork closes what another thread was about to change.
class spool_descriptor {
 public:
  spool_descriptor() = default;
  explicit spool_descriptor(int fd) noexcept : fd_(fd) {}
  spool_descriptor(spool_descriptor&& other) noexcept : fd_(other.fd_.exchange(-1)) {}
  spool_descriptor& operator=(spool_descriptor&& other) noexcept {
    if (this != &other) reset(other.fd_.exchange(-1));
    return *this;
  }
  ~spool_descriptor() { reset(); }

  int get() const noexcept { return fd_.load(std::memory_order_relaxed); }
  explicit operator bool() const noexcept { return get() >= 0; }
  void reset(int fd = -1) noexcept {
    if (const int old = fd_.exchange(fd); old >= 0) ::close(old);
  }

 private:
  std::atomic<int> fd_{-1};
};

inline spool_descriptor open_directory(int at, const char* name) noexcept {
  return spool_descriptor(::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Calls `visit(name)` for every entry but `.` and `..`.
template <class F>
void for_each_entry(int directory, F&& visit) {
  // Not a duplicate, which would share its position with the next reader.
  const int again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (again < 0) return;
  const auto end = [](DIR* all) { ::closedir(all); };
  const std::unique_ptr<DIR, decltype(end)> all(::fdopendir(again), end);
  if (!all) {
    ::close(again);
    return;
  }
  while (const dirent* entry = ::readdir(all.get())) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") visit(entry->d_name);
  }
}

/// What a file takes on a disk, about.
constexpr std::uint64_t on_disk(std::uint64_t size) noexcept { return (size + 4095) / 4096 * 4096; }

/// The same of a file by its name; nothing when it is gone.
inline std::uint64_t on_disk(int directory, const char* name) noexcept {
  struct stat status{};
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_size < 0) return 0;
  return on_disk(static_cast<std::uint64_t>(status.st_size));
}

/// Makes a directory and those above it, all mode 0700; 0 or the error's number.
inline int make_directories(std::string const& path) {
  fill_standard_descriptors();
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    const std::string part = path.substr(0, slash);
    struct stat status{};
    if (::mkdir(part.c_str(), 0700) == 0 || errno == EEXIST) continue;
    const int error = errno;  // above a directory that is there one may be allowed nothing
    if (::stat(part.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return error;
  }
  return 0;
}

/// Writes a file under another name, and renames it when it is on the disk. 0, or the error's number and no file.
inline int write_durably(int directory, std::string const& name, std::span<const std::string_view> parts) {
  const std::string temporary = name + ".tmp";
  // Over RLIMIT_FSIZE a write raises a signal that ends the process by default.
  const write_signal_blocked quiet(SIGXFSZ);
  spool_descriptor file(
      ::openat(directory, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno;
  int error = 0;
  for (std::string_view part : parts)
    while (error == 0 && !part.empty()) {
      const ssize_t written = ::write(file.get(), part.data(), part.size());
      if (written > 0)
        part.remove_prefix(static_cast<std::size_t>(written));
      else if (written == 0 || errno != EINTR)
        error = written == 0 ? ENOSPC : errno;
    }
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0 && ::renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) error = errno;
  if (error != 0)
    ::unlinkat(directory, temporary.c_str(), 0);
  else
    ::fsync(directory);  // where this fails the name may be lost with the power, but not with the process
  return error;
}

/// Reads a whole regular file. 0, or the error's number; EFBIG when it is larger than `most`, EINVAL when it is none.
inline int read_whole(int directory, const char* name, std::size_t most, std::string& out) {
  const spool_descriptor file(::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno;
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EINVAL;
  if (static_cast<std::uint64_t>(status.st_size) > most) return EFBIG;
  out.resize(static_cast<std::size_t>(status.st_size));
  std::size_t got = 0;
  while (got < out.size()) {
    const ssize_t read = ::read(file.get(), out.data() + got, out.size() - got);
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return errno;
    if (read == 0) break;
    got += static_cast<std::size_t>(read);
  }
  out.resize(got);
  return 0;
}

/// Names that sort by age and are nobody else's. `last` is the time of the last one.
inline std::string spool_name(std::int64_t& last) {
  static std::atomic<unsigned> counter{0};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  last = std::max(last + 1, static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "%020lld-%d-%u", static_cast<long long>(last), static_cast<int>(::getpid()),
                counter.fetch_add(1, std::memory_order_relaxed));
  return name.data();
}

/// A name for a destination's directory: readable, and different for every address.
inline std::string spool_destination(std::string_view kind, std::string_view address) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: the name must be the same in every run and version
  for (const char c : address) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string name(kind);
  name += '-';
  append_hex(name, hash);
  return name;
}

/// A directory of batches that this exporter owns: its own, or one that a process has left.
class spool_lease {
 public:
  int directory() const noexcept { return directory_.get(); }
  std::string const& name() const noexcept { return name_; }
  explicit operator bool() const noexcept { return static_cast<bool>(lock_); }

  /// Makes a directory in `destination`; 0 or the error's number.
  int make(int destination, std::int64_t& last) {
    const std::string name = spool_name(last);
    const std::string hidden = ".new-" + name;
    if (::mkdirat(destination, hidden.c_str(), 0700) != 0) return errno;
    int error = hold(destination, hidden, true);
    if (error == 0 && ::renameat(destination, hidden.c_str(), destination, name.c_str()) != 0) error = errno;
    if (error != 0) {
      remove(destination, hidden);
      return error;
    }
    ::fsync(destination);
    name_ = name;
    return 0;
  }

  /// Takes over a directory whose process has ended; false when it has not, or when somebody else was faster.
  bool adopt(int destination, std::string const& name) {
    if (hold(destination, name, false) != 0) return false;
    struct stat status{};
    // Somebody may have taken it, emptied it and removed it between the opening and the locking.
    if (::fstat(lock_.get(), &status) != 0 || status.st_nlink == 0) {
      close();
      return false;
    }
    name_ = name;
    return true;
  }

  /// Removes the directory where nothing is left in it, and gives it up in any case.
  void release(int destination) noexcept {
    if (!*this) return;
    bool empty = true;
    try {
      for_each_entry(directory(), [&](std::string_view entry) { empty = empty && entry == "lock"; });
    } catch (...) {
      empty = false;
    }
    if (empty) remove(destination, name_);
    close();
  }

  /// Also in the child of a fork, where closing gives back nothing that the parent holds.
  void close() noexcept {
    directory_.reset();
    lock_.reset();
  }

 private:
  int hold(int destination, std::string const& name, bool fresh) noexcept {
    directory_ = open_directory(destination, name.c_str());
    if (!directory_) return errno;
    // Where it is missing, its owner died while it removed the directory.
    const int create = fresh ? O_CREAT | O_EXCL : O_CREAT;
    lock_.reset(::openat(directory_.get(), "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | create, 0600));
    const int error = !lock_ || ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 ? errno : 0;
    if (error != 0) close();
    return error;
  }
  void remove(int destination, std::string const& name) noexcept {
    if (directory_) ::unlinkat(directory(), "lock", 0);
    ::unlinkat(destination, name.c_str(), AT_REMOVEDIR);
    close();
  }

  spool_descriptor directory_, lock_;
  std::string name_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
