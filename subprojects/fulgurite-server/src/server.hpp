// The HTTP side of `fulgurite serve`: routes, limits, answers. Listens on 127.0.0.1 and nowhere else.
//
//     POST /v3/auth/token              the AgentOps token: {"token":"dummy","project_id":"dummy"}; a program that sends
//                                      Fulgurite-Owner: PID with it is then an owner of the server (serve.hpp), or is
//                                      told with 503 that this one ends
//     POST /v1/traces, /traces         OTLP/HTTP protobuf, plain or gzip; 200 means it is on the disk
//     GET  /health                     {"status":"ok"}
//     GET  /api/v1/traces?limit=N      {"traces":[…]}, the newest first
//     GET  /api/v1/traces/ID           one trace as OTLP TracesData: JSON, or protobuf if Accept asks for it; ID may be
//                                      `latest` or the first digits of an identifier
//
// An error is one sentence: a google.rpc.Status in protobuf for what was sent as protobuf, {"code":…,"message":"…"} for
// the rest.
#pragma once

#include "store.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace fulgurite_server {

/// The largest request, packed or unpacked, in bytes (opentelemetry-specification, protocol/otlp.md).
inline constexpr std::size_t max_request_size = 64U << 20;

/// Makes a process an owner of the server at this URL. False when that one does not answer or is ending.
bool join_server(std::string const& url, pid_t owner);

class server {
 public:
  /// A process wants to be an owner; false when it is too late. Called from any thread.
  using join_function = std::function<bool(pid_t)>;

  /// Opens the store, which is created if need be. Throws `store_error`.
  explicit server(std::filesystem::path const& directory, join_function join);
  ~server();

  /// Listens from here on; 0 takes any free port. Returns the port; throws `std::runtime_error`, for instance because
  /// the port is taken.
  int bind(int port);
  /// Answers requests until `stop`. Once.
  void run();
  /// No new connections; waits for requests that are being answered. False if some were not within the grace. After
  /// that the process should end: idle connections still hold their threads. Any thread.
  bool stop(std::chrono::milliseconds grace);

 private:
  struct routes;
  std::unique_ptr<routes> routes_;
};

/// A trace in a list, `{"traceId":"…",…}`: the shape of `traces --json` and of the API.
std::string to_json(trace_summary const& trace);

}  // namespace fulgurite_server
