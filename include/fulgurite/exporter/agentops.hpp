// AgentOps: the local server that this library brings (`fulgurite serve`), or AgentOps' own service.
//
// Managed, the server is found by the data directory's `server.json` or started with the first batch
// (exporter/local_server.hpp); either way a token is fetched first and spans follow as OTLP with that token
// (exporter/batch_channel.hpp). Who is given a token by the local server becomes one of its owners, with the last of
// which it ends; one that was just ending, or was killed, is looked for or started afresh. What the environment
// variables AGENTOPS_... mean is told in config/descriptors.hpp.
#pragma once

#include <fulgurite/delivery/options.hpp>
#include <fulgurite/diagnostics/left_behind.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/agentops_token.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/local_server.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/exporter/token_expiry.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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
  /// A token that the cloud does not take any more is renewed at most this often.
  std::chrono::milliseconds renewal_interval{60'000};
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
  /// Delivers what is in the spool. True when nothing of this process is left there; without one nothing is held back.
  bool flush(deadline until) noexcept try { return !state_ || state_->flush(until); } catch (...) {
    return false;
  }
  /// The same; what cannot be delivered now stays in the spool for the next process.
  bool shutdown(deadline until) noexcept {
    const bool delivered = flush(until);
    if (state_) state_->close();
    return delivered;
  }
  /// When the oldest batch of the spool is to be tried again.
  deadline idle_at() const noexcept { return state_ ? state_->idle_at() : deadline::max(); }
  void idle() noexcept try {
    if (state_) state_->replay();
  } catch (...) {
    detail::log(log_level::error, "agentops: out of memory; a batch stays in the spool");
    state_->put_off();
  }
  bool keeps_undelivered() const noexcept { return state_ && state_->has_spool(); }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    if (state_) state_->interrupt();
  }
  /// From now on a batch gets one attempt, and an `export_spans` that waits for another stops waiting; from any thread.
  /// A server is still looked for, or started, where there is none or it has gone.
  void hurry() noexcept {
    if (state_) state_->hurry();
  }
  /// In the child of a fork: the server is looked for anew.
  void after_fork() noexcept try {
    if (!state_) return;
    auto fresh = std::make_unique<state>(state_->options, state_.get());
    fresh->shut_down = state_->shut_down.load();
    detail::leave_behind(std::exchange(state_, std::move(fresh)));
  } catch (...) {
    detail::log(log_level::error, "agentops: no memory in the child of a fork");
  }
  /// From any thread, as all below.
  exporter_stats stats() const noexcept { return state_ ? state_->stats() : exporter_stats{}; }
  /// Asks a server that runs; starts none.
  health_report check_health(deadline until) const { return state_ ? state_->check(until) : health_report{}; }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  struct state {
    /// `parent`: in the child of a fork.
    explicit state(agentops_options given, state* parent = nullptr) : options(std::move(given)) {
      if (options.data_directory.empty()) options.data_directory = detail::default_data_directory();
      if (parent)
        spool_ = parent->spool_ ? parent->spool_->for_child() : nullptr;
      else if (!options.delivery.spool.empty() && may_deliver())
        spool_ = std::make_shared<detail::spooled_delivery>(
            options.delivery, options.managed ? detail::spool_destination("agentops-local", options.data_directory)
                                              : detail::spool_destination("agentops", options.exporter_endpoint));
      if (!options.managed && options.api_key.empty())
        detail::log(log_level::error,
                    "agentops: the cloud needs an API key (AGENTOPS_API_KEY); no span will be delivered");
    }

    export_result send(span_batch const& batch) {
      if (shut_down) return export_result::failure;
      interrupted = false;
      const time_point until = std::chrono::steady_clock::now() + options.timeout;
      if (spool_) return send_or_keep(batch, until);
      std::string reason;
      drop_old_token();
      for (int attempt = 0; attempt < max_attempts && !interrupted; ++attempt) {
        if (!channel_ && !connect(until)) break;
        channel_->begin();
        if (interrupted) break;
        if (channel_->send(batch, until) == export_result::success) return link_to(batch), export_result::success;
        reason = channel_->reason();
        if (!lost()) break;
        replace(nullptr);
        detail::log(log_level::info, "agentops: the server is looked for once more: " + reason);
      }
      if (!reason.empty()) say("a batch was not delivered: " + reason);
      return export_result::failure;
    }

    /// The oldest batch of the spool, when it is due; a server that is gone is found, or started, once more.
    void replay() {
      if (shut_down || !spool_) return;
      interrupted = false;
      replay_until(std::chrono::steady_clock::now() + options.timeout);
    }
    bool flush(time_point until) {
      if (shut_down || !spool_) return true;
      interrupted = false;
      const time_point per_request = std::chrono::steady_clock::now() + options.timeout;
      for (int attempt = 1;; ++attempt) {
        if (spool_->idle_at() == time_point::max() || (!channel_ && !connect(std::min(until, per_request))))
          return spool_->counts().waiting == 0;
        channel_->begin();
        if (channel_->flush(until, per_request)) return true;
        if (!lost()) return false;
        replace(nullptr);
        if (attempt == max_attempts || interrupted || std::chrono::steady_clock::now() >= until) return false;
        spool_->answered();  // no pause: the server may only have been restarted
      }
    }
    void close() noexcept {
      shut_down = true;
      if (spool_) spool_->close();
    }
    time_point idle_at() const noexcept { return spool_ && !shut_down ? spool_->idle_at() : time_point::max(); }
    void put_off() noexcept {
      if (spool_) spool_->not_answered();
    }
    bool has_spool() const noexcept { return spool_ != nullptr; }

    void interrupt() noexcept {
      const std::lock_guard lock(mutex_);
      interrupted = true;
      if (asking_) asking_->interrupt();
      if (channel_) channel_->interrupt();
    }

    void hurry() noexcept {
      const std::lock_guard lock(mutex_);
      hurried_ = true;
      if (channel_) channel_->hurry();
    }

    exporter_stats stats() const noexcept {
      const std::lock_guard lock(mutex_);
      exporter_stats sum = before_;
      if (channel_) add(sum, channel_->stats());
      if (offline_) add(sum, offline_->stats());
      if (spool_) detail::add_spool(sum, *spool_);
      return sum;
    }

    health_report check(time_point until) const {
      if (!options.managed) {
        return ask_for_token(until);
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
    static constexpr int max_starts = 3;
    /// With another server, or another token.
    static constexpr int max_attempts = 3;
    static constexpr const char* not_in_production =
        "the local server is not for production: choose a backend with TRACER_TYPE, or AGENTOPS_MANAGED=false with a "
        "key";
    static constexpr const char* not_installed = "the local server's command `fulgurite` is not in PATH";

    static void add(exporter_stats& to, exporter_stats const& more) noexcept {
      to.retried += more.retried;
      to.rejected += more.rejected;
      to.too_large += more.too_large;
    }
    /// Whether there can ever be somebody to send to.
    bool may_deliver() const {
      if (!options.managed) return !options.api_key.empty();
      return options.environment != "production" && !options.data_directory.empty();
    }

    export_result send_or_keep(span_batch const& batch, time_point until) {
      drop_old_token();
      if (!channel_ && (!spool_->is_due() || !connect(until))) {
        if (spool_->is_due()) spool_->not_answered();
        if (!offline_) {
          auto fresh = std::make_unique<detail::otlp_channel>(channel_options(), detail::http_wire_options(), spool_);
          const std::lock_guard lock(mutex_);
          offline_ = std::move(fresh);
        }
        return offline_->keep(batch);
      }
      channel_->begin();
      const export_result result = channel_->send(batch, until);
      if (result == export_result::failure) channel_->say_lost();
      if (!lost()) return result;
      replace(nullptr);
      spool_->answered();  // no pause: the server may only have been restarted
      replay_until(until);
      return result;
    }
    void replay_until(time_point until) {
      if (!channel_ && !connect(until)) return spool_->not_answered();
      channel_->begin();
      channel_->replay(until);
      if (lost()) replace(nullptr);
    }
    /// The server is gone, or the token has run out: it is to be found, or started, once more. The cloud is never gone
    /// for good, and its token stays good meanwhile.
    bool lost() const noexcept {
      using failure = detail::http_answer::failure;
      const failure why = channel_->wire().last_failure();
      return (options.managed && (why == failure::refused || why == failure::disconnected)) ||
             channel_->wire().last_status() == 401 || channel_->wire().last_status() == 403;
    }
    detail::channel_options channel_options() const {
      detail::channel_options to;
      to.gzip = options.gzip;
      to.delivery = options.delivery;
      to.name = "agentops";
      to.caller_says_lost = true;
      return to;
    }

    /// When a token's own time is nearly over (RFC 7519, `exp`); never where it does not say.
    static time_point renewal_time(std::string_view token) {
      constexpr std::int64_t before = 60, longest = 366 * 86'400;
      const std::optional<std::int64_t> end = detail::token_expiry(token);
      if (!end) return time_point::max();
      const std::int64_t left = std::min(*end, std::int64_t{1} << 40) - std::time(nullptr) - before;
      return std::chrono::steady_clock::now() + std::chrono::seconds(std::clamp<std::int64_t>(left, 0, longest));
    }
    /// Lets go of a token that is about to run out, if another may be fetched.
    void drop_old_token() {
      const time_point now = std::chrono::steady_clock::now();
      if (channel_ && !options.managed && now >= renew_at_ && now >= not_before_) replace(nullptr);
    }
    /// Where the newest trace can be looked at.
    void link_to(span_batch const& batch) const {
      if (options.managed) return;
      trace_id last;
      batch.for_each([&](record_view const& record) { last = record.trace_id(); });
      detail::log(log_level::info, "agentops: " + options.app_url + "/sessions?trace_id=" + last.to_hex(),
                  "agentops session link");
    }

    static void say(std::string const& what) { detail::log(log_level::error, "agentops: " + what); }

    void replace(std::unique_ptr<detail::otlp_channel> fresh) {
      const std::lock_guard lock(mutex_);
      if (channel_) add(before_, channel_->stats());
      channel_ = std::move(fresh);
      if (channel_ && hurried_) channel_->hurry();
    }

    /// False, and something said, when there is nobody to send to.
    bool connect(time_point until) {
      const time_point now = std::chrono::steady_clock::now();
      if (now < not_before_) return false;
      not_before_ = now + options.restart_interval;
      if (!options.managed) {
        const std::string problem = open(options.endpoint, options.exporter_endpoint, until);
        // A key that is refused stays refused, and one token a minute is enough.
        if (problem.empty() || refused_) not_before_ = now + options.renewal_interval;
        return problem.empty() || (say(problem), false);
      }
      if (options.environment == "production") return say(not_in_production), false;
      if (options.data_directory.empty()) return say("there is no home directory for the local server's data"), false;
      std::string url, problem;
      for (int attempt = 1;; ++attempt) {
        // One that has just failed is not believed again: the command knows whether it lives.
        std::string found = detail::announced_server(options.data_directory);
        if (found.empty() || found == url || !ask_health(found + "/health", until).reachable) found = start(now, until);
        if (found.empty()) return false;
        url = std::move(found);
        problem = open(url, url + "/v1/traces", until);
        if (problem.empty()) {
          // A server that was there may be lost at once; that must not wait.
          not_before_ = {};
          return true;
        }
        if (attempt == max_attempts || interrupted || std::chrono::steady_clock::now() >= until)
          return say(problem), false;
        detail::log(log_level::info, "agentops: the server is looked for once more: " + problem);
      }
    }

    /// The URL of a server that was started or, by then, found; empty, and something said, when there is none.
    std::string start(time_point now, time_point until) {
      const std::string program = detail::find_command("fulgurite");
      if (program.empty()) {
        if (!std::exchange(said_missing_, true))
          say(std::string(not_installed) + ": spans are not stored; the last trace stays in memory");
        return {};
      }
      if (now >= first_start_ + options.restart_interval) first_start_ = now, starts_ = 0;
      if (++starts_ > max_starts) {
        not_before_ = first_start_ + options.restart_interval;
        return say("the local server dies again and again: it is not started again for a while"), std::string();
      }
      detail::started_server started =
          detail::start_server(program, options.data_directory, options.daemon, until, interrupted);
      if (started.url.empty()) say("the local server did not start: " + started.problem);
      return std::move(started.url);
    }

    /// Fetches a token and makes the channel; says what went wrong.
    std::string open(std::string const& base, std::string const& traces, time_point until) {
      detail::http_endpoint auth;
      detail::http_wire_options to;
      refused_ = false;
      std::string problem = detail::parse_endpoint(base + detail::agentops_token_path, auth);
      if (problem.empty()) problem = detail::parse_endpoint(traces, to.endpoint);
      if (!problem.empty()) return problem;
      const std::string key = options.managed ? "dummy" : options.api_key;
      const std::string body = detail::agentops_token_request(key);
      detail::agentops_token token = detail::read_agentops_token(ask("POST", auth, body, until), auth, key);
      refused_ = token.refused;
      if (!token.problem.empty()) return std::move(token.problem);
      to.headers = {{"Authorization", "Bearer " + token.text}};
      if (!options.managed) {
        to.tls.ca_file = options.ca_file;
        if (problem = detail::parse_proxy(options.exporter_proxy, to.proxy); !problem.empty()) return problem;
        renew_at_ = renewal_time(token.text);
      }
      replace(std::make_unique<detail::otlp_channel>(channel_options(), std::move(to), spool_));
      return {};
    }

    detail::http_answer ask(const char* method, detail::http_endpoint const& to, std::string const& body,
                            time_point until) {
      detail::http_client client = client_of(to);
      {
        const std::lock_guard lock(mutex_);
        asking_ = &client;
      }
      detail::http_answer answer = send_to(client, method, body, until, options.managed);
      const std::lock_guard lock(mutex_);
      asking_ = nullptr;
      return answer;
    }
    detail::http_client client_of(detail::http_endpoint const& to) const {
      detail::http_proxy proxy;
      detail::tls_options tls;
      if (!options.managed) {
        tls.ca_file = options.ca_file;
        detail::parse_proxy(options.proxy, proxy);
      }
      return detail::http_client(to, std::move(tls), std::move(proxy));
    }
    static detail::http_answer send_to(detail::http_client& client, const char* method, std::string const& body,
                                       time_point until, bool as_owner = false) {
      detail::http_headers headers{{"User-Agent", detail::user_agent()}};
      if (as_owner) headers.emplace_back("Fulgurite-Owner", std::to_string(getpid()));
      if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
      const std::string path = client.endpoint().path;
      return client.send({method, path, headers, std::as_bytes(std::span(body))}, until);
    }
    /// The cloud has no other way to be asked: whether it gives a token for the key, which is then not used.
    health_report ask_for_token(time_point until) const {
      health_report report;
      detail::http_endpoint at;
      report.reason = detail::parse_endpoint(options.endpoint + detail::agentops_token_path, at);
      if (report.reason.empty()) report.endpoint = at.to_text();
      if (report.reason.empty() && options.api_key.empty()) report.reason = "there is no API key (AGENTOPS_API_KEY)";
      if (!report.reason.empty()) return report;
      detail::http_client client = client_of(at);
      const time_point start = std::chrono::steady_clock::now();
      const detail::http_answer answer =
          send_to(client, "POST", detail::agentops_token_request(options.api_key), until);
      report.latency = std::chrono::steady_clock::now() - start;
      report.reason = detail::read_agentops_token(answer, at, options.api_key).problem;
      report.reachable = report.reason.empty();
      if (report.reachable) report.reason = "HTTP 200: the key is taken";
      return report;
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

    /// Guards what other threads touch: `channel_` and `offline_` themselves (not what they do), `asking_`, `before_`,
    /// `hurried_`.
    mutable std::mutex mutex_;
    std::unique_ptr<detail::otlp_channel> channel_;
    /// Keeps batches while there is nobody to send to.
    std::unique_ptr<detail::otlp_channel> offline_;
    std::shared_ptr<detail::spooled_delivery> spool_;
    detail::http_client* asking_ = nullptr;
    exporter_stats before_;
    time_point not_before_ = {}, first_start_ = {};
    int starts_ = 0;
    /// When the cloud's token is renewed.
    time_point renew_at_ = time_point::max();
    /// The cloud did not take the key.
    bool refused_ = false;
    bool said_missing_ = false, hurried_ = false;
  };

  std::unique_ptr<state> state_;
};

static_assert(check_exporter<agentops_exporter>());

}  // namespace v1
}  // namespace fulgurite
