// A directory of its own for a test of the spool, and what lies in it.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace fulgurite_test {

namespace files = std::filesystem;

class spool_folder {
 public:
  spool_folder() {
    std::string name = (files::temp_directory_path() / "fulgurite-spool-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no directory for the test");
    path_ = name;
  }
  ~spool_folder() {
    std::error_code ignored;
    files::permissions(path_, files::perms::owner_all, ignored);
    files::remove_all(path_, ignored);
  }
  spool_folder(spool_folder const&) = delete;
  spool_folder& operator=(spool_folder const&) = delete;

  std::string path() const { return path_.string(); }
  /// Every batch, oldest first.
  std::vector<files::path> batches() const { return named(".batch", ""); }
  /// Those set aside.
  std::vector<files::path> bad() const { return named(".batch", "bad"); }
  /// Everything else that is a file.
  std::vector<files::path> temporaries() const { return named(".tmp", ""); }

  static std::string content(files::path const& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static void write(files::path const& path, std::string const& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  }

 private:
  std::vector<files::path> named(std::string const& extension, std::string const& folder) const {
    std::vector<files::path> found;
    for (auto const& entry : files::recursive_directory_iterator(path_)) {
      const std::string parent = entry.path().parent_path().filename().string();
      if (entry.path().extension() == extension && (folder.empty() ? parent != "bad" : parent == folder))
        found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end(), [](auto const& a, auto const& b) { return a.filename() < b.filename(); });
    return found;
  }

  files::path path_;
};

}  // namespace fulgurite_test
