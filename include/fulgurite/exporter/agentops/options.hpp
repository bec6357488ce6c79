// What can be said to agentops_exporter.
#pragma once

#include <fulgurite/delivery/options.hpp>

#include <chrono>
#include <string>

namespace fulgurite {
inline namespace v1 {

/// Where the spans go, and how. The defaults are the local server's.
struct agentops_options {
  /// Spans go to a server on this machine, which is started where none runs; else to AgentOps' cloud.
  bool managed = true;
  /// A server that was started ends with this program, or the last that uses it by then; else it stays.
  bool daemon = true;
  /// With `production` no server is started and nothing delivered to one.
  std::string environment = "development";
  /// Where the local server keeps its store; empty: `$FULGURITE_DATA`, `$XDG_DATA_HOME/fulgurite`,
  /// `~/.local/share/fulgurite`.
  std::string data_directory = {};
  /// The local server takes any key. It is never logged.
  std::string api_key = {};
  /// AgentOps' addresses; not used for the local server.
  std::string endpoint = "https://api.agentops.ai";
  std::string exporter_endpoint = "https://otlp.agentops.ai/v1/traces";
  /// AgentOps' dashboard, to which the log links.
  std::string app_url = "https://app.agentops.ai";
  /// For the cloud: a PEM file, whom to trust instead of the system's list; the proxies on the way to `endpoint` and to
  /// `exporter_endpoint`.
  std::string ca_file = {}, proxy = {}, exporter_proxy = {};
  bool gzip = true;
  /// For a batch, all its attempts included, and the server's start.
  std::chrono::milliseconds timeout{10'000};
  /// After a server could not be found or started, or refused the key, it is not tried again for this long. One that
  /// was started and has died is started again at once; only where it dies again and again, three starts within this
  /// time, that waits too.
  std::chrono::milliseconds restart_interval{5'000};
  /// A token that the cloud does not take any more is renewed at most this often; the first one at once.
  std::chrono::milliseconds renewal_interval{60'000};
  delivery_options delivery = {.max_attempts = 3, .initial_backoff = std::chrono::milliseconds(50)};
};

}  // namespace v1
}  // namespace fulgurite
