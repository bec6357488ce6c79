// Asks several backends at once whether they are there, and makes one report of the answers.
//
// Each is asked on a thread of its own, so that one that does not answer takes no time from the others and cannot hold
// up who asks. Part of exporter/fan_out.hpp.
#pragma once

#include <fulgurite/engine/worker_thread.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/platform/process_end.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct health_question {
  std::string name;
  std::shared_ptr<any_exporter> exporter;
  /// How often it is being asked. One that does not answer must not take a thread each time that somebody asks.
  std::shared_ptr<std::atomic<int>> asked = std::make_shared<std::atomic<int>>(0);
};
inline constexpr int most_questions = 4;

/// Reachable when every one is; the reason begins with "2 of 3 reachable" and goes on with each one's words, those that
/// are not reachable first. The latency is the longest of the answers.
inline health_report combined_health(std::vector<health_question> const& questions,
                                     std::vector<std::optional<health_report>> const& answers) {
  health_report sum;
  std::size_t reachable = 0;
  std::string bad, good;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const health_report none{.reachable = false, .reason = "it did not answer in time"};
    health_report const& one = answers[i] ? *answers[i] : none;
    reachable += one.reachable ? 1 : 0;
    std::string& words = one.reachable ? good : bad;
    words += (words.empty() ? "" : "; ") + questions[i].name;
    if (!one.reason.empty()) words += ": " + one.reason;
    if (!one.endpoint.empty()) sum.endpoint += (sum.endpoint.empty() ? "" : ", ") + one.endpoint;
    sum.latency = std::max(sum.latency, one.latency);
  }
  sum.reachable = reachable == questions.size() && !questions.empty();
  sum.reason = std::to_string(reachable) + " of " + std::to_string(questions.size()) + " reachable";
  if (!questions.empty()) sum.reason += ": " + bad + (bad.empty() || good.empty() ? "" : "; ") + good;
  return sum;
}

/// Returns at the deadline at the latest; who has not answered then is not reachable.
inline health_report ask_health(std::vector<health_question> questions, deadline until) {
  struct answers_given {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::optional<health_report>> answers;
    std::size_t missing;
  };
  const auto given = std::make_shared<answers_given>();
  given->answers.resize(questions.size());
  given->missing = questions.size();
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto ask = [given, question = questions[i], i, until]() noexcept {
      std::optional<health_report> answer;
      try {
        const exporter_call call;
        const bool is_free = question.asked->fetch_add(1) < most_questions;
        if (call.is_refused())
          answer = health_report{.reachable = false, .reason = "the process ends"};
        else if (is_free)
          answer = question.exporter->check_health(until);
        else
          answer = health_report{.reachable = false, .reason = "it has not answered earlier questions"};
      } catch (...) {
        answer.emplace();
      }
      question.asked->fetch_sub(1);
      const std::lock_guard lock(given->mutex);
      given->answers[i] = std::move(answer);
      if (--given->missing == 0) given->changed.notify_one();
    };
    try {
      start_worker_thread("fulgurite-ask", ask);
    } catch (...) {
      ask();
    }
  }
  std::unique_lock lock(given->mutex);
  given->changed.wait_until(lock, until, [&] { return given->missing == 0; });
  return combined_health(questions, given->answers);
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
