// The spool: where batches wait on a disk, oldest first, until the backend takes them.
//
// `append` returns when a batch is safe from the end of the process and of the machine; it stays until `drop_front`, so
// that a crash between delivery and removal delivers it twice and never not at all. What crashed processes left comes
// before this one's own (delivery/spool_directory.hpp says who owns what). When to try is not decided here but in
// delivery/spooled_delivery.hpp.
//
// Full means that the newest is refused: what was once taken is never given up for something else. A file that cannot
// be read is set aside in `bad/`, where at most 32 files and a quarter of the spool's size are kept. No error throws or
// stays silent: it is logged, and the batch goes the way it would have gone without a spool.
#pragma once

#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/delivery/spool_directory.hpp>
#include <fulgurite/delivery/spool_file.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/record/plain_list.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct spool_counts {
  /// Spans of this process that wait here.
  std::uint64_t waiting = 0;
  /// Spans of this process that waited here and were delivered; that the backend did not take of what was delivered.
  std::uint64_t exported = 0, rejected = 0;
  /// Spans of this process that waited here and were refused, or whose file was damaged or is gone.
  std::uint64_t failed = 0;
  /// Spans of earlier processes that were delivered.
  std::uint64_t replayed = 0;
  /// Files that could not be read.
  std::uint64_t set_aside = 0;
};

/// For one exporter: one thread at a time; `counts` from any.
class spool {
 public:
  /// The oldest batch, borrowed from the spool until its next call.
  struct batch {
    spooled_request request;
    /// Of this process, and so in its accounts.
    bool own = false;
  };

  /// What earlier processes left is taken over whenever everything is delivered, and with `look_now` at once.
  spool(std::string directory, std::string const& destination, std::uint64_t max_bytes, bool look_now = true)
      : path_(std::move(directory) + '/' + destination), max_bytes_(max_bytes) {
    if (look_now) look_for_leftovers();
  }
  spool(spool const&) = delete;
  spool& operator=(spool const&) = delete;
  ~spool() { close(); }

  bool empty() const noexcept { return files_.empty(); }

  /// Whether the batch is safe on the disk. Throws std::bad_alloc only.
  bool append(spooled_request const& request) {
    const std::uint64_t now = unix_now();
    const std::string head = spool_head(request, now);
    const std::uint64_t size = on_disk(head.size() + request.body.size());
    if (head.size() + request.body.size() > spool_largest_file || request.content_type.size() > spool_longest_text ||
        request.content_encoding.size() > spool_longest_text)
      return refuse("a batch is too large for it", EFBIG);
    if (!open_destination(true)) return false;
    if (bytes_ + others_bytes() + size > max_bytes_)
      return refuse("it is full (spool_max_bytes is " + std::to_string(max_bytes_) + ")", 0);
    if (!leases_[0])
      if (const int error = leases_[0].make(destination_.get(), last_); error != 0)
        return refuse("no directory can be made there", error);
    file fresh{spool_name(last_).append(spool_suffix), 0, size, request.spans};
    const std::array parts{std::string_view(head), as_text(request.body)};
    files_.push_back(std::move(fresh));  // before it is written: nothing may fail after that
    int error = EIO;
    try {
      error = write_durably(leases_[0].directory(), files_.back().name, parts);
    } catch (...) {
      files_.pop_back();
      throw;
    }
    if (error != 0) {
      files_.pop_back();
      return refuse("a batch could not be written", error);
    }
    bytes_ += size;
    waiting_.fetch_add(request.spans, std::memory_order_relaxed);
    return true;
  }

  /// The oldest batch; null when there is none, or none that can be read now.
  batch const* front() {
    while (!files_.empty()) {
      file const& oldest = files_.front();
      const int error =
          read_whole(leases_[oldest.lease].directory(), oldest.name.c_str(), spool_largest_file, content_);
      if (error == EMFILE || error == ENFILE || error == ENOMEM) return nullptr;
      std::string_view problem = error == 0 ? parse_spool_file(std::as_bytes(std::span(content_)), front_.request)
                                 : error == ENOENT ? "it is gone"
                                                   : std::strerror(error);
      front_.own = oldest.lease == 0;
      if (problem.empty()) return &front_;
      set_aside(oldest, problem, error != ENOENT);
      settle_front({.failed = oldest.spans});
    }
    return nullptr;
  }

