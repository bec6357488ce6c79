#include <fulgurite/exporter/stream_writer.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

using namespace fulgurite::detail;

namespace {

fulgurite::deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

/// Both ends of a pipe, the writing one as a stream.
struct pipe_stream {
  pipe_stream() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reader = ends[0];
    stream = fdopen(ends[1], "w");
    REQUIRE(stream);
  }
  ~pipe_stream() {
    if (stream) std::fclose(stream);
    if (reader >= 0) close(reader);
  }
  std::string read_all() {
    std::string all;
    char buffer[4096];
    for (ssize_t size; (size = read(reader, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(size));
    return all;
  }
  int reader = -1;
  std::FILE* stream = nullptr;
};

bool sigpipe_is_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

TEST_CASE("what the program has buffered goes before, and a long text arrives whole") {
  pipe_stream to;
  const std::string text(1'000'000, 'x');
  std::fputs("the program's ", to.stream);
  std::string read;
  std::thread reader([&] { read = to.read_all(); });
  CHECK(write_to_stream(to.stream, text, in(std::chrono::seconds(60))).empty());
  std::fputs(" the program's", to.stream);
  std::fclose(std::exchange(to.stream, nullptr));
  reader.join();
  CHECK(read == "the program's " + text + " the program's");
}

TEST_CASE("a file and a stream in memory") {
  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  std::fputs("a", file);
  CHECK(write_to_stream(file, "bc", in(std::chrono::seconds(30))).empty());
  std::fputs("d", file);
  CHECK(std::ftell(file) == 4);
  std::rewind(file);
  char back[8] = {};
  CHECK(std::fread(back, 1, sizeof back, file) == 4);
  CHECK(std::string(back) == "abcd");
  std::fclose(file);

  char* data = nullptr;
  std::size_t size = 0;
  std::FILE* memory = open_memstream(&data, &size);
  REQUIRE(memory);
  CHECK(write_to_stream(memory, "text", in(std::chrono::seconds(30))).empty());
  CHECK(std::string(data, size) == "text");
  std::fclose(memory);
  std::free(data);
}

TEST_CASE("a closed pipe is an error in words, and leaves no signal behind") {
  pipe_stream to;
  close(std::exchange(to.reader, -1));
  CHECK(write_to_stream(to.stream, "text", in(std::chrono::seconds(30))) == "Broken pipe");
  CHECK_FALSE(sigpipe_is_pending());
}

TEST_CASE("a program with a closed standard output ends by itself") {
  // In a child, because a SIGPIPE would end the test, at the latest by the flush of `exit`.
  pipe_stream to;
  close(std::exchange(to.reader, -1));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(fileno(to.stream), STDOUT_FILENO);
    const bool failed = !write_to_stream(stdout, "text", in(std::chrono::seconds(30))).empty();
    const bool flushed = std::fflush(stdout) == 0;
    _exit(failed && flushed ? 7 : 8);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}

TEST_CASE("a reader that does not read costs no more than the deadline") {
  pipe_stream to;
  const std::string text(1'000'000, 'x');
  CHECK(write_to_stream(to.stream, text, in(std::chrono::milliseconds(50))) == "Connection timed out");
  // Also where the file itself never blocks.
  pipe_stream other;
  REQUIRE(fcntl(fileno(other.stream), F_SETFL, O_NONBLOCK) == 0);
  CHECK(write_to_stream(other.stream, text, in(std::chrono::milliseconds(50))) == "Connection timed out");
}

TEST_CASE("a full disk, a stream for reading, none at all") {
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full);
  CHECK(write_to_stream(full, "text", in(std::chrono::seconds(30))) == "No space left on device");
  std::fclose(full);
  std::FILE* readable = std::fopen("/dev/null", "r");
  REQUIRE(readable);
  CHECK(write_to_stream(readable, "text", in(std::chrono::seconds(30))) == "Bad file descriptor");
  std::fclose(readable);
  CHECK(write_to_stream(nullptr, "text", in(std::chrono::seconds(30))) == "there is no stream");
}
