// All destinations of a fan-out together: what an exporter must answer, answered for many.
//
// Part of exporter/fan_out.hpp, which says what each call promises. The list of destinations is made once and changes
// only in the child of a fork, so that everything here may be called from any thread.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/exporter.hpp>
#include <fulgurite/exporter/fan_out/batch.hpp>
#include <fulgurite/exporter/fan_out/health.hpp>
#include <fulgurite/exporter/fan_out/lane.hpp>
#include <fulgurite/platform/left_behind.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class fan_out_lanes {
 public:
  explicit fan_out_lanes(fan_out_options options)
      : options_(std::move(options)), account_(std::make_shared<fan_out_account>()) {}
  fan_out_lanes(fan_out_lanes const&) = delete;
  fan_out_lanes& operator=(fan_out_lanes const&) = delete;
  /// Waits for nobody: what was not shut down before is given up.
  ~fan_out_lanes() {
    const deadline now = std::chrono::steady_clock::now();
    for (auto const& lane : lanes_)
      if (lane->is_started()) {
        lane->begin_shutdown(now);
        lane->exporter()->hurry();
        lane->give_up();
      }
  }

  /// Before the first batch.
  void add(std::string name, any_exporter exporter) {
    if (const std::size_t at = lanes_.size(); at < options_.names.size() && !options_.names[at].empty())
      name = options_.names[at];
    const auto known = [this](std::string const& wanted) {
      return std::any_of(lanes_.begin(), lanes_.end(), [&](auto const& lane) { return lane->name() == wanted; });
    };
    std::string unique = name;
    for (int i = 2; known(unique); ++i) unique = name + " " + std::to_string(i);
    lanes_.push_back(std::make_shared<fan_out_lane>(std::move(unique),
                                                    std::make_shared<any_exporter>(std::move(exporter)), options_));
  }
  std::size_t size() const noexcept { return lanes_.size(); }

  batch_outcome export_spans(span_batch const& batch) noexcept try {
    if (batch.empty() && !lanes_.empty()) return {};
    interrupt_overtime();
    const auto copy = std::make_shared<shared_batch>(batch, account_, lanes_.size());
    std::vector<std::optional<fan_out_lane::refusal>> refused(lanes_.size());
    bool taken = false;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      refused[i] = lanes_[i]->offer(copy);
      taken = taken || !refused[i];
    }
    if (!taken) return {.failed = batch.size()};
    for (std::size_t i = 0; i < lanes_.size(); ++i)
      if (refused[i]) lanes_[i]->count_refused(*refused[i], *copy);
    return {.waiting = batch.size()};
  } catch (...) {
    log(log_level::error, "fan_out: out of memory; a batch was not delivered");
    return {.failed = batch.size()};
  }

  bool flush(deadline until) noexcept try {
    std::vector<fan_out_lane::flush_ticket> tickets;
    tickets.reserve(lanes_.size());
    for (auto const& lane : lanes_) tickets.push_back(lane->ask_flush(until));
    bool delivered = true;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      // Meanwhile any of them may hang, also one that this has waited for already.
      while (!lanes_[i]->wait_flushed(tickets[i], std::min(until, overtime_at())) &&
             std::chrono::steady_clock::now() < until)
        interrupt_overtime();
      delivered = lanes_[i]->has_delivered(tickets[i]) && delivered;
    }
    return delivered;
  } catch (...) {
    return false;
  }

  bool shutdown(deadline until) noexcept {
    using namespace std::chrono_literals;
    const auto now = [] { return std::chrono::steady_clock::now(); };
    const auto left = std::max<deadline::duration>(until - now(), 0s);
    for (auto const& lane : lanes_) lane->begin_shutdown(until);
    hurry();
    // First those that need time to put away what they cannot deliver, then the others, who need only to return.
    const auto give_up_at = [&](deadline when, bool keeps) {
      for (auto const& lane : lanes_)
        if (lane->exporter()->keeps_undelivered() == keeps && !lane->wait_finished(when)) lane->give_up();
    };
    give_up_at(until - std::min<deadline::duration>(left / 4, 2s), true);
    give_up_at(until - std::min<deadline::duration>(left / 4, 250ms), false);
    // A little before the end, so that whoever waits until then gets the answer and not a timeout.
    const deadline last = std::max(until - std::min<deadline::duration>(left / 8, 50ms), now() + 20ms);
    for (auto const& lane : lanes_)
      // Again and again: an export may have begun just after it was interrupted.
      while (!lane->wait_finished(std::min(last, now() + 10ms)) && now() < last) lane->give_up();
    bool all = true;
    for (auto const& lane : lanes_) {
      lane->leave_behind();
      all = lane->has_shut_down() && all;
    }
    return all;
  }

  /// When all are.
  bool is_exit_safe() const noexcept {
    return std::all_of(lanes_.begin(), lanes_.end(), [](auto const& lane) { return lane->exporter()->is_exit_safe(); });
  }

  void interrupt() noexcept {
    for (auto const& lane : lanes_) lane->exporter()->interrupt();
  }
  void hurry() noexcept {
    for (auto const& lane : lanes_) lane->exporter()->hurry();
  }

  /// When an export will have taken too long, or a thread is wanted before the first batch.
  deadline idle_at() noexcept {
    deadline first = overtime_at();
    for (auto const& lane : lanes_)
      if (!lane->is_started()) first = std::min(first, lane->exporter()->idle_at());
    return first;
  }
  void idle() noexcept {
    interrupt_overtime();
    for (auto const& lane : lanes_)
      if (!lane->is_started()) lane->start_idling();
  }

  /// The accounts of all together, for `tracer_stats`. What exporters settle later, out of a spool say, is not told by
  /// the span: of what they still keep the most counts, which is exact while they lack the same ones; of what they lost
  /// the sum, at the most all.
  exporter_stats stats() const {
    exporter_stats sum;
    std::uint64_t kept = 0;
    settled_spans late;
    for (auto const& lane : lanes_) {
      const exporter_stats own = lane->exporter()->stats();
      sum.retried += own.retried;
      sum.replayed += own.replayed;
      sum.set_aside += own.set_aside;
      sum.spooled = std::max(sum.spooled, own.spooled);
      kept = std::max(kept, lane->kept(own));
      late += own.settled;
    }
    sum.settled = account_->settled();
    std::uint64_t left = sum.settled.exported;
    sum.spooled = std::min(sum.spooled, take_part(left, kept));
    for (std::uint64_t* part : {&late.rejected, &late.too_large, &late.failed, &late.queue_full, &late.shutdown})
      *part = take_part(left, *part);
    sum.settled.exported = 0;
    late.exported = left;
    sum.settled += late;
    return sum;
  }
  std::vector<destination_stats> destinations() const {
    std::vector<destination_stats> all;
    for (auto const& lane : lanes_) all.push_back(lane->stats());
    return all;
  }

  health_report check_health(deadline until) const {
    std::vector<health_question> questions;
    for (auto const& lane : lanes_) questions.push_back({lane->name(), lane->exporter(), lane->questions()});
    return ask_health(std::move(questions), until);
  }

  /// In the child of a fork, which has one thread: new lanes around the old exporters.
  void after_fork() noexcept try {
    std::vector<std::shared_ptr<fan_out_lane>> fresh;
    for (auto const& lane : lanes_) {
      lane->exporter()->after_fork();
      fresh.push_back(lane->for_child(options_));
    }
    auto account = std::make_shared<fan_out_account>();
    for (auto const& lane : lanes_) leave_behind(lane);
    lanes_.swap(fresh);
    account_.swap(account);
  } catch (...) {
    log(log_level::error, "fan_out: no memory in the child of a fork");
  }

 private:
  deadline overtime_at() noexcept {
    deadline first = deadline::max();
    for (auto const& lane : lanes_) first = std::min(first, lane->overtime_at());
    return first;
  }
  void interrupt_overtime() noexcept {
    for (auto const& lane : lanes_) lane->interrupt_overtime();
  }

  const fan_out_options options_;
  std::vector<std::shared_ptr<fan_out_lane>> lanes_;
  std::shared_ptr<fan_out_account> account_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