  /// Removes the oldest batch, which `front` gave: it was delivered, but for spans that the backend did not take, or
  /// refused for good.
  void drop_front(bool delivered, std::uint64_t rejected = 0) noexcept {
    file const& oldest = files_.front();
    const int directory = leases_[oldest.lease].directory();
    if (::unlinkat(directory, oldest.name.c_str(), 0) != 0 && errno != ENOENT)
      say(log_level::error, "a batch that is dealt with cannot be removed and will be sent again by the next process",
          errno);
    if (!front_.own && delivered) replayed_.fetch_add(front_.request.spans, std::memory_order_relaxed);
    rejected = std::min<std::uint64_t>(rejected, oldest.spans);
    settle_front(delivered ? settled_spans{.exported = oldest.spans - rejected, .rejected = rejected}
                           : settled_spans{.failed = oldest.spans});
  }

  spool_counts counts() const noexcept {
    const auto get = [](std::atomic<std::uint64_t> const& count) { return count.load(std::memory_order_relaxed); };
    return {get(waiting_), get(exported_), get(rejected_), get(failed_), get(replayed_), get(set_aside_)};
  }

  /// Gives everything up: the next process may have it at once.
  void close() noexcept {
    files_.clear();
    for (spool_lease& lease : leases_) lease.release(destination_.get());
    bytes_ = 0;
  }
  /// In the child of a fork, which owns nothing of it; another thread may have been anywhere in here. Nothing else may
  /// be called then, the destructor included.
  void leave_to_parent() noexcept {
    for (spool_lease& lease : leases_) lease.close();
    destination_.reset();
  }

 private:
  static constexpr std::size_t most_leases = 17;  // the first is its own
  static constexpr std::size_t most_bad_files = 32;

  struct file {
    std::string name;
    std::size_t lease = 0;
    std::uint64_t bytes = 0;
    /// Of this process; 0 of another's, whose accounts are gone.
    std::uint32_t spans = 0;
  };

