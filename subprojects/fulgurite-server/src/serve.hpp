// `fulgurite serve` as a process: one server for one data directory, started by hand or by a tracer, ended by a signal
// or together with the program that owns it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>

namespace fulgurite_server {

/// Where a server that was started by hand listens unless told otherwise.
inline constexpr int default_port = 14318;

struct serve_options {
  /// 0 takes any free port. Unset: `default_port`, or any free port for a managed server.
  std::optional<int> port = {};
  std::filesystem::path data = {};
  /// Started by a tracer: a session of its own, deaf to the keyboard, nothing inherited stays open, silent after the
  /// first line (what it has to say goes to server.log). Where a server already runs, it prints that one's address and
  /// ends with success.
  bool managed = false;
  /// End in order when this process ends.
  std::optional<pid_t> owner = {};
};

/// Prints `listening on http://127.0.0.1:PORT`, then serves. Returns the exit code.
int serve(serve_options options);

}  // namespace fulgurite_server
