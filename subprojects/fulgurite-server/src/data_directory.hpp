// The directory where traces are kept, and how a program finds the server that serves it.
//
//     traces.db     the spans (store.hpp)
//     server.lock   locked with flock(2) as long as a server lives: one server for one directory
//     server.json   {"pid":N,"port":N,"url":"http://127.0.0.1:PORT","started":"2026-…Z"}, written whole by a rename
//                   once the server listens, removed when it ends in order
//     server.log    what a server that a tracer started has to say
//
// After a crash server.json stays behind: it is true only while server.lock is locked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace fulgurite_server {

/// `$FULGURITE_DATA`, else `$XDG_DATA_HOME/fulgurite`, else `~/.local/share/fulgurite`. Throws `std::runtime_error`
/// where not even a home directory is known.
std::filesystem::path default_data_directory();

/// Creates it, readable by its owner only. Throws `std::runtime_error`.
void create_data_directory(std::filesystem::path const& directory);

/// Says that this process serves the directory, until it is destroyed.
class server_lock {
 public:
  /// Nothing when another process has it. Throws `std::runtime_error`.
  static std::optional<server_lock> take(std::filesystem::path const& directory);

  server_lock(server_lock&& other) noexcept;
  server_lock& operator=(server_lock&&) = delete;
  /// Withdraws, and lets the next server have the directory.
  ~server_lock();

  /// Writes server.json. Throws `std::runtime_error`.
  void announce(int port) const;
  /// Removes server.json, so that nobody comes while the server ends.
  void withdraw() const;

 private:
  server_lock(int descriptor, std::filesystem::path directory) noexcept
      : descriptor_(descriptor), directory_(std::move(directory)) {}

  int descriptor_;
  std::filesystem::path directory_;
};

/// The URL of the server that serves the directory; nothing when there is none, or not yet.
std::optional<std::string> find_server(std::filesystem::path const& directory);

}  // namespace fulgurite_server