  static std::uint64_t unix_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  }
  static std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static bool is_batch(std::string_view name) noexcept { return name.ends_with(spool_suffix) && name.front() != '.'; }

  void say(log_level level, std::string const& what, int error = 0) const noexcept try {
    log(level, "spool " + path_ + ": " + what + (error != 0 ? std::string(": ") + std::strerror(error) : ""),
        path_ + what);
  } catch (...) {
  }
  bool refuse(std::string const& why, int error) const {
    say(log_level::error, why + "; batches are not kept", error);
    return false;
  }

  /// Whether the destination's directory is there and this user's alone.
  bool open_destination(bool create) {
    if (destination_) return true;
    if (const int error = create ? make_directories(path_) : 0; error != 0)
      return refuse("the directory cannot be made", error);
    spool_descriptor found = open_directory(AT_FDCWD, path_.c_str());
    if (!found) return (create || errno != ENOENT) && refuse("the directory cannot be opened", errno);
    struct stat status{};
    if (::fstat(found.get(), &status) != 0 || status.st_uid != ::geteuid())
      return refuse("the directory belongs to another user", 0);
    if ((status.st_mode & 077) != 0) ::fchmod(found.get(), 0700);
    destination_ = std::move(found);
    return true;
  }

  /// Takes over directories whose processes have ended. Only while nothing of another process is in `files_`.
  void look_for_leftovers() try {
    if (!open_destination(false)) return;
    std::deque<file> found;
    for_each_entry(destination_.get(), [&](std::string_view name) {
      if (name == spool_bad_folder) return;
      if (name.front() == '.') return remove_unfinished(std::string(name));
      const auto unused = std::find_if(leases_.begin() + 1, leases_.end(), [](auto const& lease) { return !lease; });
      if (unused == leases_.end() || (leases_[0] && name == leases_[0].name())) return;
      if (!unused->adopt(destination_.get(), std::string(name))) return;
      const auto lease = static_cast<std::size_t>(unused - leases_.begin());
      for_each_entry(unused->directory(), [&](const char* entry) {
        if (is_batch(entry)) found.push_back({entry, lease, on_disk(unused->directory(), entry), 0});
        if (std::string_view(entry).ends_with(".tmp")) ::unlinkat(unused->directory(), entry, 0);
      });
    });
    plain_list<file*> in_order;
    for (file& each : found) in_order.push_back(&each);
    // Not std::sort, which the compiler makes 9 KB of for a deque.
    const auto by_name = [](const void* a, const void* b) {
      return (*static_cast<file* const*>(a))->name.compare((*static_cast<file* const*>(b))->name);
    };
    if (!in_order.empty()) std::qsort(in_order.begin(), in_order.size(), sizeof(file*), by_name);
    for (file const& each : found) bytes_ += each.bytes;
    if (!found.empty()) say(log_level::info, std::to_string(found.size()) + " batches of earlier processes are there");
    for (std::size_t i = in_order.size(); i-- > 0;) files_.push_front(std::move(*in_order[i]));
    release_empty();
  } catch (...) {
    refuse("out of memory", 0);
  }

  /// A directory whose process died while it was made.
  void remove_unfinished(std::string const& name) const noexcept {
    struct stat status{};
    if (::fstatat(destination_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (!S_ISDIR(status.st_mode) || status.st_mtime > std::time(nullptr) - 3600) return;
    if (const spool_descriptor inside = open_directory(destination_.get(), name.c_str()))
      ::unlinkat(inside.get(), "lock", 0);
    ::unlinkat(destination_.get(), name.c_str(), AT_REMOVEDIR);
  }

  void release_empty() {
    for (std::size_t i = 1; i < leases_.size(); ++i)
      if (leases_[i] && std::none_of(files_.begin(), files_.end(), [i](file const& each) { return each.lease == i; }))
        leases_[i].release(destination_.get());
  }

  /// What other living processes, and the files set aside, take of the spool; looked up every few seconds.
  std::uint64_t others_bytes() {
    const auto now = std::chrono::steady_clock::now();
    if (others_known_ && now - others_looked_ < std::chrono::seconds(5)) return others_bytes_;
    others_bytes_ = 0;
    for_each_entry(destination_.get(), [&](const char* name) {
      for (spool_lease const& lease : leases_)
        if (lease && lease.name() == name) return;
      const spool_descriptor inside = open_directory(destination_.get(), name);
      if (!inside) return;
      for_each_entry(inside.get(), [&](const char* entry) { others_bytes_ += on_disk(inside.get(), entry); });
    });
    others_looked_ = now;
    others_known_ = true;
    return others_bytes_;
  }

  /// Into the folder for damaged files, or away where that is full.
  void set_aside(file const& bad, std::string_view problem, bool is_there) {
    set_aside_.fetch_add(1, std::memory_order_relaxed);
    say(log_level::error, "the file " + bad.name + " is set aside: " + std::string(problem));
    if (!is_there) return;
    const int from = leases_[bad.lease].directory();
    ::mkdirat(destination_.get(), spool_bad_folder, 0700);
    const spool_descriptor folder = open_directory(destination_.get(), spool_bad_folder);
    std::size_t files = 0;
    std::uint64_t bytes = bad.bytes;
    if (folder)
      for_each_entry(folder.get(), [&](const char* entry) {
        ++files;
        bytes += on_disk(folder.get(), entry);
      });
    if (folder && files < most_bad_files && bytes <= max_bytes_ / 4 &&
        ::renameat(from, bad.name.c_str(), folder.get(), bad.name.c_str()) == 0)
      return;
    ::unlinkat(from, bad.name.c_str(), 0);
  }

  /// `spans`: of this process.
  void settle_front(settled_spans const& became) noexcept {
    bytes_ -= files_.front().bytes;
    exported_.fetch_add(became.exported, std::memory_order_relaxed);
    rejected_.fetch_add(became.rejected, std::memory_order_relaxed);
    failed_.fetch_add(became.failed, std::memory_order_relaxed);
    waiting_.fetch_sub(became.spans(), std::memory_order_relaxed);
    const std::size_t lease = files_.front().lease;
    files_.pop_front();
    if (lease != 0 && (files_.empty() || files_.front().lease != lease)) release_empty();
    if (files_.empty()) look_for_leftovers();
  }

  std::string path_;
  std::uint64_t max_bytes_;
  spool_descriptor destination_;
  std::array<spool_lease, most_leases> leases_;
  std::deque<file> files_;
  /// Of `files_`.
  std::uint64_t bytes_ = 0;
  std::uint64_t others_bytes_ = 0;
  std::chrono::steady_clock::time_point others_looked_{};
  bool others_known_ = false;
  std::int64_t last_ = 0;
  std::string content_;
  batch front_;
  std::atomic<std::uint64_t> waiting_{0}, exported_{0}, rejected_{0}, failed_{0}, replayed_{0}, set_aside_{0};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
