// The spans of a tracer's last trace, kept for get_last_trace().
//
// The collector adds every sampled record. The spans of a trace gather until its local root has ended; then they are
// the last trace, in the order they ended. A trace keeps at most `limit` bytes; what comes on top is left out and said.
// Traces whose root never ends are given up, the oldest first, when there are many.
#pragma once

#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/record/record_chunk.hpp>
#include <fulgurite/record/span_batch.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

class last_trace {
 public:
  static constexpr std::size_t max_open = 64;

  explicit last_trace(std::size_t limit) noexcept : limit_(limit) {}

  void add(record_view const& record) {
    if (limit_ == 0 || !record.sampled()) return;
    // A span that ended before its root, on a thread that is collected after the root's, comes late.
    if (record.trace_id() == last_.id && record.end_time() <= last_end_) {
      last_.add(record, limit_);
      if (last_.truncated) say_truncated();
      return;
    }
    gathering& trace = find(record.trace_id());
    trace.add(record, limit_);
    if (!record.is_local_root()) return;
    if (trace.truncated) say_truncated();
    std::swap(last_, trace);
    last_end_ = record.end_time();
    trace.clear();
  }

  void clear() noexcept {
    open_.reset();
    opened_ = 0;
    last_.clear();
  }

  /// The spans, in the order they ended. Not while the collector adds. A template: most files never call it.
  template <class = void>
  std::vector<span_data> spans(std::shared_ptr<const resource> const& of,
                               std::shared_ptr<const instrumentation_scope> const& scope) const {
    // Each thread's spans have come in order, so hardly anything moves.
    std::vector<record_view> in_order;
    in_order.reserve(last_.records.spans());
    span_batch(last_.records.records(), last_.records.spans(), of, scope).for_each([&](record_view const& record) {
      auto at = in_order.end();
      while (at != in_order.begin() && at[-1].end_time() > record.end_time()) --at;
      in_order.insert(at, record);
    });
    std::vector<span_data> all;
    all.reserve(in_order.size());
    for (record_view const& record : in_order) all.push_back(to_span_data(record, of, scope));
    return all;
  }

 private:
  struct gathering {
    trace_id id;
    record_chunk records;
    bool truncated = false;
    std::size_t used = 0;  // when it was last added to

    void add(record_view const& record, std::size_t limit) {
      const auto size = static_cast<std::size_t>(record.end() - record.begin());
      if (records.records().size() + size > limit)
        truncated = true;
      else
        records.append(record);
    }
    void clear() noexcept {
      id = {};
      records.clear();
      truncated = false;
    }
  };

  static void say_truncated() {
    log(log_level::warn, "the last trace is larger than last_trace_limit; get_last_trace() holds a part of it",
        "last trace");
  }

  /// The trace's place: its own, a free one, a new one, or that of the trace which got no span for the longest time.
  gathering& find(trace_id const& id) {
    ++now_;
    if (!open_) open_ = std::make_unique<gathering[]>(max_open);
    gathering* place = recent_ < opened_ && open_[recent_].id == id ? &open_[recent_] : nullptr;
    gathering* free = nullptr;
    gathering* oldest = nullptr;
    for (std::size_t i = 0; !place && i < opened_; ++i) {
      gathering& trace = open_[i];
      if (trace.id == id) place = &trace;
      if (!trace.id.is_valid()) free = &trace;
      if (!oldest || trace.used < oldest->used) oldest = &trace;
    }
    if (!place) {
      if (!free && opened_ < max_open) free = &open_[opened_++];
      place = free ? free : oldest;
      place->clear();
      place->id = id;
    }
    place->used = now_;
    recent_ = static_cast<std::size_t>(place - open_.get());
    return *place;
  }

  std::size_t limit_;
  std::unique_ptr<gathering[]> open_;  // max_open of them, the first opened_ in use so far
  std::size_t opened_ = 0;
  std::size_t recent_ = 0, now_ = 0;
  gathering last_;
  std::int64_t last_end_ = 0;  // of its root
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
