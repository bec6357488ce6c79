#include <fulgurite/exporter/fan_out/health.hpp>
#include <fulgurite/exporter/memory.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::detail;
using namespace std::chrono_literals;

namespace {

struct answering_exporter {
  fg::health_report answer = {};
  fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::success; }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
  fg::health_report check_health(fg::deadline) const {
    if (answer.endpoint == "throw") throw std::runtime_error("no");
    return answer;
  }
};

/// Answers when it is told to, whatever the deadline says.
struct silent_exporter : answering_exporter {
  struct shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false, asked = false;
  };
  std::shared_ptr<shared> at = std::make_shared<shared>();
  fg::health_report check_health(fg::deadline) const {
    std::unique_lock lock(at->mutex);
    at->asked = true;
    at->changed.notify_all();
    at->changed.wait(lock, [this] { return at->open; });
    return {.reachable = true};
  }
};

health_question question(std::string name, fg::any_exporter of) {
  return {.name = std::move(name), .exporter = std::make_shared<fg::any_exporter>(std::move(of))};
}
fg::deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("reachable when every one is") {
  const auto good = question("a", answering_exporter{{true, "http://a", "HTTP 200", 3ms}});
  const auto bad = question("b", answering_exporter{{false, "http://b", "connection refused", 5ms}});
  fg::health_report report = ask_health({good, good}, in(60s));
  CHECK(report.reachable);
  CHECK(report.reason == "2 of 2 reachable: a: HTTP 200; a: HTTP 200");
  report = ask_health({good, bad, question("store", fg::memory_exporter())}, in(60s));
  CHECK_FALSE(report.reachable);
  CHECK(report.reason ==
        "2 of 3 reachable: b: connection refused; a: HTTP 200; store: this exporter reaches out to nobody");
  CHECK(report.endpoint == "http://a, http://b");
  CHECK(report.latency == 5ms);
  report = ask_health({}, in(60s));
  CHECK_FALSE(report.reachable);
  CHECK(report.reason == "0 of 0 reachable");
  report = ask_health({question("c", answering_exporter{{true, "throw", "", {}}})}, in(60s));
  CHECK(report.reason == "0 of 1 reachable: c");
}

TEST_CASE("one that never answers takes a few threads, not one for each question") {
  silent_exporter silent;
  const health_question asked = question("silent", silent);
  for (int i = 0; i < most_questions; ++i)
    CHECK(ask_health({asked}, in(0ms)).reason == "0 of 1 reachable: silent: it did not answer in time");
  while (asked.asked->load() < most_questions) std::this_thread::yield();
  CHECK(ask_health({asked}, in(60s)).reason == "0 of 1 reachable: silent: it has not answered earlier questions");
  {
    const std::lock_guard lock(silent.at->mutex);
    silent.at->open = true;
    silent.at->changed.notify_all();
  }
  while (asked.asked->load() > 0) std::this_thread::yield();
  CHECK(ask_health({asked}, in(60s)).reachable);
}

TEST_CASE("one that does not answer takes no time from the others, and none from who asks") {
  silent_exporter silent;
  const auto good = question("good", answering_exporter{{true, "", "", {}}});
  const auto before = std::chrono::steady_clock::now();
  const fg::health_report report = ask_health({question("silent", silent), good}, in(100ms));
  CHECK(std::chrono::steady_clock::now() - before < 30s);
  CHECK_FALSE(report.reachable);
  CHECK(report.reason == "1 of 2 reachable: silent: it did not answer in time; good");
  std::unique_lock lock(silent.at->mutex);
  silent.at->changed.wait(lock, [&] { return silent.at->asked; });
  silent.at->open = true;
  silent.at->changed.notify_all();
}
