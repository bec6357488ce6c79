// Who AgentOps' spans go to: the local server, found or started, or the cloud; and the token for it.
//
// Managed, the server is found by the data directory's `server.json` or started (exporter/agentops/local_server.hpp);
// either way a token is fetched first (exporter/agentops/token.hpp). Who is given a token by the local server becomes
// one of its owners, with the last of which it ends. Part of exporter/agentops.hpp.
#pragma once

#include <fulgurite/delivery/delivery.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/agentops/local_server.hpp>
#include <fulgurite/exporter/agentops/options.hpp>
#include <fulgurite/exporter/agentops/token.hpp>
#include <fulgurite/exporter/agentops/token_expiry.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/http_options.hpp>
#include <fulgurite/exporter/http_wire.hpp>
#include <fulgurite/transport/http.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// For one thread at a time, but for `interrupt` and `check`.
class agentops_connector {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The options outlive it.
  explicit agentops_connector(agentops_options const& options) : options_(options) {}

  /// Whether there can ever be somebody to send to.
  bool may_connect() const {
    if (!options_.managed) return !options_.api_key.empty();
    return options_.environment != "production" && !options_.data_directory.empty();
  }
  /// Whether the token is about to run out, and another may be fetched.
  bool is_renewal_due() const {
    const time_point now = std::chrono::steady_clock::now();
    return !options_.managed && now >= renew_at_ && now >= not_before_;
  }

  /// Where to send, with a token. Nothing, and something said, when there is nobody to send to.
  std::optional<http_wire_options> connect(time_point until) {
    const time_point now = std::chrono::steady_clock::now();
    if (now < not_before_) return std::nullopt;
    not_before_ = now + options_.restart_interval;
    http_wire_options to;
    if (!options_.managed) {
      const std::string problem = open_patiently(until, to);
      // A key that is refused stays refused, and one token a minute is enough; but the first may be renewed at once.
      if (problem.empty() && !std::exchange(had_token_, true))
        not_before_ = {};
      else if (problem.empty() || refused_)
        not_before_ = now + options_.renewal_interval;
      if (!problem.empty()) return say(problem), std::nullopt;
      return to;
    }
    if (options_.environment == "production") return say(not_in_production), std::nullopt;
    if (options_.data_directory.empty())
      return say("there is no home directory for the local server's data"), std::nullopt;
    std::string url, problem;
    for (int attempt = 1;; ++attempt) {
      // One that has just failed is not believed again: the command knows whether it lives.
      std::string found = announced_server(options_.data_directory);
      if (found.empty() || found == url || !ask_health(found + "/health", until).reachable) found = start(now, until);
      if (found.empty()) return std::nullopt;
      url = std::move(found);
      problem = open(url, url + "/v1/traces", until, to);
      if (problem.empty()) {
        // A server that was there may be lost at once; that must not wait.
        not_before_ = {};
        return to;
      }
      if (attempt == max_attempts || interrupted_ || std::chrono::steady_clock::now() >= until)
        return say(problem), std::nullopt;
      log(log_level::info, "agentops: the server is looked for once more: " + problem);
    }
  }

