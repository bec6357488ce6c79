#include <fulgurite/platform/terminal.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

using namespace fulgurite::detail;

namespace {

/// A terminal of the kernel's, with nobody looking at it.
struct terminal {
  terminal() : other(posix_openpt(O_RDWR | O_NOCTTY)) {
    REQUIRE(other >= 0);
    REQUIRE(grantpt(other) == 0);
    REQUIRE(unlockpt(other) == 0);
    stream = std::fopen(ptsname(other), "w");
    REQUIRE(stream);
  }
  ~terminal() {
    std::fclose(stream);
    close(other);
  }
  void resize(unsigned short columns) const {
    const winsize size{24, columns, 0, 0};
    REQUIRE(ioctl(other, TIOCSWINSZ, &size) == 0);
  }
  int other;
  std::FILE* stream = nullptr;
};

}  // namespace

TEST_CASE("colours are for a terminal whose user wants them") {
  const terminal shown;
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  CHECK(shows_colours(shown.stream));
  setenv("NO_COLOR", "", 1);
  CHECK(shows_colours(shown.stream));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(shows_colours(shown.stream));
  unsetenv("NO_COLOR");
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(shows_colours(shown.stream));
  unsetenv("TERM");
  CHECK(shows_colours(shown.stream));

  std::FILE* file = std::tmpfile();
  REQUIRE(file);
  CHECK_FALSE(shows_colours(file));
  std::fclose(file);
  CHECK_FALSE(shows_colours(nullptr));
}

TEST_CASE("the width is the terminal's, unless it is too narrow or there is none") {
  const terminal shown;
  shown.resize(132);
  CHECK(columns_of(shown.stream) == 132);
  shown.resize(10);
  CHECK(columns_of(shown.stream) == 100);
  CHECK(columns_of(nullptr) == 100);
}
