// Most of it is tested through otlp_http_exporter (tests/exporter/otlp_http.cpp, spooling.cpp); here are several
// requests at a time.
#include <fulgurite/exporter/channel_exporter.hpp>
#include <fulgurite/exporter/otlp_http.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

fulgurite_test::record_builder spans(std::size_t count) {
  fulgurite_test::record_builder made;
  for (std::size_t i = 0; i < count; ++i) {
    fg::span_data span;
    span.name = "span";
    span.span_id = fg::span_id::from_number(i + 1);
    made.add(span);
  }
  return made;
}

/// A wire for channels that answers when the test lets it.
struct shared_wire {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t under_way = 0, most = 0, wanted = 0;
  std::vector<std::uint32_t> requests;
  std::size_t refused = 0;     // so many of the requests
  std::uint64_t rejected = 0;  // so many spans of each that is not
};
struct test_wire {
  struct options {
    shared_wire* shared = nullptr;
    fg::detail::http_endpoint endpoint = {};
  };
  explicit test_wire(options to) : to_(to) {}
  options settings_for_child() const { return to_; }
  fg::detail::attempt post(fg::detail::spooled_request const& request, std::chrono::steady_clock::time_point) {
    shared_wire& shared = *to_.shared;
    std::unique_lock lock(shared.mutex);
    shared.requests.push_back(request.spans);
    shared.most = std::max(shared.most, ++shared.under_way);
    shared.changed.notify_all();
    shared.changed.wait_for(lock, 60s, [&] { return shared.most >= shared.wanted; });
    --shared.under_way;
    if (shared.refused > 0) {
      --shared.refused;
      return {.reason = "part " + std::to_string(shared.requests.size()), .kind = fg::failure_kind::refused};
    }
    return {.result = fg::detail::attempt::outcome::delivered,
            .rejected = shared.rejected,
            .message = shared.rejected > 0 ? "too old" : ""};
  }
  fg::health_report check(std::chrono::steady_clock::time_point) const { return {}; }
  void interrupt() noexcept {}
  std::string address() const { return "test"; }
  std::string_view content_type() const { return "test"; }
  options to_;
};

using test_channel = fg::detail::batch_channel<fg::otlp_protobuf_encoder, test_wire>;

struct test_exporter : fg::detail::channel_exporter<test_channel> {
  test_exporter(shared_wire& shared, std::size_t at_once) : channel_exporter("test", 60s) {
    construct([&] { return open({.gzip = false}, {.shared = &shared}, at_once), std::string(); });
  }
};

}  // namespace

TEST_CASE("a batch goes out in as many requests at a time as are allowed") {
  shared_wire shared;
  shared.wanted = 4;
  test_exporter out(shared, 4);
  const auto made = spans(400);
  const fg::batch_outcome outcome = out.export_spans(made.batch());
  CHECK(outcome.exported == 400);
  CHECK(outcome.spans() == 400);
  CHECK(shared.most == 4);
  CHECK(shared.requests.size() == 4);
  std::uint32_t sum = 0;
  for (const std::uint32_t each : shared.requests) sum += each;
  CHECK(sum == 400);
  CHECK(std::ranges::min(shared.requests) >= 90);
}

TEST_CASE("a batch that is small is not taken apart") {
  shared_wire shared;
  test_exporter out(shared, 8);
  const auto made = spans(63);
  CHECK(out.export_spans(made.batch()).exported == 63);
  CHECK(shared.requests == std::vector<std::uint32_t>{63});
}

TEST_CASE("each part counts with what became of it") {
  fg::set_log_handler([](fg::log_level, std::string_view) {});
  shared_wire shared;
  shared.refused = 1;
  test_exporter out(shared, 2);
  const auto made = spans(200);
  const fg::batch_outcome half = out.export_spans(made.batch());
  REQUIRE(shared.requests.size() == 2);
  CHECK(half.failed == shared.requests[0]);
  CHECK(half.exported == shared.requests[1]);
  CHECK(half.spans() == 200);
  CHECK(half.reason == "part 1");
  CHECK(half.kind == fg::failure_kind::refused);
  shared.refused = 2;
  const fg::batch_outcome none = out.export_spans(made.batch());
  CHECK(none.failed == 200);
  CHECK(none.spans() == 200);
  CHECK_FALSE(none.reason.empty());
  shared.rejected = 3;  // of each part
  const fg::batch_outcome some = out.export_spans(made.batch());
  CHECK(some.rejected == 6);
  CHECK(some.exported == 194);
  CHECK(some.spans() == 200);
  CHECK(some.reason == "too old");
  fg::set_log_handler({});
}

TEST_CASE("the parts of a batch have all of its spans, each once") {
  const auto made = spans(101);
  for (const std::size_t count : {1U, 2U, 3U, 7U, 101U, 1000U}) {
    CAPTURE(count);
    std::vector<fg::span_id> seen;
    const auto parts = fg::detail::split_batch(made.batch(), count);
    CHECK(parts.size() <= count);
    CHECK(parts.size() >= std::min<std::size_t>(count, 50));
    for (fg::span_batch const& part : parts) {
      CHECK(part.size() > 0);
      for (fg::span_data const& span : part.spans()) seen.push_back(span.span_id);
    }
    REQUIRE(seen.size() == 101);
    for (std::size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == fg::span_id::from_number(i + 1));
  }
}
