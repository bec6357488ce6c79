#include <fulgurite/exporter/file/rolling_file.hpp>

#include "../../child_process.hpp"
#include "../../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using fulgurite::deadline;
using fulgurite_test::in_child;
using fulgurite_test::spool_folder;
namespace files = std::filesystem;
using namespace std::chrono_literals;

namespace {

deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }
std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}
std::string append(rolling_file& to, std::string const& line, std::chrono::nanoseconds later = 0s) {
  return to.append(line, in(60s), now_ns() + later.count());
}
std::string content(std::string const& path) { return spool_folder::content(path); }
std::vector<std::string> names(std::string const& folder) {
  std::set<std::string> sorted;
  for (auto const& entry : files::directory_iterator(folder)) sorted.insert(entry.path().filename());
  return {sorted.begin(), sorted.end()};
}
/// All lines of all files of a folder; a last one that does not end is marked.
std::vector<std::string> lines(std::string const& folder) {
  std::vector<std::string> all;
  for (std::string const& name : names(folder)) {
    const std::string text = content(folder + "/" + name);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      all.push_back(end == text.npos ? text.substr(at) + "<no end>" : text.substr(at, end - at));
      at = end == text.npos ? text.size() : end + 1;
    }
  }
  return all;
}

}  // namespace

TEST_CASE("lines follow each other; the file is its owner's alone") {
  const spool_folder folder;
  const std::string path = folder.path() + "/traces.jsonl";
  rolling_file file({.path = path});
  CHECK(append(file, "one").empty());
  CHECK(append(file, "two").empty());
  CHECK(content(path) == "one\ntwo\n");
  struct stat about = {};
  CHECK(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  rolling_file again({.path = path});
  CHECK(append(again, "three").empty());
  CHECK(append(file, "four").empty());
  CHECK(content(path) == "one\ntwo\nthree\nfour\n");
  CHECK(file.counts().lines == 3);
  CHECK(file.counts().torn + again.counts().torn == 0);
}

TEST_CASE("a torn end is left as it is, and a new line begins after it") {
  const spool_folder folder;
  const std::string path = folder.path() + "/traces.jsonl";
  spool_folder::write(path, "whole\nto");
  rolling_file file({.path = path});
  CHECK(append(file, "one").empty());
  CHECK(content(path) == "whole\nto\none\n");
  CHECK(append(file, "two").empty());
  CHECK(file.counts().torn == 1);
  // Another process dies while this one has the file open.
  spool_folder::write(path, content(path) + "{\"half");
  CHECK(append(file, "three").empty());
  CHECK(content(path) == "whole\nto\none\ntwo\n{\"half\nthree\n");
  CHECK(file.counts().torn == 2);
}

TEST_CASE("by size: a line is never divided, and the oldest files go") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  spool_folder::write(folder.path() + "/t.old", "another's");
  spool_folder::write(folder.path() + "/t.20260101T000000.00000xZ", "another's, too");
  rolling_file file({.path = path, .max_bytes = 10, .max_files = 3});
  CHECK(append(file, "much too long for it").empty());
  for (const char* line : {"1234", "2345", "3456", "4567", "5678", "6789"}) CHECK(append(file, line).empty());
  CHECK(content(path) == "5678\n6789\n");
  std::vector<std::string> all = names(folder.path());
  REQUIRE(all.size() == 5);
  CHECK(all[0] == "t");
  CHECK(all[1] == "t.20260101T000000.00000xZ");
  CHECK(is_rolled_name(all[2], "t"));
  CHECK(content(folder.path() + "/" + all[2]) == "1234\n2345\n");
  CHECK(content(folder.path() + "/" + all[3]) == "3456\n4567\n");
  CHECK(all[4] == "t.old");
  CHECK(file.counts().rolled == 3);
  // The same moment twice makes two names.
  rolling_file twice({.path = folder.path() + "/u", .max_bytes = 1});
  for (int i = 0; i < 3; ++i) CHECK(twice.append("line", in(60s), 1'000'000'000).empty());
  CHECK(content(folder.path() + "/u.19700101T000001.000000Z") == "line\n");
  CHECK(content(folder.path() + "/u.19700101T000001.000001Z") == "line\n");
}

TEST_CASE("by age, which the file has itself: also one of an earlier process") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  rolling_file file({.path = path, .max_age = 1h});
  CHECK(append(file, "one").empty());
  CHECK(append(file, "two", 59min).empty());
  CHECK(append(file, "three", 61min).empty());
  CHECK(content(path) == "three\n");
  CHECK(append(file, "four", 100min).empty());
  CHECK(append(file, "five", 122min).empty());
  CHECK(content(path) == "five\n");
  CHECK(append(file, "six", -24h).empty());  // a clock that was set back
  CHECK(content(path) == "five\nsix\n");
  rolling_file next({.path = path, .max_age = 1h});
  CHECK(append(next, "seven", 24h).empty());
  CHECK(
      (content(path) == "seven\n" || content(path) == "five\nsix\nseven\n"));  // not every file system knows the birth
}

TEST_CASE("moved, removed, cut short, made anew by somebody else") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  rolling_file file({.path = path});
  CHECK(append(file, "one").empty());
  files::rename(path, path + ".1");  // logrotate
  CHECK(append(file, "two").empty());
  CHECK(content(path) == "two\n");
  CHECK(content(path + ".1") == "one\n");
  files::remove(path);
  CHECK(append(file, "three").empty());
  CHECK(content(path) == "three\n");
  files::rename(path, path + ".2");
  spool_folder::write(path, "theirs\n");  // `create`
  CHECK(append(file, "four").empty());
  CHECK(content(path) == "theirs\nfour\n");
  files::resize_file(path, 0);  // `copytruncate`
  CHECK(append(file, "five").empty());
  CHECK(content(path) == "five\n");
  CHECK(file.counts().torn == 0);
}

