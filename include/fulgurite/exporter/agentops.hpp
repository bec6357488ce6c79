// AgentOps: the local server that this library brings (`fulgurite serve`), or AgentOps' own service.
//
// Who that is, and the token for it, is found with the first batch (exporter/agentops/connector.hpp); spans follow as
// OTLP with that token (exporter/batch_channel.hpp). A server that was just ending, or was killed, is looked for or
// started afresh. What the environment variables AGENTOPS_... mean is told in config/descriptors.hpp.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/agentops/connector.hpp>
#include <fulgurite/exporter/agentops/options.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/platform/left_behind.hpp>
#include <fulgurite/transport/httplib.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace fulgurite {
inline namespace v1 {

/// Blocks in `export_spans` until a batch is delivered or not; starting the server takes some ten milliseconds more.
class agentops_exporter {
 public:
  explicit agentops_exporter(agentops_options options = {}) : state_(std::make_unique<state>(std::move(options))) {
    // The connection comes with the first batch, which may come with exit().
    is_exit_safe_ = detail::prepare_httplib();
  }

  batch_outcome export_spans(span_batch const& batch) noexcept try {
    if (!state_) return {.failed = batch.size()};
    return batch.empty() ? batch_outcome{} : state_->send(batch);
  } catch (...) {
    detail::log(log_level::error, "agentops: out of memory; a batch was not delivered");
    return {.failed = batch.size()};
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
  bool is_exit_safe() const noexcept { return is_exit_safe_; }
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
  health_report check_health(deadline until) const { return state_ ? state_->connector.check(until) : health_report{}; }

 private:
  using time_point = std::chrono::steady_clock::time_point;

  struct state {
    /// `parent`: in the child of a fork.
    explicit state(agentops_options given, state* parent = nullptr) : options(std::move(given)) {
      if (options.data_directory.empty()) options.data_directory = detail::default_data_directory();
      if (parent)
        spool_ = parent->spool_ ? parent->spool_->for_child() : nullptr;
      else if (!options.delivery.spool.empty() && connector.may_connect())
        spool_ = std::make_shared<detail::spooled_delivery>(
            options.delivery, options.managed ? detail::spool_destination("agentops-local", options.data_directory)
                                              : detail::spool_destination("agentops", options.exporter_endpoint));
      if (!options.managed && options.api_key.empty())
        detail::log(log_level::error,
                    "agentops: the cloud needs an API key (AGENTOPS_API_KEY); no span will be delivered");
    }

    batch_outcome send(span_batch const& batch) {
      if (shut_down) return detail::failed_after_shutdown(batch.size());
      connector.begin();
      const time_point until = std::chrono::steady_clock::now() + options.timeout;
      if (spool_) return send_or_keep(batch, until);
      batch_outcome outcome{.failed = batch.size(), .kind = failure_kind::unreachable};
      drop_old_token();
      for (int attempt = 0; attempt < max_attempts && !connector.is_interrupted(); ++attempt) {
        if (!channel_ && !connect(until)) break;
        channel_->begin();
        if (connector.is_interrupted()) break;
        if (attempt > 0) count_retry();
        outcome = channel_->send(batch, until);
        const bool part_went_through = outcome.exported + outcome.rejected > 0;  // and is not sent again
        if (part_went_through || !has_lost(outcome.kind)) break;
        replace(nullptr);
        detail::log(log_level::info, "agentops: the server is looked for once more: " + outcome.reason);
      }
      if (outcome.exported > 0) link_to(batch);
      if (outcome.failed > 0 && !outcome.reason.empty())
        detail::agentops_connector::say("a batch was not delivered: " + outcome.reason);
      outcome.said = true;  // also by the connector
      return outcome;
    }

    /// The oldest batch of the spool, when it is due; a server that is gone is found, or started, once more.
    void replay() {
      if (shut_down || !spool_) return;
      connector.begin();
      replay_until(std::chrono::steady_clock::now() + options.timeout);
    }
    bool flush(time_point until) {
      if (shut_down || !spool_) return true;
      connector.begin();
      const time_point per_request = std::chrono::steady_clock::now() + options.timeout;
      for (int attempt = 1;; ++attempt) {
        if (spool_->idle_at() == time_point::max() || (!channel_ && !connect(std::min(until, per_request))))
          return spool_->counts().waiting == 0;
        channel_->begin();
        if (channel_->flush(until, per_request)) return true;
        if (!has_lost(spool_->why())) return false;
        replace(nullptr);
        if (attempt == max_attempts || connector.is_interrupted() || std::chrono::steady_clock::now() >= until)
          return false;
        spool_->answered();  // no pause: the server may only have been restarted
      }
    }
    void close() noexcept {
      shut_down = true;
      if (spool_) spool_->close();
      if (channel_) channel_->close();
    }
    time_point idle_at() const noexcept { return spool_ && !shut_down ? spool_->idle_at() : time_point::max(); }
    void put_off() noexcept {
      if (spool_) spool_->not_answered(failure_kind::other);
    }
    bool has_spool() const noexcept { return spool_ != nullptr; }

    void interrupt() noexcept {
      connector.interrupt();
      const std::lock_guard lock(mutex_);
      if (channel_) channel_->interrupt();
    }

    void hurry() noexcept {
      connector.hurry();
      const std::lock_guard lock(mutex_);
      hurried_ = true;
      if (channel_) channel_->hurry();
    }

    exporter_stats stats() const noexcept {
      const std::lock_guard lock(mutex_);
      exporter_stats sum{.retried = retried_before_ + connector.retried()};
      if (channel_) sum.retried += channel_->retried();
      if (offline_) sum.retried += offline_->retried();
      if (spool_) detail::add_spool(sum, *spool_);
      return sum;
    }

    agentops_options options;
    detail::agentops_connector connector{options};
    std::atomic<bool> shut_down{false};

   private:
    /// With another server, or another token.
    static constexpr int max_attempts = 3;

    /// False, and something said, when there is nobody to send to.
    bool connect(time_point until) {
      std::optional<detail::http_wire_options> to = connector.connect(until);
      if (to) replace(std::make_unique<detail::otlp_channel>(channel_options(), std::move(*to), spool_));
      return channel_ != nullptr;
    }

    batch_outcome send_or_keep(span_batch const& batch, time_point until) {
      drop_old_token();
      if (!channel_ && (!spool_->is_due() || !connect(until))) {
        if (spool_->is_due()) spool_->not_answered(failure_kind::unreachable);
        if (!offline_) {
          auto fresh = std::make_unique<detail::otlp_channel>(channel_options(), detail::http_wire_options(), spool_);
          const std::lock_guard lock(mutex_);
          offline_ = std::move(fresh);
        }
        return offline_->say_failed(offline_->keep(batch));
      }
      channel_->begin();
      batch_outcome outcome = channel_->say_failed(channel_->send(batch, until));
      if (!has_lost(outcome.kind) && !has_lost(spool_->why())) return outcome;
      replace(nullptr);
      spool_->answered();  // no pause: the server may only have been restarted
      replay_until(until);
      return outcome;
    }
    void replay_until(time_point until) {
      if (!channel_ && !connect(until)) return spool_->not_answered(failure_kind::unreachable);
      channel_->begin();
      channel_->replay(until);
      if (has_lost(spool_->why())) replace(nullptr);
    }
    /// The server is gone, or the token has run out: it is to be found, or started, once more. The cloud is never gone
    /// for good, and its token stays good meanwhile.
    bool has_lost(failure_kind why) const noexcept {
      return why == failure_kind::access ||
             (options.managed && (why == failure_kind::unreachable || why == failure_kind::disconnected));
    }
    detail::channel_options channel_options() const {
      detail::channel_options to;
      to.gzip = options.gzip;
      to.delivery = options.delivery;
      to.name = "agentops";
      return to;
    }

    /// Lets go of a token that is about to run out, if another may be fetched.
    void drop_old_token() {
      if (channel_ && connector.is_renewal_due()) replace(nullptr);
    }
    /// Where the newest trace can be looked at.
    void link_to(span_batch const& batch) const {
      if (options.managed) return;
      trace_id last;
      batch.for_each([&](record_view const& record) { last = record.trace_id(); });
      detail::log(log_level::info, "agentops: " + options.app_url + "/sessions?trace_id=" + last.to_hex(),
                  "agentops session link");
    }

    /// A batch goes out once more, to another server or with another token.
    void count_retry() {
      const std::lock_guard lock(mutex_);
      ++retried_before_;
    }
    void replace(std::unique_ptr<detail::otlp_channel> fresh) {
      const std::lock_guard lock(mutex_);
      if (channel_) retried_before_ += channel_->retried();
      channel_ = std::move(fresh);
      if (channel_ && hurried_) channel_->hurry();
    }

    /// Guards what other threads touch: `channel_` and `offline_` themselves (not what they do), `retried_before_`,
    /// `hurried_`.
    mutable std::mutex mutex_;
    std::unique_ptr<detail::otlp_channel> channel_;
    /// Keeps batches while there is nobody to send to.
    std::unique_ptr<detail::otlp_channel> offline_;
    std::shared_ptr<detail::spooled_delivery> spool_;
    std::uint64_t retried_before_ = 0;
    bool hurried_ = false;
  };

  std::unique_ptr<state> state_;
  bool is_exit_safe_ = false;
};

static_assert(check_exporter<agentops_exporter>());

}  // namespace v1
}  // namespace fulgurite