  /// Something new is asked for: an interruption of what was before counts no more.
  void begin() noexcept {
    interrupted_ = false;
    delivery_.begin();
  }
  bool is_interrupted() const noexcept { return interrupted_; }
  /// Makes a `connect` that is under way give up; from any thread.
  void interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    delivery_.interrupt();
    if (asking_) asking_->interrupt();
  }
  /// From now on the cloud is asked for a token once; from any thread.
  void hurry() noexcept { delivery_.hurry(); }
  /// Requests for a token that were sent again; from any thread.
  std::uint64_t retried() const noexcept { return delivery_.retried(); }

  /// Asks a server that runs, or the cloud for a token; starts none. From any thread.
  health_report check(time_point until) const {
    if (!options_.managed) return ask_for_token(until);
    if (options_.environment == "production")
      return {.reachable = false, .endpoint = {}, .reason = not_in_production, .latency = {}};
    const std::string url = announced_server(options_.data_directory);
    if (!url.empty()) return ask_health(url + "/health", until);
    const bool installed = !find_command("fulgurite").empty();
    return {.reachable = false,
            .endpoint = options_.data_directory,
            .reason = installed ? "no local server runs; the first batch starts one" : not_installed,
            .latency = {}};
  }

  static void say(std::string const& what) { log(log_level::error, "agentops: " + what); }

 private:
  static constexpr int max_starts = 3;
  /// With another server.
  static constexpr int max_attempts = 3;
  static constexpr const char* not_in_production =
      "the local server is not for production: choose a backend with TRACER_TYPE, or AGENTOPS_MANAGED=false with a key";
  static constexpr const char* not_installed = "the local server's command `fulgurite` is not in PATH";

  /// When a token's own time is nearly over (RFC 7519, `exp`); never where it does not say.
  static time_point renewal_time(std::string_view token) {
    constexpr std::int64_t before = 60, longest = 366 * 86'400;
    const std::optional<std::int64_t> end = token_expiry(token);
    if (!end) return time_point::max();
    const std::int64_t left = std::min(*end, std::int64_t{1} << 40) - std::time(nullptr) - before;
    return std::chrono::steady_clock::now() + std::chrono::seconds(std::clamp<std::int64_t>(left, 0, longest));
  }

  /// The URL of a server that was started or, by then, found; empty, and something said, when there is none.
  std::string start(time_point now, time_point until) {
    const std::string program = find_command("fulgurite");
    if (program.empty()) {
      if (!std::exchange(said_missing_, true))
        say(std::string(not_installed) + ": spans are not stored; the last trace stays in memory");
      return {};
    }
    if (now >= first_start_ + options_.restart_interval) first_start_ = now, starts_ = 0;
    if (++starts_ > max_starts) {
      not_before_ = first_start_ + options_.restart_interval;
      return say("the local server dies again and again: it is not started again for a while"), std::string();
    }
    started_server started = start_server(program, options_.data_directory, options_.daemon, until, interrupted_);
    if (started.url.empty()) say("the local server did not start: " + started.problem);
    return std::move(started.url);
  }

  /// The cloud's token, by as many attempts as a batch has; with a spool by one, because the batch waits there.
  std::string open_patiently(time_point until, http_wire_options& to) {
    const auto ask_once = [&] {
      std::string problem = open(options_.endpoint, options_.exporter_endpoint, until, to);
      using outcome = attempt::outcome;
      const outcome what = problem.empty() ? outcome::delivered : again_ ? outcome::retry : outcome::refused;
      return attempt{.result = what, .reason = std::move(problem), .retry_after = retry_after_};
    };
    return (options_.delivery.spool.empty() ? delivery_.run(until, ask_once) : ask_once()).reason;
  }
  /// Fetches a token; says what went wrong.
  std::string open(std::string const& base, std::string const& traces, time_point until, http_wire_options& to) {
    http_endpoint auth;
    refused_ = again_ = false;
    std::string problem = parse_endpoint(base + agentops_token_path, auth);
    if (problem.empty()) problem = parse_endpoint(traces, to.endpoint);
    if (!problem.empty()) return problem;
    const std::string key = options_.managed ? "dummy" : options_.api_key;
    agentops_token token = read_agentops_token(ask(auth, agentops_token_request(key), until), auth, key);
    refused_ = token.refused;
    again_ = token.again;
    retry_after_ = token.retry_after;
    if (!token.problem.empty()) return std::move(token.problem);
    to.headers = {{"Authorization", "Bearer " + token.text}};
    if (options_.managed) return {};
    to.tls.ca_file = options_.ca_file;
    renew_at_ = renewal_time(token.text);
    return parse_proxy(options_.exporter_proxy, to.proxy);
  }

  /// In a way that `interrupt` ends.
  http_answer ask(http_endpoint const& to, std::string const& body, time_point until) {
    http_client client = client_of(to);
    {
      const std::lock_guard lock(mutex_);
      asking_ = &client;
    }
    http_answer answer = send_to(client, "POST", body, until, options_.managed);
    const std::lock_guard lock(mutex_);
    asking_ = nullptr;
    return answer;
  }
  http_client client_of(http_endpoint const& to) const {
    http_proxy proxy;
    tls_options tls;
    if (!options_.managed) {
      tls.ca_file = options_.ca_file;
      parse_proxy(options_.proxy, proxy);
    }
    return http_client(to, std::move(tls), std::move(proxy));
  }
  static http_answer send_to(http_client& client, const char* method, std::string const& body, time_point until,
                             bool as_owner = false) {
    http_headers headers{{"User-Agent", user_agent()}};
    if (as_owner) headers.emplace_back("Fulgurite-Owner", std::to_string(getpid()));
    if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
    const std::string path = client.endpoint().path;
    return client.send({method, path, headers, std::as_bytes(std::span(body))}, until);
  }

  /// The cloud has no other way to be asked: whether it gives a token for the key, which is then not used.
  health_report ask_for_token(time_point until) const {
    health_report report;
    http_endpoint at;
    report.reason = parse_endpoint(options_.endpoint + agentops_token_path, at);
    if (report.reason.empty()) report.endpoint = at.to_text();
    if (report.reason.empty() && options_.api_key.empty()) report.reason = "there is no API key (AGENTOPS_API_KEY)";
    if (!report.reason.empty()) return report;
    http_client client = client_of(at);
    const time_point start = std::chrono::steady_clock::now();
    const http_answer answer = send_to(client, "POST", agentops_token_request(options_.api_key), until);
    report.latency = std::chrono::steady_clock::now() - start;
    report.reason = read_agentops_token(answer, at, options_.api_key).problem;
    report.reachable = report.reason.empty();
    if (report.reachable) report.reason = "HTTP 200: the key is taken";
    return report;
  }
  static health_report ask_health(std::string const& url, time_point until) {
    http_endpoint at;
    health_report report{.reachable = false, .endpoint = url, .reason = parse_endpoint(url, at), .latency = {}};
    if (!report.reason.empty()) return report;
    http_client client(at);
    const time_point start = std::chrono::steady_clock::now();
    const http_answer answer = send_to(client, "GET", {}, until);
    report.latency = std::chrono::steady_clock::now() - start;
    report.reachable = answer.status == 200;
    report.reason = answer.status == 0 ? answer.error : "HTTP " + std::to_string(answer.status);
    return report;
  }

  agentops_options const& options_;
  delivery delivery_{options_.delivery};
  std::atomic<bool> interrupted_{false};
  /// Guards `asking_`.
  std::mutex mutex_;
  http_client* asking_ = nullptr;
  time_point not_before_ = {}, first_start_ = {};
  int starts_ = 0;
  /// When the cloud's token is renewed.
  time_point renew_at_ = time_point::max();
  /// The last request for a token may be sent again, after what was asked for.
  bool again_ = false;
  std::optional<std::chrono::nanoseconds> retry_after_;
  /// The cloud did not take the key.
  bool refused_ = false;
  bool had_token_ = false;
  bool said_missing_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
