#include <fulgurite/delivery/spool_directory.hpp>

#include "../child_process.hpp"
#include "../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <set>
#include <string>

using namespace fulgurite::detail;
using fulgurite_test::in_child;
using fulgurite_test::spool_folder;
namespace files = std::filesystem;

namespace {
spool_descriptor opened(std::string const& path) { return open_directory(AT_FDCWD, path.c_str()); }
int write(int directory, std::string const& name, std::string const& text) {
  const std::array parts{std::string_view(text)};
  return write_durably(directory, name, parts);
}
}  // namespace

TEST_CASE("directories are made with those above them, for this user alone") {
  const spool_folder folder;
  const mode_t before = ::umask(0);
  CHECK(make_directories(folder.path() + "/a/b//c/") == 0);
  ::umask(before);
  CHECK(files::status(folder.path() + "/a/b/c").permissions() == files::perms::owner_all);
  CHECK(make_directories(folder.path() + "/a/b/c") == 0);
  spool_folder::write(folder.path() + "/file", "");
  CHECK(make_directories(folder.path() + "/file/c") == ENOTDIR);
}

TEST_CASE("a file is written whole and for this user alone, or not at all") {
  const spool_folder folder;
  const spool_descriptor at = opened(folder.path());
  const mode_t before = ::umask(0);
  CHECK(write(at.get(), "one.batch", "text") == 0);
  ::umask(before);
  CHECK(spool_folder::content(folder.path() + "/one.batch") == "text");
  CHECK(files::status(folder.path() + "/one.batch").permissions() ==
        (files::perms::owner_read | files::perms::owner_write));

  // A size limit raises a signal, which must not reach the program.
  const int code = in_child([&] {
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    return write(at.get(), "two.batch", std::string(5000, 'x')) == EFBIG ? 0 : 2;
  });
  CHECK(code == 0);
  CHECK(folder.batches().size() == 1);
  CHECK(folder.temporaries().empty());
}

TEST_CASE("a file is read whole; what is no file or too large is not") {
  const spool_folder folder;
  const spool_descriptor at = opened(folder.path());
  std::string text;
  REQUIRE(write(at.get(), "file", "0123456789") == 0);
  CHECK(read_whole(at.get(), "file", 10, text) == 0);
  CHECK(text == "0123456789");
  CHECK(read_whole(at.get(), "file", 9, text) == EFBIG);
  CHECK(read_whole(at.get(), "none", 10, text) == ENOENT);
  files::create_directory(folder.path() + "/directory");
  CHECK(read_whole(at.get(), "directory", 10, text) == EINVAL);
  files::create_symlink(folder.path() + "/file", folder.path() + "/link");
  CHECK(read_whole(at.get(), "link", 10, text) == ELOOP);
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(read_whole(at.get(), "pipe", 10, text) == EINVAL);  // and does not wait for a writer
}

TEST_CASE("names sort by age also when the clock is set back") {
  std::int64_t last = 0;
  std::string before = spool_name(last);
  std::set<std::string> all{before};
  for (int i = 0; i < 1000; ++i) {
    const std::string next = spool_name(last);
    CHECK(before < next);
    CHECK(all.insert(next).second);
    before = next;
  }
  last += 3600'000'000'000;  // the clock was an hour ahead
  before = spool_name(last);
  CHECK(before < spool_name(last));
}

TEST_CASE("a directory has one owner until that ends") {
  const spool_folder folder;
  const spool_descriptor at = opened(folder.path());
  std::int64_t last = 0;
  spool_lease owner, other;
  REQUIRE(owner.make(at.get(), last) == 0);
  CHECK_FALSE(other.adopt(at.get(), owner.name()));
  REQUIRE(write(owner.directory(), "1.batch", "x") == 0);
  const std::string name = owner.name();

  SUBCASE("given up with something in it") {
    owner.release(at.get());
    CHECK_FALSE(owner);
    CHECK(other.adopt(at.get(), name));
    CHECK_FALSE(spool_lease().adopt(at.get(), name));
  }
  SUBCASE("given up empty: it is removed") {
    files::remove(folder.batches().at(0));
    owner.release(at.get());
    CHECK(files::is_empty(folder.path()));
    CHECK_FALSE(other.adopt(at.get(), name));
  }
  SUBCASE("a child that closes its copy gives nothing up") {
    CHECK(in_child([&] {
            owner.close();
            return other.adopt(at.get(), name) ? 1 : 0;
          }) == 0);
    CHECK_FALSE(other.adopt(at.get(), name));
  }
  SUBCASE("its process is killed") {
    int ready[2];
    REQUIRE(::pipe(ready) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
      spool_lease theirs;
      theirs.make(at.get(), last);
      write(theirs.directory(), "2.batch", "y");
      static_cast<void>(::write(ready[1], theirs.name().c_str(), theirs.name().size() + 1));
      ::pause();
    }
    char theirs[100] = {};
    REQUIRE(::read(ready[0], theirs, sizeof theirs) > 0);
    CHECK_FALSE(other.adopt(at.get(), theirs));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(other.adopt(at.get(), theirs));
    ::close(ready[0]);
    ::close(ready[1]);
  }
}
