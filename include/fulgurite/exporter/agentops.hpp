// AgentOps: the local server that this library brings (`fulgurite serve`), or AgentOps' own service.
//
// Managed, the server is found by the data directory's `server.json` or started with the first batch
// (exporter/local_server.hpp); either way a token is fetched first and spans follow as OTLP with that token
// (exporter/otlp_channel.hpp). What the environment variables AGENTOPS_... mean is told in config/descriptors.hpp.
#pragma once

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/encoder/json_text.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/local_server.hpp>
#include <fulgurite/exporter/otlp_channel.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

struct agentops_options {
  /// Spans go to a server on this machine, which is started where none runs; else to AgentOps' cloud.
  bool managed = true;
  /// A server that was started ends with this program; else it stays.
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
  bool gzip = true;
  /// For a batch, all its attempts included, and the server's start.
  std::chrono::milliseconds timeout{10'000};
  /// After a server could not be found or started, or refused the key, it is not tried again for this long.
  std::chrono::milliseconds restart_interval{5'000};
  delivery_options delivery = {.max_attempts = 3, .initial_backoff = std::chrono::milliseconds(50)};
};

/// Blocks in `export_spans` until a batch is delivered or not; starting the server takes some ten milliseconds more.
class agentops_exporter {
 public:
  explicit agentops_exporter(agentops_options options = {}) : state_(std::make_unique<state>(std::move(options))) {}

  export_result export_spans(span_batch const& batch) noexcept try {
    if (!state_) return export_result::failure;
    return batch.empty() ? export_result::success : state_->send(batch);
  } catch (...) {
    detail::log(log_level::error, "agentops: out of memory; a batch was not delivered");
    return export_result::failure;
  }
  bool flush(deadline) noexcept { return true; }
  bool shutdown(deadline) noexcept {
    if (state_) state_->shut_down = true;
    return true;
  }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    if (state_) state_->interrupt();
  }
  /// From any thread, as all below.
  exporter_stats stats() const noexcept { return state_ ? state_->stats() : exporter_stats{}; }
  /// Asks a server that runs; starts none.
  health_report check_health(deadline until) const { return state_ ? state_->check(until) : health_report{}; }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  struct state {
    explicit state(agentops_options given) : options(std::move(given)) {
      if (options.data_directory.empty()) options.data_directory = detail::default_data_directory();
      if (!options.managed && options.api_key.empty())
        detail::log(log_level::error,
                    "agentops: the cloud needs an API key (AGENTOPS_API_KEY); no span will be delivered");
    }

    export_result send(span_batch const& batch) {
      if (shut_down) return export_result::failure;
      interrupted = false;
      const time_point until = std::chrono::steady_clock::now() + options.timeout;
      for (int attempt = 0; attempt < 2 && !interrupted; ++attempt) {
        if (!channel && !connect(until)) return export_result::failure;
        channel->begin();
        if (interrupted) break;
        if (channel->send(batch, until) == export_result::success) return export_result::success;
        // Gone, or the token has run out: find it, or start it, once more.
        const bool gone = channel->last_failure() == detail::http_answer::failure::refused;
        const bool unknown = channel->last_status() == 401 || channel->last_status() == 403;
        if (!gone && !unknown) break;
        replace(nullptr);
      }
      return export_result::failure;
    }

    void interrupt() noexcept {
      const std::lock_guard lock(mutex);
      interrupted = true;
      if (asking) asking->interrupt();
      if (channel) channel->interrupt();
    }

    exporter_stats stats() const noexcept {
      const std::lock_guard lock(mutex);
      exporter_stats sum = before;
      if (channel) add(sum, channel->stats());
      return sum;
    }

    health_report check(time_point until) const {
      if (!options.managed) {
        detail::otlp_channel_options to;
        const std::string problem = detail::parse_endpoint(options.endpoint, to.endpoint);
        if (!problem.empty()) return {.reachable = false, .endpoint = {}, .reason = problem, .latency = {}};
        health_report report = ask_health(options.endpoint, until);
        report.reachable = report.reachable || report.reason.starts_with("HTTP ");  // it has no route for this
        return report;
      }
      if (options.environment == "production")
        return {.reachable = false, .endpoint = {}, .reason = not_in_production, .latency = {}};
      const std::string url = detail::announced_server(options.data_directory);
      if (!url.empty()) return ask_health(url + "/health", until);
      const bool installed = !detail::find_command("fulgurite").empty();
      return {.reachable = false,
              .endpoint = options.data_directory,
              .reason = installed ? "no local server runs; the first batch starts one" : not_installed,
              .latency = {}};
    }

    agentops_options options;
    std::atomic<bool> shut_down{false}, interrupted{false};

   private:
    static constexpr const char* not_in_production =
        "the local server is not for production: choose a backend with TRACER_TYPE, or AGENTOPS_MANAGED=false with a "
        "key";
    static constexpr const char* not_installed = "the local server's command `fulgurite` is not in PATH";

    static void add(exporter_stats& to, exporter_stats const& more) noexcept {
      to.retried += more.retried;
      to.rejected += more.rejected;
      to.too_large += more.too_large;
    }
    static void say(std::string const& what) { detail::log(log_level::error, "agentops: " + what); }

    void replace(std::unique_ptr<detail::otlp_channel> fresh) {
      const std::lock_guard lock(mutex);
      if (channel) add(before, channel->stats());
      channel = std::move(fresh);
    }

    /// False, and something said, when there is nobody to send to.
    bool connect(time_point until) {
      const time_point now = std::chrono::steady_clock::now();
      if (now < not_before) return false;
      not_before = now + options.restart_interval;
      if (!options.managed) return open(options.endpoint, options.exporter_endpoint, until);
      if (options.environment == "production") return say(not_in_production), false;
      if (options.data_directory.empty()) return say("there is no home directory for the local server's data"), false;
      std::string url = detail::announced_server(options.data_directory);
      if (url.empty() || !ask_health(url + "/health", until).reachable) {
        const std::string program = detail::find_command("fulgurite");
        if (program.empty()) {
          if (!std::exchange(said_missing, true))
            say(std::string(not_installed) + ": spans are not stored; the last trace stays in memory");
          return false;
        }
        if (last_start != time_point{} && now < last_start + options.restart_interval)
          return say("the local server ended soon after its start"), false;
        last_start = now;
        const detail::started_server started =
            detail::start_server(program, options.data_directory, options.daemon, until, interrupted);
        if (started.url.empty()) return say("the local server did not start: " + started.problem), false;
        url = started.url;
      }
      if (!open(url, url + "/v1/traces", until)) return false;
      // A server that was there may be lost at once; that must not wait.
      not_before = {};
      return true;
    }

    /// Fetches a token and makes the channel.
    bool open(std::string const& base, std::string const& traces, time_point until) {
      detail::http_endpoint auth;
      detail::otlp_channel_options to;
      std::string problem = detail::parse_endpoint(base + "/v3/auth/token", auth);
      if (problem.empty()) problem = detail::parse_endpoint(traces, to.endpoint);
      if (!problem.empty()) return say(problem), false;
      std::string body = "{\"api_key\":";
      detail::append_json_string(body, options.managed ? "dummy" : options.api_key);
      body += '}';
      const detail::http_answer answer = ask("POST", auth, body, until);
      const std::string token = answer.status == 200 ? detail::json_text_member(answer.body, "token") : std::string();
      if (token.empty() || !detail::is_valid_header("Authorization", token)) {
        say("no token from " + auth.to_text() + ": " +
            (answer.status == 0 ? answer.error
                                : "HTTP " + std::to_string(answer.status) + " " + detail::for_log(answer.body)));
        return false;
      }
      to.headers = {{"Authorization", "Bearer " + token}};
      to.gzip = options.gzip;
      to.delivery = options.delivery;
      to.name = "agentops";
      replace(std::make_unique<detail::otlp_channel>(std::move(to)));
      return true;
    }

    detail::http_answer ask(const char* method, detail::http_endpoint const& to, std::string const& body,
                            time_point until) {
      detail::http_client client(to);
      {
        const std::lock_guard lock(mutex);
        asking = &client;
      }
      detail::http_answer answer = send_to(client, method, body, until);
      const std::lock_guard lock(mutex);
      asking = nullptr;
      return answer;
    }
    static detail::http_answer send_to(detail::http_client& client, const char* method, std::string const& body,
                                       time_point until) {
      detail::http_headers headers{{"User-Agent", detail::user_agent()}};
      if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
      const std::string path = client.endpoint().path;
      return client.send({method, path, headers, std::as_bytes(std::span(body))}, until);
    }
    static health_report ask_health(std::string const& url, time_point until) {
      detail::http_endpoint at;
      health_report report{
          .reachable = false, .endpoint = url, .reason = detail::parse_endpoint(url, at), .latency = {}};
      if (!report.reason.empty()) return report;
      detail::http_client client(at);
      const time_point start = std::chrono::steady_clock::now();
      const detail::http_answer answer = send_to(client, "GET", {}, until);
      report.latency = std::chrono::steady_clock::now() - start;
      report.reachable = answer.status == 200;
      report.reason = answer.status == 0 ? answer.error : "HTTP " + std::to_string(answer.status);
      return report;
    }

    /// Guards what other threads touch: `channel` itself (not what it does), `asking`, `before`.
    mutable std::mutex mutex;
    std::unique_ptr<detail::otlp_channel> channel;
    detail::http_client* asking = nullptr;
    exporter_stats before;
    time_point not_before = {}, last_start = {};
    bool said_missing = false;
  };

  std::unique_ptr<state> state_;
};

static_assert(check_exporter<agentops_exporter>());

}  // namespace v1
}  // namespace fulgurite