TEST_CASE("a directory that vanishes and comes back") {
  const spool_folder folder;
  const std::string below = folder.path() + "/below";
  files::create_directory(below);
  rolling_file file({.path = below + "/t"});
  CHECK(append(file, "one").empty());
  files::remove_all(below);
  CHECK(append(file, "two") == "No such file or directory");
  CHECK_FALSE(files::exists(below));  // it is not ours to make
  files::create_directory(below);
  CHECK(append(file, "three").empty());
  CHECK(content(below + "/t") == "three\n");
  rolling_file directory({.path = below});
  CHECK(append(directory, "one") == "Is a directory");
}

TEST_CASE("without permission") {
  const spool_folder folder;
  const bool root = ::geteuid() == 0;
  rolling_file file({.path = folder.path() + "/t"});
  if (root)
    REQUIRE(::seteuid(65534) == 0);
  else
    files::permissions(folder.path(), files::perms::owner_exec);
  const std::string problem = append(file, "one");
  if (root)
    REQUIRE(::seteuid(0) == 0);
  else
    files::permissions(folder.path(), files::perms::owner_all);
  CHECK(problem == "Permission denied");
  CHECK(append(file, "two").empty());
  CHECK(content(folder.path() + "/t") == "two\n");
}

TEST_CASE("what does not fit is taken back, and the next line is tried again") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  rolling_file file({.path = path});
  CHECK(append(file, "one").empty());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{10, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const std::string problem = append(file, "more than ten bytes");
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK(problem == "File too large");
  CHECK(content(path) == "one\n");
  CHECK(append(file, "two").empty());
  CHECK(content(path) == "one\ntwo\n");
  rolling_file full({.path = "/dev/full"});
  CHECK(append(full, "one") == "No space left on device");
}

TEST_CASE("a disk that is full, and has room again") {
  const spool_folder folder;
  // A tmpfs of its own, where that is allowed.
  const int result = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
      return 77;
    const std::string path = folder.path() + "/t";
    rolling_file file({.path = path});
    const std::string line(5000, 'x');
    std::size_t written = 0;
    std::string problem;
    while ((problem = append(file, line)).empty() && written < 100) ++written;
    if (problem != "No space left on device" || written < 5 || written > 16) return 1;
    if (content(path).size() != written * (line.size() + 1)) return 2;
    spool_folder::write(path + ".other", "");
    if (append(file, line).empty()) return 3;
    files::rename(path, path + ".1");
    if (append(file, line).empty()) return 4;  // still full
    files::remove(path + ".1");
    if (!append(file, line).empty()) return 5;
    return content(path) == line + "\n" ? 0 : 6;
  });
  if (result == 77)
    MESSAGE("not tested: a file system of its own is not allowed");
  else
    CHECK(result == 0);
}

