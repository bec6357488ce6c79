// Whether a file or a directory that a setting names can be used, as far as can be told without making anything.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What is wrong with a file that is to be read; empty: nothing. A pipe or a device is none: whoever reads it may wait
/// for ever.
inline std::string problem_of_file_to_read(std::string const& path) {
  struct stat about{};
  if (::stat(path.c_str(), &about) != 0) return std::generic_category().message(errno);
  if (!S_ISREG(about.st_mode)) return "this is no file";
  return ::access(path.c_str(), R_OK) == 0 ? std::string() : std::generic_category().message(errno);
}

/// The directory in which the last part of a path lies.
inline std::string directory_above(std::string const& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = end == std::string::npos ? end : path.rfind('/', end);
  if (slash == std::string::npos) return path.starts_with('/') ? "/" : ".";
  const std::size_t last = path.find_last_not_of('/', slash);
  return last == std::string::npos ? "/" : path.substr(0, last + 1);
}

/// What is wrong with a directory in which files are to be made, and which is made where it is missing; empty: nothing.
inline std::string problem_of_directory(std::string const& wanted) {
  for (std::string path = wanted;;) {
    struct stat about{};
    if (::stat(path.c_str(), &about) == 0) {
      if (!S_ISDIR(about.st_mode)) return path + " is no directory";
      return ::access(path.c_str(), W_OK | X_OK) == 0 ? std::string()
                                                      : path + ": " + std::generic_category().message(errno);
    }
    if (errno != ENOENT) return path + ": " + std::generic_category().message(errno);
    std::string above = directory_above(path);
    if (above == path) return path + ": " + std::generic_category().message(ENOENT);
    path = std::move(above);
  }
}

/// What is wrong with a file that is to be written, or made in a directory that must be there; empty: nothing. Pipes
/// and devices may be written.
inline std::string problem_of_file_to_write(std::string const& path) {
  struct stat about{};
  if (path.ends_with('/')) return "this is no file";
  if (::stat(path.c_str(), &about) == 0) {
    if (S_ISDIR(about.st_mode)) return "this is a directory";
    return ::access(path.c_str(), W_OK) == 0 ? std::string() : std::generic_category().message(errno);
  }
  if (errno != ENOENT) return std::generic_category().message(errno);
  const std::string above = directory_above(path);
  return ::access(above.c_str(), W_OK | X_OK) == 0 ? std::string()
                                                   : above + ": " + std::generic_category().message(errno);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
