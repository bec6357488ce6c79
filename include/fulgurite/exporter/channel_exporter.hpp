// What an exporter that sends over a network is, whatever its protocol: a channel (exporter/batch_channel.hpp), a time
// limit for each batch, and the members that a processor calls.
//
// `otlp_http_exporter`, `otlp_grpc_exporter`, `zipkin_exporter` and `jaeger_http_exporter` derive from it and add their
// options. With several requests at a time a batch is split among as many channels, each with a connection of its own.
#pragma once

#include <fulgurite/context/quiet_thread.hpp>
#include <fulgurite/delivery/options.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/batch_channel.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/http_options.hpp>
#include <fulgurite/platform/left_behind.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Parts of a batch, about equal in bytes.
inline std::vector<span_batch> split_batch(span_batch const& batch, std::size_t parts) {
  std::vector<span_batch> made;
  const std::byte *first = nullptr, *last = nullptr;
  std::size_t spans = 0;
  const auto end_part = [&] {
    if (spans > 0)
      made.emplace_back(std::span(first, last), std::exchange(spans, 0), batch.shared_resource(), batch.shared_scope());
    first = nullptr;
  };
  const std::size_t share = batch.bytes() / parts;
  batch.for_each([&](record_view const& record) {
    if (!first) first = record.begin();
    last = record.end();
    ++spans;
    if (made.size() + 1 < parts && static_cast<std::size_t>(last - first) >= share) end_part();
  });
  end_part();
  return made;
}

/// Sends each batch and waits for the answer; `export_spans` therefore belongs on a worker's thread. Construction never
/// throws: what is wrong with the options is logged, and every batch then fails.
template <class Channel>
class channel_exporter {
 public:
  /// Blocks until the batch is delivered, refused or out of time.
  batch_outcome export_spans(span_batch const& batch) noexcept try {
    if (!channel_) return all_failed(batch.size(), failure_kind::other, problem_);
    if (shut_down_) return failed_after_shutdown(batch.size());
    if (batch.empty()) return {};
    if (!more_.empty()) return send_in_parts(batch);
    channel_->begin();
    return channel_->say_failed(channel_->send(batch, until()));
  } catch (...) {
    log(log_level::error, name_ + std::string(": out of memory; a batch was not delivered"));
    return {.failed = batch.size()};
  }
  /// Delivers what is in the spool. True when nothing of this process is left there; without one nothing is held back.
  bool flush(deadline until) noexcept try {
    if (!channel_ || shut_down_) return channel_ != nullptr;
    if (!channel_->spool()) return true;
    channel_->begin();
    return channel_->flush(until, this->until());
  } catch (...) {
    return false;
  }
  /// The same; what the backend does not take now stays in the spool for the next process.
  bool shutdown(deadline until) noexcept {
    const bool delivered = flush(until);
    shut_down_ = true;
    if (channel_ && channel_->spool()) channel_->spool()->close();
    for_each_channel([](Channel& each) { each.close(); });
    return delivered;
  }
  /// When the oldest batch of the spool is to be tried again.
  deadline idle_at() const noexcept {
    return channel_ && channel_->spool() && !shut_down_ ? channel_->spool()->idle_at() : deadline::max();
  }
  void idle() noexcept try {
    if (!channel_ || !channel_->spool() || shut_down_) return;
    channel_->begin();
    channel_->replay(until());
  } catch (...) {
    log(log_level::error, name_ + std::string(": out of memory; a batch stays in the spool"));
    if (channel_) channel_->spool()->not_answered(failure_kind::other);
  }
  bool keeps_undelivered() const noexcept { return channel_ && channel_->spool(); }
  bool is_exit_safe() const noexcept { return !channel_ || channel_->wire().is_exit_safe(); }
  /// Makes the `export_spans` that is under way give up; from any thread.
  void interrupt() noexcept {
    for_each_channel([](Channel& each) { each.interrupt(); });
  }
  /// From now on a batch gets one attempt, and an `export_spans` that waits for another stops waiting; from any thread.
  void hurry() noexcept {
    for_each_channel([](Channel& each) { each.hurry(); });
  }

  /// In the child of a fork: connections of its own.
  void after_fork() noexcept try {
    for_each_pointer([](std::unique_ptr<Channel>& each) {
      auto fresh = each->for_child();
      leave_behind(std::exchange(each, std::move(fresh)));
    });
  } catch (...) {
    log(log_level::error, name_ + std::string(": no memory in the child of a fork"));
  }

  exporter_stats stats() const noexcept {
    exporter_stats sum;
    if (!channel_) return sum;
    sum.retried = channel_->retried();
    for (auto const& each : more_) sum.retried += each->retried();
    if (channel_->spool()) add_spool(sum, *channel_->spool());
    return sum;
  }
  /// Asks the backend for nothing, over a connection of its own; from any thread.
  health_report check_health(deadline until) const {
    if (channel_) return channel_->check(until);
    return {.reachable = false, .endpoint = {}, .reason = problem_, .latency = {}};
  }

