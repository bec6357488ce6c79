#include <fulgurite/delivery/spool.hpp>

#include "../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace fulgurite::detail;
using fulgurite_test::spool_folder;
namespace files = std::filesystem;

namespace {
constexpr std::uint64_t plenty = 64 << 20;

spooled_request request(std::string_view body, std::uint32_t spans = 1) {
  return {std::as_bytes(std::span(body)), "application/x-protobuf", "", spans};
}
std::string body_of(spool::batch const* batch) {
  if (!batch) return "(none)";
  return {reinterpret_cast<const char*>(batch->request.body.data()), batch->request.body.size()};
}
/// Takes everything out.
std::vector<std::string> drain(spool& from) {
  std::vector<std::string> all;
  while (spool::batch const* batch = from.front()) {
    all.push_back(body_of(batch));
    from.drop_front(true);
  }
  return all;
}
/// What a process leaves that puts these in and is killed.
void leave_behind(std::string const& path, std::vector<std::string> const& bodies, std::uint32_t spans = 1) {
  const pid_t child = ::fork();
  if (child == 0) {
    spool theirs(path, "to", plenty, false);
    for (std::string const& body : bodies)
      if (!theirs.append(request(body, spans))) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  REQUIRE(WIFSIGNALED(status));
}
struct quiet {
  quiet() {
    fulgurite::set_log_handler([this](fulgurite::log_level, std::string_view text) { said.append(text).append("\n"); });
  }
  ~quiet() { fulgurite::set_log_handler({}); }
  bool has(std::string_view text) const { return said.find(text) != std::string::npos; }
  std::string said;
};
using strings = std::vector<std::string>;
}  // namespace

TEST_CASE("first in, first out, and gone from the disk") {
  const spool_folder folder;
  {
    spool one(folder.path() + "/made/on/the/way", "to", plenty);
    CHECK(one.empty());
    CHECK(one.front() == nullptr);
    CHECK(files::is_empty(folder.path()));  // nothing is made before it is needed
    for (const char* body : {"a", "b", "c"}) CHECK(one.append(request(body, 5)));
    CHECK(folder.batches().size() == 3);
    CHECK(one.counts().waiting == 15);
    CHECK(body_of(one.front()) == "a");
    CHECK(one.front()->own);
    one.drop_front(true);
    CHECK(one.counts().waiting == 10);
    CHECK(body_of(one.front()) == "b");
    one.drop_front(false);
    CHECK(one.append(request("d")));
    CHECK(drain(one) == strings{"c", "d"});
    CHECK(one.counts().waiting == 0);
    CHECK(one.counts().exported == 11);
    CHECK(one.counts().rejected == 0);
    CHECK(one.counts().failed == 5);
    CHECK(one.counts().replayed == 0);
    CHECK(folder.batches().empty());
  }
  // Not even its directory stays.
  CHECK(files::is_empty(folder.path() + "/made/on/the/way/to"));
}

TEST_CASE("what the backend did not take of a batch is counted apart, and never more than there was") {
  const spool_folder folder;
  leave_behind(folder.path(), {"0"}, 10);
  spool one(folder.path(), "to", plenty);
  for (const char* body : {"a", "b", "c"}) REQUIRE(one.append(request(body, 10)));
  CHECK_FALSE(one.front()->own);
  one.drop_front(true, 4);  // another process's accounts
  CHECK(one.counts().rejected == 0);
  CHECK(one.counts().exported == 0);
  one.front();
  one.drop_front(true, 4);
  CHECK(one.counts().exported == 6);
  CHECK(one.counts().rejected == 4);
  one.front();
  one.drop_front(true, 1000);
  CHECK(one.counts().exported == 6);
  CHECK(one.counts().rejected == 14);
  one.front();
  one.drop_front(false);
  CHECK(one.counts().exported == 6);
  CHECK(one.counts().rejected == 14);
  CHECK(one.counts().failed == 10);
  CHECK(one.counts().waiting == 0);
}

TEST_CASE("what a killed process left comes first, in its order, and is counted apart") {
  const spool_folder folder;
  leave_behind(folder.path(), {"1", "2"}, 10);
  leave_behind(folder.path(), {"3"});
  spool_folder::write(folder.batches().back().string() + ".tmp", "half a f");
  spool one(folder.path(), "to", plenty);
  CHECK(folder.temporaries().empty());
  CHECK_FALSE(one.empty());
  CHECK(one.append(request("4")));
  CHECK_FALSE(one.front()->own);
  CHECK(one.front()->request.spans == 10);
  CHECK(drain(one) == strings{"1", "2", "3", "4"});
  CHECK(one.counts().replayed == 21);
  CHECK(one.counts().exported == 1);
  CHECK(one.counts().waiting == 0);
  // The two directories are gone, its own is still there.
  CHECK(std::distance(files::directory_iterator(folder.path() + "/to"), {}) == 1);
}

TEST_CASE("two that live share nothing; what one gives up the other takes when it has nothing left") {
  const spool_folder folder;
  auto first = std::make_unique<spool>(folder.path(), "to", plenty);
  REQUIRE(first->append(request("first")));
  spool second(folder.path(), "to", plenty);
  CHECK(second.empty());
  REQUIRE(second.append(request("second")));
  first->close();
  CHECK(first->counts().waiting == 1);  // as far as it knows
  first.reset();
  CHECK(drain(second) == strings{"second", "first"});
  CHECK(second.counts().replayed == 1);
  CHECK(second.counts().exported == 1);

  spool elsewhere(folder.path(), "to another", plenty);
  REQUIRE(second.append(request("third")));
  second.close();
  CHECK(elsewhere.empty());
}

TEST_CASE("more directories are left than are taken over at once") {
  const spool_folder folder;
  strings expected;
  for (int i = 10; i < 50; ++i) {
    spool one(folder.path(), "to", plenty, false);
    expected.push_back(std::to_string(i));
    REQUIRE(one.append(request(expected.back())));
  }
  spool one(folder.path(), "to", plenty);
  strings all = drain(one);
  std::sort(all.begin(), all.end());
  CHECK(all == expected);
  CHECK(files::is_empty(folder.path() + "/to"));
}

TEST_CASE("the child of a fork owns nothing of its parent's") {
  const spool_folder folder;
  spool one(folder.path(), "to", plenty);
  REQUIRE(one.append(request("parent's")));
  const pid_t child = ::fork();
  if (child == 0) {
    one.leave_to_parent();
    spool theirs(folder.path(), "to", plenty);
    ::_exit(theirs.empty() && theirs.append(request("child's")) && drain(theirs) == strings{"child's"} ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(drain(one) == strings{"parent's"});
}

TEST_CASE("full: the newest is refused, and there is room again when something has left") {
  const quiet log;
  const spool_folder folder;
  spool one(folder.path(), "to", 4 * 4096);
  const std::string body(4000, 'x');
  for (int i = 0; i < 4; ++i) CHECK(one.append(request(body)));
  CHECK_FALSE(one.append(request("little")));
  CHECK(log.has("it is full (spool_max_bytes is 16384); batches are not kept"));
  CHECK(one.counts().waiting == 4);
  one.front();
  one.drop_front(true);
  CHECK(one.append(request("little")));
  one.close();

  // What others left counts, too, and so does what is set aside.
  spool next(folder.path(), "to", 4 * 4096, false);
  CHECK_FALSE(next.append(request("little")));
}

TEST_CASE("damaged files are set aside, counted and said, and the rest comes") {
  const quiet log;
  const spool_folder folder;
  leave_behind(folder.path(), {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
  const auto batches = folder.batches();
  std::string flipped = spool_folder::content(batches[0]);
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  spool_folder::write(batches[0], flipped);
  spool_folder::write(batches[1], spool_folder::content(batches[1]).substr(0, 50));
  spool_folder::write(batches[2], "");
  spool_folder::write(batches[3], spool_folder::content(batches[3]).replace(8, 1, "\x02"));
  spool_folder::write(batches[4], "what somebody else put there");
  files::remove(batches[5]);
  files::create_symlink("/etc/passwd", batches[5]);
  files::remove(batches[6]);
  files::create_directory(batches[6]);
  // Names that are none of ours stay where they are.
  spool_folder::write(batches[0].parent_path() / "README", "hands off");
  spool one(folder.path(), "to", plenty);
  CHECK(drain(one) == strings{"7", "8", "9"});
  CHECK(one.counts().set_aside == 7);
  CHECK(one.counts().replayed == 3);
  CHECK(one.counts().failed == 0);  // of another process
  CHECK(one.counts().exported == 0);
  CHECK(folder.bad().size() == 7);
  for (const char* problem : {"its checksum is wrong", "it is cut off", "it is empty", "its version is not known",
                              "it is no file of a spool", "Too many levels of symbolic links"})
    CHECK(log.has(problem));
  CHECK(spool_folder::content(batches[0].parent_path() / "README") == "hands off");
  CHECK(drain(one).empty());
}

TEST_CASE("what becomes of one's own damaged files is in the accounts") {
  const quiet log;
  const spool_folder folder;
  spool one(folder.path(), "to", plenty);
  for (const char* body : {"a", "b", "c"}) REQUIRE(one.append(request(body, 10)));
  spool_folder::write(folder.batches()[0], "");
  files::remove(folder.batches()[1]);
  CHECK(drain(one) == strings{"c"});
  CHECK(one.counts().waiting == 0);
  CHECK(one.counts().failed == 20);
  CHECK(one.counts().exported == 10);
  CHECK(one.counts().set_aside == 2);
}

TEST_CASE("no more is set aside than there is room for") {
  const quiet log;
  const spool_folder folder;
  leave_behind(folder.path(), strings(40, "x"));
  for (auto const& batch : folder.batches()) spool_folder::write(batch, "bad");
  spool one(folder.path(), "to", plenty);
  CHECK(drain(one).empty());
  CHECK(one.counts().set_aside == 40);
  CHECK(folder.bad().size() == 32);
  CHECK(folder.batches().empty());

  const spool_folder small;
  leave_behind(small.path(), strings(8, "x"));
  for (auto const& batch : small.batches()) spool_folder::write(batch, "bad");
  spool two(small.path(), "to", 16 * 4096);
  CHECK(drain(two).empty());
  CHECK(small.bad().size() == 4);
}

TEST_CASE("nowhere to write: said, refused, and no crash") {
  const quiet log;
  const spool_folder folder;
  SUBCASE("a file is in the way") {
    spool_folder::write(folder.path() + "/to", "");
    spool one(folder.path(), "to", plenty);
    CHECK_FALSE(one.append(request("x")));
    CHECK(log.has("the directory cannot be"));
  }
  SUBCASE("above it a file is in the way") {
    spool_folder::write(folder.path() + "/file", "");
    spool one(folder.path() + "/file", "to", plenty);
    CHECK_FALSE(one.append(request("x")));
    CHECK(log.has("the directory cannot be made; batches are not kept: Not a directory"));
  }
  SUBCASE("it does not exist and cannot") {
    spool one("/proc/none", "to", plenty);
    CHECK_FALSE(one.append(request("x")));
  }
  SUBCASE("no directory at all is the current one") {
    spool one(folder.path() + "/.", "to", plenty);
    CHECK(one.append(request("x")));
  }
  SUBCASE("it is gone while it is used") {
    spool one(folder.path(), "to", plenty);
    REQUIRE(one.append(request("x", 3)));
    files::remove_all(folder.path() + "/to");
    CHECK_FALSE(one.append(request("y")));
    CHECK(one.front() == nullptr);
    CHECK(one.counts().failed == 3);
    CHECK(one.counts().waiting == 0);
  }
  SUBCASE("it belongs to somebody else") {
    if (::geteuid() != 0) return;
    files::create_directory(folder.path() + "/to");
    REQUIRE(::chown((folder.path() + "/to").c_str(), 65534, 65534) == 0);
    spool one(folder.path(), "to", plenty);
    CHECK_FALSE(one.append(request("x")));
    CHECK(log.has("the directory belongs to another user"));
  }
  SUBCASE("others could read it: not any more") {
    files::create_directory(folder.path() + "/to");
    files::permissions(folder.path() + "/to", files::perms::all);
    spool one(folder.path(), "to", plenty);
    CHECK(one.append(request("x")));
    CHECK(files::status(folder.path() + "/to").permissions() == files::perms::owner_all);
  }
}

TEST_CASE("a limit of file sizes stands for a full disk where nobody may mount one") {
  const spool_folder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const quiet log;
    spool one(folder.path(), "to", plenty);
    const rlimit limit{1000, 1000};
    bool good = ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    good = good && !one.append(request(std::string(2000, 'x'))) && one.empty() && one.counts().waiting == 0;
    good = good && log.has("a batch could not be written; batches are not kept: File too large");
    good = good && one.append(request("little")) && drain(one) == strings{"little"};
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(folder.temporaries().empty());
}

TEST_CASE("a full disk, and a read-only one") {
  const quiet log;
  const spool_folder folder;
  if (::mount("fulgurite", folder.path().c_str(), "tmpfs", 0, "size=256k") != 0) {
    MESSAGE("not tested: mounting is not allowed");
    return;
  }
  struct unmount {
    std::string path;
    ~unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const at_the_end{folder.path()};
  {
    spool one(folder.path(), "to", plenty);
    const std::string body(10'000, 'x');
    int kept = 0;
    while (kept < 100 && one.append(request(body))) ++kept;
    CHECK(kept > 5);
    CHECK(kept < 30);
    CHECK(log.has("No space left on device"));
    CHECK(folder.temporaries().empty());
    CHECK(static_cast<int>(one.counts().waiting) == kept);
    one.front();
    one.drop_front(true);
    CHECK(one.append(request(body)));  // there is room again

    one.close();
    REQUIRE(::mount(nullptr, folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0);
    spool other(folder.path(), "to", plenty);
    CHECK_FALSE(other.append(request("x")));
    CHECK(log.has("Read-only file system"));
    // Not to be locked and not to be removed: they stay for a better day.
    CHECK(other.front() == nullptr);
    CHECK(static_cast<int>(folder.batches().size()) == kept);
  }
}

TEST_CASE("a directory that nothing can be removed from: each batch comes once all the same") {
  const pid_t child = ::fork();
  if (child == 0) {
    // Whoever may do everything would not notice.
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);
    bool good = true;
    {  // the directory goes before the process does
      const quiet log;
      const spool_folder folder;
      spool one(folder.path(), "to", plenty);
      good = one.append(request("a")) && one.append(request("b"));
      const files::path place = folder.batches().at(0).parent_path();
      files::permissions(place, files::perms::owner_read | files::perms::owner_exec);
      good = good && !one.append(request("c")) &&
             log.has("a batch could not be written; batches are not kept: Permission");
      good = good && drain(one) == strings{"a", "b"} && one.counts().waiting == 0 && one.counts().exported == 2;
      good = good && log.has("a batch that is dealt with cannot be removed");
      files::permissions(place, files::perms::owner_all);
    }
    ::_exit(good ? 0 : 2);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
}

TEST_CASE("a destination's name is readable, and the same in every run") {
  // FNV-1a of the address, by its definition, in Python.
  CHECK(spool_destination("otlp_http", "http://localhost:4318/v1/traces") == "otlp_http-ba5e6e281cfcfa99");
  CHECK(spool_destination("a", "x") != spool_destination("a", "y"));
}
