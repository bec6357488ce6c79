// That the program inherits nothing is tested through the exporter (tests/exporter/agentops.cpp).
#include <fulgurite/platform/detached_process.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

using fulgurite::detail::detached_process;
using namespace std::chrono_literals;

namespace {
const std::atomic<bool> go_on{false};

struct heard {
  std::string line, end;
  bool silent, in_time;
};
heard hear(std::string const& script) {
  const auto start = std::chrono::steady_clock::now();
  detached_process program({"/bin/sh", "-c", script});
  REQUIRE(program.is_started());
  std::string line = program.read_line(start + 120s, go_on);
  return {line, program.end(), program.is_silent(), std::chrono::steady_clock::now() - start < 20s};
}
}  // namespace

TEST_CASE("the first line, whatever comes after it") {
  for (const char* script : {"echo hello", "echo hello; echo more; exit 3", "echo hello >&2; exec sleep 30"}) {
    const heard got = hear(script);
    CHECK(got.line == "hello");
    CHECK(got.in_time);
  }
  CHECK(hear("printf unended").line == "unended");
}

TEST_CASE("an end without a word is known at once, with how it came") {
  CHECK(hear("exit 3").end == "exited with status 3");
  CHECK(hear(":").end == "exited with status 0");
  CHECK(hear("kill -9 $$").end == "was ended by signal 9");
  // Something else holds the output open.
  const heard left = hear("sleep 30 & exit 4");
  CHECK(left.end == "exited with status 4");
  CHECK(left.in_time);
  detached_process missing({"/nonexistent/program"});
  CHECK(missing.read_line(std::chrono::steady_clock::now() + 60s, go_on).empty());
  CHECK(missing.end() == "exited with status 127");
}

TEST_CASE("an end is known where the program ignores its children's") {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  CHECK(hear("exit 3").end == "exited with status 3");
  std::signal(SIGCHLD, before);
}

TEST_CASE("a program that closes its output and runs on is not waited for") {
  const heard got = hear("exec >&- 2>&-; exec sleep 30");
  CHECK(got.line.empty());
  CHECK(got.end.empty());
  CHECK(got.silent);
  CHECK(got.in_time);
}

TEST_CASE("it runs on when nobody watches any more") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::string pid;
  {
    detached_process program({"/bin/sh", "-c", "echo $$; exec sleep 30"});
    pid = program.read_line(std::chrono::steady_clock::now() + 60s, go_on);
    // The process between has let go of our descriptors, too.
    ::close(ends[1]);
    char c = 0;
    CHECK(::read(ends[0], &c, 1) == 0);
  }
  ::close(ends[0]);
  CHECK(waitpid(-1, nullptr, WNOHANG | __WALL) == -1);
  CHECK(errno == ECHILD);
  CHECK(::kill(std::stoi(pid), SIGKILL) == 0);
}
