// The spool, killed before and after every single system call that it makes.
#include <fulgurite/delivery/spool.hpp>

#include "../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <new>
#include <string>
#include <vector>

using namespace fulgurite::detail;
using fulgurite_test::spool_folder;

namespace {

/// What the killed process had been told, in memory that outlives it.
struct told {
  std::atomic<int> appended{0}, taken{0};
};

std::string body_of(int index) {
  return std::to_string(index) + std::string(static_cast<std::size_t>(index) * 3000, '.');
}
int index_of(spool::batch const& batch) {
  return std::stoi(std::string(reinterpret_cast<const char*>(batch.request.body.data()), batch.request.body.size()));
}

/// A life of a spool: three in, one out, one more in, all out, the end.
void live(std::string const& path, told& to) {
  spool one(path, "to", 64 << 20);
  const auto append = [&] {
    const std::string body = body_of(to.appended);
    if (one.append({std::as_bytes(std::span(body)), "t", "", 1})) ++to.appended;
  };
  const auto take = [&] {
    while (spool::batch const* batch = one.front()) {
      to.taken = index_of(*batch) + 1;  // delivered, and not yet removed
      one.drop_front(true);
      if (to.appended < 4) return;
    }
  };
  append();
  append();
  append();
  take();
  append();
  take();
}

/// Kills the process that runs `f` when it has stopped `stops` times before or after a system call; false when it came
/// to its end before that.
template <class F>
bool killed_after(int stops, F&& f) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(77);
    ::raise(SIGSTOP);
    f();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  for (int i = 0; i < stops && WIFSTOPPED(status); ++i) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
  }
  if (!WIFSTOPPED(status)) {
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) != 1);
    return false;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return true;
}

}  // namespace

TEST_CASE("killed at any system call: what was taken in comes out, whole and in order") {
  void* const place = ::mmap(nullptr, sizeof(told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(place != MAP_FAILED);
  bool killed = true;
  int stops = 0;
  for (; killed; ++stops) {
    const spool_folder folder;
    auto* const before = ::new (place) told;
    killed = killed_after(stops, [&] { live(folder.path(), *before); });
    if (!killed && before->appended == 0) {
      MESSAGE("not tested: tracing a process is not allowed");
      break;
    }
    std::vector<int> found;
    spool next(folder.path(), "to", 64 << 20);
    while (spool::batch const* batch = next.front()) {
      found.push_back(index_of(*batch));
      CHECK(body_of(found.back()).size() == batch->request.body.size());
      next.drop_front(true);
    }
    // All that was not delivered; the one that was being delivered or written may be there or not.
    const int appended = before->appended, taken = before->taken;
    CAPTURE(stops);
    CAPTURE(appended);
    CAPTURE(taken);
    CHECK(next.counts().set_aside == 0);
    CHECK(next.counts().replayed == found.size());
    CHECK(next.counts().exported == 0);  // of another process
    const int first = found.empty() ? appended : found.front();
    CHECK(first <= taken);
    CHECK(first >= taken - 1);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == first + static_cast<int>(i));
    const int last = first + static_cast<int>(found.size());
    CHECK(last >= appended);
    CHECK(last <= appended + 1);
    CHECK(folder.temporaries().empty());
  }
  CHECK((stops == 1 || stops > 100));
  ::munmap(place, sizeof(told));
}
