// Writes spans to a file: OTLP JSON Lines (opentelemetry-specification, protocol/file-exporter.md), one TracesData a
// line, UTF-8, which the collector's otlpjsonfile receiver and `fulgurite triplets` read.
//
// A batch is one line, written in one piece; several processes may write to the same file. The file is renamed to
// `<path>.<UTC time>` when it is large or old, and the oldest of those are removed; one that logrotate or anybody else
// moves or removes is opened anew (exporter/file/rolling_file.hpp). A full disk, a missing directory, a lost
// permission: the batch fails, which is counted and said once a minute, and the next one is tried again. The directory
// is not made: where a volume is not mounted nothing must be written beneath it.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/file/rolling_file.hpp>
#include <fulgurite/platform/left_behind.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Which file, and how much of it is kept.
struct file_options {
  /// A relative path is one below the directory in which the exporter was made. May also be a pipe or a device, such as
  /// `/dev/stdout`; what follows does not apply to these.
  std::string path = "traces.jsonl";
  /// A batch that would make the file larger goes into a new one; 0: never. A batch is not divided.
  std::uint64_t max_bytes = std::uint64_t{100} << 20;
  /// So does one that comes this much later than the file's first; 0: never.
  std::chrono::seconds max_age{0};
  /// Files that are kept, the current one included; the oldest are removed. 0: all.
  std::size_t max_files = 10;
  /// Permissions of a new file, before the umask: spans may hold what is not for everybody.
  unsigned mode = 0600;
  /// Whether a batch counts as exported only when it is on the disk (fdatasync). Otherwise it outlives the process, but
  /// not the power.
  bool sync = false;
};

/// What a file exporter has done since it was made.
struct file_counts {
  /// Batches, each one line.
  std::uint64_t lines = 0;
  /// How often a new file was begun because of its size or age.
  std::uint64_t rotated = 0;
  /// Lines that somebody, dying, had left unfinished at the end of the file; a new line was begun after each.
  std::uint64_t torn = 0;
};

/// An exporter to a file, opened with the first batch. Construction never throws. `flush` has nothing to do: what was
/// exported is written.
class file_exporter {
 public:
  explicit file_exporter(file_options options = {}) noexcept try {
    writer_ = std::make_unique<writer>(detail::rolling_options{.path = absolute(std::move(options.path)),
                                                               .max_bytes = options.max_bytes,
                                                               .max_age = options.max_age,
                                                               .max_files = options.max_files,
                                                               .mode = static_cast<mode_t>(options.mode & 07777U),
                                                               .sync = options.sync});
  } catch (...) {
    detail::log(log_level::error, "file: out of memory; no span will be written");
  }

  /// Appends the batch as one line; all of it or nothing. Waits at most ten seconds for another process that holds the
  /// file's lock, or for a pipe's reader.
  batch_outcome export_spans(span_batch const& batch) noexcept try {
    if (!writer_) return {.failed = batch.size()};
    if (shut_down_) return detail::failed_after_shutdown(batch.size());
    if (batch.empty()) return {};
    const std::span<const std::byte> line = to_otlp_json(batch, writer_->encoder);
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::string problem = writer_->file.append({reinterpret_cast<const char*>(line.data()), line.size()},
                                                     std::chrono::steady_clock::now() + patience,
                                                     std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec);
    writer_->encoder.shrink(std::size_t{4} << 20);
    if (problem.empty()) return detail::all_exported(batch.size());
    detail::log(log_level::error, "file: " + path() + ": a batch was not written: " + problem);
    return {.failed = batch.size(), .reason = path() + ": " + problem, .kind = failure_kind::other, .said = true};
  } catch (...) {
    detail::log(log_level::error, "file: out of memory; a batch was not written");
    return {.failed = batch.size()};
  }
  /// No library is needed that exit() takes down.
  static constexpr bool is_exit_safe() noexcept { return true; }
  bool flush(deadline) noexcept { return true; }
  /// Closes the file.
  bool shutdown(deadline) noexcept {
    shut_down_ = true;
    if (writer_) writer_->file.close();
    return true;
  }
  /// Makes the `export_spans` that is under way wait no longer for a lock; from any thread.
  void interrupt() noexcept {
    if (writer_) writer_->file.interrupt();
  }

  /// In the child of a fork: a descriptor of its own, opened with its first batch.
  void after_fork() noexcept try {
    if (!writer_) return;
    writer_->file.close();
    auto fresh = std::make_unique<writer>(writer_->file.options());
    detail::leave_behind(std::exchange(writer_, std::move(fresh)));
  } catch (...) {
    detail::log(log_level::error, "file: no memory in the child of a fork");
  }

  /// From any thread.
  file_counts counts() const noexcept {
    if (!writer_) return {};
    detail::rolling_file::counters const& of = writer_->file.counts();
    return {of.lines.load(std::memory_order_relaxed), of.rolled.load(std::memory_order_relaxed),
            of.torn.load(std::memory_order_relaxed)};
  }
  /// Whether a batch could be written now, as far as can be told without writing one; from any thread.
  health_report check_health(deadline) const {
    if (!writer_) return {.reachable = false, .endpoint = {}, .reason = "out of memory", .latency = {}};
    health_report report{.reachable = false, .endpoint = "file://" + path(), .reason = {}, .latency = {}};
    const auto start = std::chrono::steady_clock::now();
    // The file, or the directory in which it would be made.
    std::string where = path();
    int allowed = ::access(where.c_str(), W_OK);
    if (allowed != 0 && errno == ENOENT) {
      where.resize(std::max<std::size_t>(where.rfind('/') + 1, 1));
      allowed = ::access(where.c_str(), W_OK | X_OK);
    }
    struct stat about = {};
    const bool is_there = ::stat(path().c_str(), &about) == 0;
    if (is_there && S_ISDIR(about.st_mode)) allowed = -1, errno = EISDIR;
    if (is_there && S_ISFIFO(about.st_mode)) {  // without a reader it cannot be opened
      const int pipe = ::open(path().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      allowed = pipe < 0 ? -1 : ::close(pipe);
    }
    struct statvfs room = {};
    if (allowed != 0 || ::statvfs(where.c_str(), &room) != 0)
      report.reason = where + ": " + std::generic_category().message(errno);
    else if (room.f_blocks > 0 && room.f_bavail == 0)
      report.reason = where + ": " + std::generic_category().message(ENOSPC);
    else {
      report.reachable = true;
      report.reason = "it can be written to";
    }
    report.latency = std::chrono::steady_clock::now() - start;
    return report;
  }

 private:
  static constexpr std::chrono::seconds patience{10};

  struct writer {
    explicit writer(detail::rolling_options options) : file(std::move(options)) {}
    detail::rolling_file file;
    otlp_json_encoder encoder;
  };

  std::string const& path() const noexcept { return writer_->file.options().path; }

  /// A later chdir changes nothing.
  static std::string absolute(std::string path) {
    std::array<char, PATH_MAX> here{};
    if (path.empty() || path.front() == '/' || !::getcwd(here.data(), here.size())) return path;
    return std::string(here.data()) + '/' + path;
  }

  std::unique_ptr<writer> writer_;
  bool shut_down_ = false;
};

static_assert(check_exporter<file_exporter>());

}  // namespace v1
}  // namespace fulgurite
