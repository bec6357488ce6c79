// Starting one is tested through the exporter (tests/exporter/agentops.cpp).
#include <fulgurite/exporter/agentops/local_server.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace fulgurite::detail;

namespace {

/// A variable with another value while it exists.
class variable {
 public:
  variable(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before, was_set_ = true;
    if (value)
      setenv(name, value, 1);
    else
      unsetenv(name);
  }
  ~variable() {
    if (was_set_)
      setenv(name_, before_.c_str(), 1);
    else
      unsetenv(name_);
  }
  variable(variable const&) = delete;
  variable& operator=(variable const&) = delete;

 private:
  const char* name_;
  std::string before_;
  bool was_set_ = false;
};

}  // namespace

TEST_CASE("the data directory") {
  const variable home("HOME", "/h");
  {
    const variable data("FULGURITE_DATA", "/d"), xdg("XDG_DATA_HOME", "/x");
    CHECK(default_data_directory() == "/d");
  }
  const variable data("FULGURITE_DATA", nullptr);
  {
    const variable xdg("XDG_DATA_HOME", "/x");
    CHECK(default_data_directory() == "/x/fulgurite");
  }
  {
    const variable xdg("XDG_DATA_HOME", "relative");  // to be ignored (XDG Base Directory Specification)
    CHECK(default_data_directory() == "/h/.local/share/fulgurite");
  }
}

TEST_CASE("only this machine's plain HTTP is a local server's") {
  for (const char* url : {"http://127.0.0.1:1", "http://localhost:80/", "http://[::1]:8080"}) CHECK(is_local_url(url));
  for (const char* url : {"", "https://127.0.0.1:1", "http://127.0.0.1.example.org:1", "http://127.0.0.2:1",
                          "http://10.0.0.1:1", "http://user@127.0.0.1:1"})
    CHECK_FALSE(is_local_url(url));
}

TEST_CASE("announcements and commands") {
  std::string root = std::filesystem::temp_directory_path() / "fulgurite-test-XXXXXX";
  REQUIRE(mkdtemp(root.data()) != nullptr);
  CHECK(announced_server(root).empty());
  std::ofstream(root + "/server.json") << R"({"pid":5,"port":1,"url":"http://127.0.0.1:4242"})";
  CHECK(announced_server(root) == "http://127.0.0.1:4242");
  std::ofstream(root + "/server.json") << R"({"url":"http://example.org:4242"})";
  CHECK(announced_server(root).empty());
  std::ofstream(root + "/server.json") << std::string(100000, '{');
  CHECK(announced_server(root).empty());

  std::filesystem::create_directories(root + "/first/command");  // a directory is none
  std::filesystem::create_directories(root + "/second");
  std::ofstream(root + "/second/command") << "#!/bin/sh\n";
  const variable path("PATH", (".:" + root + "/first::" + root + "/second").c_str());
  CHECK(find_command("command").empty());  // not executable
  chmod((root + "/second/command").c_str(), 0755);
  CHECK(find_command("command") == root + "/second/command");
  CHECK(find_command("no-such-command").empty());
  std::filesystem::remove_all(root);
}
