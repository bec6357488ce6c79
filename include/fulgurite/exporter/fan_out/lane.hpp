// One destination of a fan-out: its queue, its thread (delivery/lane.hpp), its account.
//
// Nothing here waits for another destination. An exporter that blocks for ever holds its thread and nothing else; the
// lane lives on with that thread. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/delivery/lane.hpp>
#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/fan_out/batch.hpp>
#include <fulgurite/exporter/fan_out/destination_stats.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// How much may wait for each of several exporters.
struct fan_out_options {
  /// Bytes of packed records that may wait for one destination, the batch that it is exporting included. One batch is
  /// always taken when nothing waits.
  std::size_t max_queue_bytes = std::size_t{32} << 20;
  /// Batches that may wait for one destination.
  std::size_t max_queue_batches = 1'024;
  /// How long one export may take before it is told to give up; 0 is no limit.
  std::chrono::milliseconds export_timeout{30'000};
  /// What logs and statistics call the destinations, in their order; one without is called by its type.
  std::vector<std::string> names = {};
};

namespace detail {

class fan_out_lane final : public lane<fan_out_lane, std::shared_ptr<shared_batch>> {
 public:
  /// Why a batch is not taken into the queue.
  enum class refusal { queue_full, shutdown };

  fan_out_lane(std::string name, std::shared_ptr<any_exporter> exporter, fan_out_options const& options)
      : lane({"fulgurite-fan", std::chrono::milliseconds(0), options.export_timeout}),
        name_(std::move(name)),
        exporter_(std::move(exporter)),
        max_bytes_(options.max_queue_bytes),
        max_batches_(std::max<std::size_t>(options.max_queue_batches, 1)) {}

  std::string const& name() const noexcept { return name_; }
  std::shared_ptr<any_exporter> const& exporter() const noexcept { return exporter_; }
  /// How often the exporter is being asked for its health just now.
  std::shared_ptr<std::atomic<int>> const& questions() const noexcept { return questions_; }

  /// Takes a batch into the queue; nothing is answered then. Else why not, and the batch is not settled here.
  std::optional<refusal> offer(std::shared_ptr<shared_batch> const& batch) noexcept try {
    const delayed_log later;
    const std::lock_guard lock(mutex_);
    if (is_stopping()) return refusal::shutdown;
    if (items() >= max_batches_ || (queued() > 0 && queued_bytes() + batch->bytes() > max_bytes_)) {
      log(log_level::warn, "fan_out: " + name_ + ": spans are dropped: its queue is full", "fan_out full " + name_);
      return refusal::queue_full;
    }
    append() = batch;
    add(batch->spans(), batch->bytes());
    start_thread();
    notify_work();
    return std::nullopt;
  } catch (...) {
    return refusal::queue_full;
  }
  /// A batch that was not taken counts here when another destination has taken it.
  void count_refused(refusal why, shared_batch& batch) noexcept {
    const std::lock_guard lock(mutex_);
    const std::uint64_t spans = batch.spans();
    settle(batch, why == refusal::shutdown ? settled_spans{.shutdown = spans} : settled_spans{.queue_full = spans});
  }

  void hurry() noexcept { exporter_->hurry(); }
  void interrupt() noexcept { exporter_->interrupt(); }
  bool keeps_undelivered() const noexcept { return exporter_->keeps_undelivered(); }

  /// Spans of batches that were dealt with and still wait in the exporter, whose own account this is.
  std::uint64_t kept(exporter_stats const& own) const {
    const std::lock_guard lock(mutex_);
    return kept_ - std::min(kept_, own.settled.spans());
  }
  destination_stats stats() const {
    const exporter_stats own = exporter_->stats();
    const std::lock_guard lock(mutex_);
    return account_of(name_, batches_, kept_, queued(), own);
  }

  /// A lane for the child of a fork: with the same exporter, without the batches, the thread and the account. Reads
  /// nothing that another thread may have been changing.
  std::shared_ptr<fan_out_lane> for_child(fan_out_options const& options) const {
    auto fresh = std::make_shared<fan_out_lane>(name_, exporter_, options);
    if (is_stopping()) fresh->stay_stopped();
    return fresh;
  }

 private:
  friend lane;
  using item = std::shared_ptr<shared_batch>;

  batch_outcome deliver(item& batch) noexcept {
    batch_outcome outcome;
    guarded("export_spans", [&] { return outcome = exporter_->export_spans(batch->view()), true; });
    if (!normalise(outcome, batch->spans()))
      log(log_level::error, "fan_out: " + name_ + " speaks of more spans than its batch has; the excess is not counted",
          "fan_out excess " + name_);
    if (outcome.failed > 0) say_failed(outcome.reason);
    return outcome;
  }
  bool flush_destination(deadline until) noexcept {
    return guarded("flush", [&] { return exporter_->flush(until); });
  }
  bool shut_down_destination(deadline until) noexcept {
    return guarded("shutdown", [&] { return exporter_->shutdown(until); });
  }
  deadline idle_at() const noexcept { return exporter_->idle_at(); }
  void idle() noexcept {
    const exporter_call call;
    exporter_->idle();
  }
  std::string in_log() const { return "fan_out: " + name_ + ": "; }

  static std::size_t spans_of(item const& batch) noexcept { return batch->spans(); }
  static std::size_t bytes_of(item const& batch) noexcept { return batch->bytes(); }
  static constexpr bool is_full(item const&) noexcept { return true; }
  static constexpr void taken(item const&) noexcept {}
  void settled(item& batch, batch_outcome const& outcome) noexcept {
    kept_ += outcome.spooled + outcome.waiting;
    settle(*batch, {.exported = outcome.exported,
                    .rejected = outcome.rejected,
                    .too_large = outcome.too_large,
                    .failed = outcome.failed});
  }
  void lost(item& batch) noexcept {
    settle(*batch, {.shutdown = batch->spans()});
    try {
      log(log_level::warn, "fan_out: " + name_ + ": spans are dropped: it was shut down before they were exported",
          "fan_out shutdown " + name_);
    } catch (...) {
      log(log_level::warn, "fan_out: spans are dropped: it was shut down before they were exported");
    }
  }
  bool abandon(item& batch) noexcept {
    settle(*batch, {.shutdown = batch->spans()});
    return true;
  }
  static void recycle(item& batch) noexcept { batch.reset(); }
  static constexpr int finished() noexcept { return 0; }

  /// Called under the lock.
  void settle(shared_batch& batch, settled_spans const& of) noexcept {
    batches_ += of;
    batch.settle(of);
  }
  void say_failed(std::string const& reason) const noexcept try {
    const std::string text = "fan_out: " + name_ + ": spans could not be exported";
    log(log_level::warn, reason.empty() ? text : text + ": " + reason, "fan_out failed " + name_);
  } catch (...) {
    log(log_level::warn, "fan_out: spans could not be exported");
  }
  template <class F>
  bool guarded(const char* what, F&& call) noexcept {
    const exporter_call inside;
    try {
      return call();
    } catch (...) {
      log(log_level::error, "fan_out: " + name_ + " threw in " + what, "fan_out threw " + name_);
      return false;
    }
  }

  const std::string name_;
  const std::shared_ptr<any_exporter> exporter_;
  const std::shared_ptr<std::atomic<int>> questions_ = std::make_shared<std::atomic<int>>(0);
  const std::size_t max_bytes_, max_batches_;
  settled_spans batches_;  // what became of those that were dealt with, but for what the exporter keeps
  std::uint64_t kept_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