TEST_CASE("several processes write whole lines to one file, which begins anew all the time") {
  const spool_folder folder;
  constexpr int processes = 4, each = 150;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      rolling_file file({.path = folder.path() + "/t", .max_bytes = 20'000});
      int failed = 0;
      for (int i = 0; i < each; ++i) {
        const std::string name = std::to_string(process) + "." + std::to_string(i) + " ";
        failed += append(file, name + std::string(static_cast<std::size_t>(i * 7 % 3000), 'x')).empty() ? 0 : 1;
      }
      ::_exit(failed);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
  std::set<std::string> found;
  for (std::string const& line : lines(folder.path())) {
    const std::size_t space = line.find(' ');
    REQUIRE(space != line.npos);
    const int i = std::stoi(line.substr(line.find('.') + 1));
    CHECK(line.substr(space + 1) == std::string(static_cast<std::size_t>(i * 7 % 3000), 'x'));
    CHECK(found.insert(line.substr(0, space)).second);
  }
  CHECK(found.size() == processes * each);
  CHECK(names(folder.path()).size() > 10);
}

TEST_CASE("killed in the middle of a write: what was acknowledged is whole, and at most one line is torn") {
  struct told {
    std::atomic<int> written{0};
  };
  void* const place = ::mmap(nullptr, sizeof(told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(place != MAP_FAILED);
  std::uint64_t torn = 0;
  for (int round = 0; round < 12; ++round) {
    const spool_folder folder;
    auto* const shared = ::new (place) told;
    const auto line_of = [](int i) {
      return std::to_string(i) + std::string(3'000'000, static_cast<char>('a' + i % 26));
    };
    const pid_t child = ::fork();
    if (child == 0) {
      rolling_file file({.path = folder.path() + "/t"});
      for (int i = 0; i < 40; ++i)
        if (append(file, line_of(i)).empty()) shared->written = i + 1;
      ::_exit(0);
    }
    while (shared->written == 0) ::usleep(100);
    ::usleep(static_cast<useconds_t>(round * 337));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    rolling_file next({.path = folder.path() + "/t"});
    CHECK(append(next, "after").empty());
    const std::vector<std::string> all = lines(folder.path());
    torn += next.counts().torn;
    REQUIRE(!all.empty());
    CHECK(all.back() == "after");
    const std::size_t whole = all.size() - 1 - static_cast<std::size_t>(next.counts().torn);
    const auto written = static_cast<std::size_t>(shared->written);
    CHECK(whole >= written);
    CHECK(whole <= written + 1);  // written, and not yet told
    for (std::size_t i = 0; i < whole; ++i)
      if (all[i] != line_of(static_cast<int>(i))) FAIL("line ", i, " is not what was written");
    if (next.counts().torn == 1) {
      std::string const& last = all[whole];
      CHECK(line_of(static_cast<int>(whole)).substr(0, last.size()) == last);
    }
  }
  MESSAGE(torn, " of 12 were killed in the middle of a line");
  ::munmap(place, sizeof(told));
}

TEST_CASE("another process that keeps the lock is waited for, but not for ever") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  rolling_file file({.path = path});
  CHECK(append(file, "one").empty());
  const int other = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(::flock(other, LOCK_EX) == 0);
  CHECK(file.append("two", in(5ms), now_ns()) == "another process holds its lock");
  std::atomic<bool> done{false};
  std::thread interrupting([&] {
    while (!done) {
      file.interrupt();
      std::this_thread::sleep_for(1ms);
    }
  });
  CHECK(file.append("three", in(600s), now_ns()) == "Interrupted system call");
  done = true;
  interrupting.join();
  std::thread releasing([&] { ::flock(other, LOCK_UN); });
  CHECK(file.append("four", in(60s), now_ns()).empty());
  releasing.join();
  ::close(other);
  CHECK(content(path) == "one\nfour\n");
}

TEST_CASE("a pipe: nobody reads, somebody reads, somebody has stopped") {
  const spool_folder folder;
  const std::string path = folder.path() + "/pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  rolling_file file({.path = path, .max_bytes = 1, .max_age = 1ns});
  CHECK(append(file, "one") == "No such device or address");
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  CHECK(append(file, "two").empty());
  CHECK(file.append(std::string(1'000'000, 'x'), in(5ms), now_ns()) == "Connection timed out");
  std::string read(1'000'000, '\0');
  const ssize_t got = ::read(reader, read.data(), read.size());
  REQUIRE(got > 4);
  CHECK(read.substr(0, 5) == "two\nx");
  CHECK(append(file, "three").empty());
  CHECK(::read(reader, read.data(), read.size()) == 7);
  CHECK(read.substr(0, 7) == "\nthree\n");
  ::close(reader);
  CHECK(append(file, "four") == "Broken pipe");
  CHECK(names(folder.path()).size() == 1);
}

TEST_CASE("through a link the file behind it is renamed") {
  const spool_folder folder;
  files::create_directory(folder.path() + "/data");
  files::create_symlink("data/t", folder.path() + "/link");
  rolling_file file({.path = folder.path() + "/link", .max_bytes = 5});
  CHECK(append(file, "1234").empty());
  CHECK(append(file, "5678").empty());
  CHECK(files::is_symlink(folder.path() + "/link"));
  CHECK(content(folder.path() + "/link") == "5678\n");
  CHECK(names(folder.path() + "/data").size() == 2);
}

TEST_CASE("names") {
  CHECK(rolled_suffix(1'764'085'272'000'123'456) == ".20251125T154112.000123Z");
  CHECK(is_rolled_name("t.jsonl.20251125T154112.000123Z", "t.jsonl"));
  for (const char* other : {"t.jsonl", "t.jsonl.1", "t.jsonl.20251125T154112.000123Zx",
                            "u.jsonl.20251125T154112.000123Z", "t.jsonl.20251125 154112.000123Z", ""})
    CHECK_FALSE(is_rolled_name(other, "t.jsonl"));
}