 protected:
  using wire_options = typename Channel::wire_options;

  channel_exporter(const char* name, std::chrono::milliseconds timeout) noexcept : name_(name), timeout_(timeout) {}
  channel_exporter(channel_exporter&& other) noexcept
      : name_(other.name_),
        timeout_(other.timeout_),
        problem_(std::move(other.problem_)),
        channel_(std::move(other.channel_)),
        more_(std::move(other.more_)),
        shut_down_(other.shut_down_) {}
  channel_exporter& operator=(channel_exporter&& other) noexcept {
    name_ = other.name_;
    timeout_ = other.timeout_;
    problem_ = std::move(other.problem_);
    channel_ = std::move(other.channel_);
    more_ = std::move(other.more_);
    shut_down_ = other.shut_down_;
    return *this;
  }
  ~channel_exporter() = default;

  /// Calls `make() -> problem`, which calls `open` when the options are good.
  template <class F>
  void construct(F&& make) noexcept try {
    problem_ = make();
    if (!problem_.empty()) log(log_level::error, name_ + (": " + problem_) + "; no span will be delivered");
  } catch (...) {
    log(log_level::error, name_ + std::string(": out of memory; no span will be delivered"));
  }

  /// `at_once`: how many requests may be under way at a time; with a spool it is one, for that keeps them in order.
  void open(channel_options options, wire_options to, std::size_t at_once = 1) {
    options.name = name_;
    std::shared_ptr<spooled_delivery> spool;
    if (!options.delivery.spool.empty()) {
      spool = std::make_shared<spooled_delivery>(options.delivery, spool_destination(name_, to.endpoint.to_text()));
      at_once = 1;
    }
    for (std::size_t i = 1; i < std::min<std::size_t>(at_once, most_at_once); ++i)
      more_.push_back(std::make_unique<Channel>(options, to));
    channel_ = std::make_unique<Channel>(std::move(options), std::move(to), std::move(spool));
  }

  /// The construction of an exporter over HTTP/1.1: its options are those of otlp_http_options.
  template <class Options>
  void construct_over_http(Options& options) noexcept {
    construct([&] {
      wire_options to;
      std::string problem = read_http_options(options, to);
      if (problem.empty())
        open({.gzip = options.gzip, .delivery = options.delivery}, std::move(to), options.concurrent_requests);
      return problem;
    });
  }

 private:
  static constexpr std::size_t most_at_once = 64;
  /// Of a batch: below it a request of its own is not worth a thread.
  static constexpr std::size_t least_spans_in_part = 32;

  template <class F>
  void for_each_pointer(F&& f) {
    if (channel_) f(channel_);
    for (auto& each : more_) f(each);
  }
  template <class F>
  void for_each_channel(F&& f) noexcept {
    for_each_pointer([&](std::unique_ptr<Channel>& each) { f(*each); });
  }

  batch_outcome send_in_parts(span_batch const& batch) {
    const std::size_t most = std::max<std::size_t>(batch.size() / least_spans_in_part, 1);
    const std::vector<span_batch> parts = split_batch(batch, std::min(most, more_.size() + 1));
    std::vector<batch_outcome> outcomes(parts.size());
    const deadline until = this->until();
    for_each_channel([](Channel& each) { each.begin(); });
    const auto send = [&](std::size_t i) noexcept {
      Channel& channel = i == 0 ? *channel_ : *more_[i - 1];
      try {
        outcomes[i] = channel.say_failed(channel.send(parts[i], until));
      } catch (...) {
        outcomes[i] = {.failed = parts[i].size()};
        log(log_level::error, name_ + std::string(": out of memory; a part of a batch was not delivered"));
      }
    };
    std::vector<std::thread> threads;
    threads.reserve(parts.size());
    std::size_t here = parts.size();  // the first that found no thread of its own
    for (std::size_t i = 1; i < parts.size(); ++i) try {
        threads.push_back(quiet_thread([&send, i] { send(i); }));
      } catch (std::system_error const&) {
        here = i;
        break;
      }
    send(0);
    for (; here < parts.size(); ++here) send(here);
    for (std::thread& each : threads) each.join();
    batch_outcome sum;
    for (batch_outcome& each : outcomes) sum += std::move(each);
    sum.said = true;
    return sum;
  }

  deadline until() const noexcept {
    // Far enough to be none, near enough that nothing overflows.
    constexpr std::chrono::milliseconds none = std::chrono::hours(24 * 365);
    return std::chrono::steady_clock::now() + (timeout_.count() <= 0 ? none : std::min(timeout_, none));
  }

  const char* name_;
  std::chrono::milliseconds timeout_;
  std::string problem_ = "out of memory";
  std::unique_ptr<Channel> channel_;
  /// For the other requests of a batch.
  std::vector<std::unique_ptr<Channel>> more_;
  bool shut_down_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
