// `fulgurite serve` as a process: one server for one data directory, started by hand or by a tracer, ended by a signal
// or together with the programs that own it.
//
// The first owner is whoever started it, the others come with the header `Fulgurite-Owner: PID` of the token that they
// fetch. Who was given a token has a server for as long as it lives: that the last owner has gone is decided under the
// same lock as that a new one comes, and who comes later is told to look for another server.
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
  /// first line (what it has to say goes to server.log). Where a server already runs, it makes `owner` an owner of that
  /// one, prints its address and ends with success.
  bool managed = false;
  /// End in order when this process, and each that has joined it, has ended.
  std::optional<pid_t> owner = {};
};

/// Prints `listening on http://127.0.0.1:PORT`, then serves. Returns the exit code.
int serve(serve_options options);

}  // namespace fulgurite_server
