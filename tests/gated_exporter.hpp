// A backend that a test opens and closes.
#pragma once

#include <fulgurite/exporter/exporter.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace fulgurite_test {

/// What it remembers: the batches' sizes, and who asked it for what.
struct gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true, interrupted = false, heeds_interrupt = true, hurried = false, heeds_hurry = false;
  int waiting = 0;
  fulgurite::export_result result = fulgurite::export_result::success;
  std::vector<std::size_t> batches;

  void set_open(bool to) {
    const std::lock_guard lock(mutex);
    open = to;
    changed.notify_all();
  }
  void wait_for_export() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return waiting > 0; });
  }
  /// Until so many spans have come through; false after a minute.
  bool wait_for_spans(std::size_t wanted) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(60), [&] {
      std::size_t sum = 0;
      for (const std::size_t size : batches) sum += size;
      return sum >= wanted;
    });
  }
};

struct gated_exporter {
  std::shared_ptr<gate> at = std::make_shared<gate>();

  fulgurite::export_result export_spans(fulgurite::span_batch const& batch) {
    std::unique_lock lock(at->mutex);
    ++at->waiting;
    at->changed.notify_all();
    at->changed.wait(lock, [this] {
      return at->open || (at->interrupted && at->heeds_interrupt) || (at->hurried && at->heeds_hurry);
    });
    --at->waiting;
    if (!at->open) return fulgurite::export_result::failure;
    at->batches.push_back(batch.size());
    at->changed.notify_all();
    return at->result;
  }
  bool flush(fulgurite::deadline) { return true; }
  bool shutdown(fulgurite::deadline) { return true; }
  void interrupt() noexcept {
    const std::lock_guard lock(at->mutex);
    at->interrupted = true;
    at->changed.notify_all();
  }
  void hurry() noexcept {
    const std::lock_guard lock(at->mutex);
    at->hurried = true;
    at->changed.notify_all();
  }
};

}  // namespace fulgurite_test
