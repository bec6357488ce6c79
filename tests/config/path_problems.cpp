#include <fulgurite/config/path_problems.hpp>

#include "../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

using namespace fulgurite::detail;
using fulgurite_test::spool_folder;

TEST_CASE("a file to be read") {
  const spool_folder folder;
  const std::string file = folder.path() + "/a.pem";
  CHECK(problem_of_file_to_read(file) == "No such file or directory");
  std::ofstream(file) << "x";
  CHECK(problem_of_file_to_read(file).empty());
  CHECK(problem_of_file_to_read(folder.path()) == "this is no file");
  REQUIRE(::mkfifo((folder.path() + "/pipe").c_str(), 0600) == 0);
  CHECK(problem_of_file_to_read(folder.path() + "/pipe") == "this is no file");
}

TEST_CASE("the directory above") {
  CHECK(directory_above("a") == ".");
  CHECK(directory_above("a/b") == "a");
  CHECK(directory_above("a//b//") == "a");
  CHECK(directory_above("/a") == "/");
  CHECK(directory_above("/") == "/");
  CHECK(directory_above("") == ".");
}

TEST_CASE("a directory that is there, or can be made") {
  const spool_folder folder;
  CHECK(problem_of_directory(folder.path()).empty());
  CHECK(problem_of_directory(folder.path() + "/new/and/deeper").empty());
  CHECK(problem_of_directory("new-and-relative/x").empty());
  CHECK(problem_of_directory("/dev/null") == "/dev/null is no directory");
  CHECK(problem_of_directory("/dev/null/x") == "/dev/null/x: Not a directory");
}

TEST_CASE("a file to be written: its directory must be there") {
  const spool_folder folder;
  CHECK(problem_of_file_to_write(folder.path() + "/t.jsonl").empty());
  CHECK(problem_of_file_to_write("t.jsonl").empty());
  CHECK(problem_of_file_to_write("/dev/null").empty());
  CHECK(problem_of_file_to_write(folder.path()) == "this is a directory");
  CHECK(problem_of_file_to_write(folder.path() + "/no/t.jsonl") == folder.path() + "/no: No such file or directory");
  CHECK(problem_of_file_to_write(folder.path() + "/t/") == "this is no file");
}
