#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/memory.hpp>
#include <fulgurite/exporter/noop.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace fg = fulgurite;

namespace {

/// Has every optional member, and can only be moved.
struct full_exporter {
  explicit full_exporter(int* c) : calls(c) {}
  full_exporter(full_exporter&&) = default;
  full_exporter& operator=(full_exporter&&) = default;
  fg::export_result export_spans(fg::span_batch const& batch) {
    *calls += static_cast<int>(batch.size());
    return fg::export_result::failure;
  }
  bool flush(fg::deadline) { return false; }
  bool shutdown(fg::deadline) { return false; }
  fg::exporter_stats stats() const { return {.retried = 7}; }
  fg::health_report check_health(fg::deadline) { return {.reachable = false, .endpoint = "here", .reason = "no"}; }
  void interrupt() noexcept { *calls += 100; }
  void hurry() noexcept { *calls += 1000; }
  fg::deadline idle_at() const noexcept { return fg::deadline::min(); }
  void idle() noexcept { *calls += 10'000; }
  bool keeps_undelivered() const noexcept { return true; }
  bool is_exit_safe() const noexcept { return true; }
  void after_fork() noexcept { *calls += 100'000; }
  int* calls;
};

}  // namespace

TEST_CASE("everything is passed on") {
  int calls = 0;
  fg::any_exporter first = full_exporter(&calls);
  fg::any_exporter any = std::move(first);
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  CHECK(any.export_spans(builder.batch()).failed > 0);
  CHECK(calls == 1);
  CHECK_FALSE(any.flush({}));
  CHECK_FALSE(any.shutdown({}));
  CHECK(any.stats().retried == 7);
  CHECK(any.check_health({}).endpoint == "here");
  any.interrupt();
  CHECK(calls == 101);
  any.hurry();
  CHECK(calls == 1101);
  CHECK(any.idle_at() == fg::deadline::min());
  any.idle();
  CHECK(calls == 11'101);
  CHECK(any.keeps_undelivered());
  CHECK(any.is_exit_safe());
  any.after_fork();
  CHECK(calls == 111'101);
}

TEST_CASE("what a model does not have is answered for it") {
  fg::memory_exporter kept;
  fg::any_exporter any = kept;
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  CHECK(any.export_spans(builder.batch()).is_success());
  CHECK(kept.spans().size() == 1);
  CHECK(any.stats().retried == 0);
  CHECK(any.check_health({}).reachable);
  any.interrupt();
  any.hurry();
  CHECK(any.idle_at() == fg::deadline::max());
  any.idle();
  CHECK_FALSE(any.keeps_undelivered());
  CHECK(any.is_exit_safe() == kept.is_exit_safe());
  any.after_fork();
  fg::any_exporter noop = fg::noop_exporter();
  CHECK(noop.export_spans(builder.batch()).is_success());
  CHECK(noop.flush({}));
}

TEST_CASE("an empty one refuses") {
  fg::any_exporter empty;
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  CHECK(empty.export_spans(builder.batch()).failed > 0);
  CHECK(empty.flush({}));
  CHECK(empty.shutdown({}));
  CHECK_FALSE(empty.check_health({}).reachable);
  CHECK_FALSE(empty.has_value());
}
