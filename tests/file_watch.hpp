// Whether anybody opens a file while this lives.
#pragma once

#include <sys/inotify.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fulgurite_test {

class file_watch {
 public:
  explicit file_watch(std::string const& path) : queue_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (queue_ < 0 || inotify_add_watch(queue_, path.c_str(), IN_OPEN) < 0)
      throw std::runtime_error("cannot watch " + path);
  }
  file_watch(file_watch const&) = delete;
  file_watch& operator=(file_watch const&) = delete;
  ~file_watch() { ::close(queue_); }
  /// Since it was asked last.
  bool was_opened() const {
    char events[4096];
    return ::read(queue_, events, sizeof events) > 0;
  }

 private:
  int queue_;
};

/// While it lives, OpenSSL's default certificates are this empty file.
class default_certificates {
 public:
  default_certificates() : path_(std::filesystem::temp_directory_path() / "fulgurite-certificates-XXXXXX") {
    const int file = mkstemp(path_.data());
    if (file < 0) throw std::runtime_error("cannot make " + path_);
    ::close(file);
    setenv("SSL_CERT_FILE", path_.c_str(), 1);
  }
  default_certificates(default_certificates const&) = delete;
  default_certificates& operator=(default_certificates const&) = delete;
  ~default_certificates() {
    unsetenv("SSL_CERT_FILE");
    std::remove(path_.c_str());
  }
  std::string const& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace fulgurite_test
