#include <fulgurite/platform/standard_descriptors.hpp>
#include <fulgurite/transport/http.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <initializer_list>
#include <string>

using namespace fulgurite::detail;

namespace {

bool is_null(int number) {
  struct stat about{};
  return ::fstat(number, &about) == 0 && S_ISCHR(about.st_mode) && about.st_rdev == makedev(1, 3);
}

/// Of a child that has closed these.
template <class F>
bool in_child_without(std::initializer_list<int> numbers, F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    for (const int number : numbers) ::close(number);
    _exit(f() ? 0 : 1);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("closed ones are filled, for this program alone, and open ones stay as they are") {
  CHECK(in_child_without({0, 1, 2}, [] {
    fill_standard_descriptors();
    return is_null(0) && is_null(1) && is_null(2) && (::fcntl(1, F_GETFD) & FD_CLOEXEC) != 0;
  }));
  CHECK(in_child_without({1}, [] {
    struct stat before{}, after{};
    ::fstat(2, &before);
    fill_standard_descriptors();
    ::fstat(2, &after);
    return is_null(1) && before.st_ino == after.st_ino && before.st_dev == after.st_dev;
  }));
}

TEST_CASE("what a program with nothing open prints does not get into a request") {
  std::string received;
  {
    fulgurite_test::scripted_server server({[&](fulgurite_test::connection& c) {
      for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
        received += got.head + got.body;
        c.answer("200 OK");
      }
    }});
    CHECK(in_child_without({0, 1, 2}, [&] {
      http_endpoint to;
      if (!parse_endpoint(server.url(), to).empty()) return false;
      http_client client(to);
      for (int i = 0; i < 3; ++i) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        if (client.send({"POST", to.path, {}, {}}, until).status != 200) return false;
        for (const int number : {0, 1, 2})
          if (::write(number, "LEAK", 4) != 4) return false;
      }
      return is_null(0) && is_null(1) && is_null(2);
    }));
  }
  CHECK(received.find("POST") != std::string::npos);
  CHECK(received.find("LEAK") == std::string::npos);
}
