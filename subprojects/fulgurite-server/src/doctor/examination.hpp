// One destination from the question whether it answers to the span read back, as a report that can be followed while it
// is written.
#pragma once

#include "destinations.hpp"
#include "page.hpp"
#include "test_span.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fulgurite_server {

/// How far the test span came: nowhere, to a backend that cannot be asked for it, or so far that it was seen there.
enum class arrival { failed, taken, seen };

/// Lines that one thread writes and another one reads.
class report {
 public:
  void add(std::string line);
  void end(arrival what);
  /// Hands each line to `print` as soon as it is there. Nothing when it had not ended at the deadline.
  std::optional<arrival> follow(std::chrono::steady_clock::time_point until,
                                std::function<void(std::string const&)> const& print);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::optional<arrival> ended_;
};

class examination {
 public:
  /// The longest that `run` takes, short of something that heeds no time limit.
  static constexpr std::chrono::milliseconds longest{13'000};

  examination(destination to, std::shared_ptr<const test_span> span, std::optional<std::string> read_back_from,
              page look);

  destination const& to() const noexcept { return to_; }
  report& written() noexcept { return report_; }

  /// Once; `written()` may be followed meanwhile.
  void run() noexcept;

 private:
  arrival examine();
  bool check_health(std::shared_ptr<fulgurite::any_exporter> const& exporter);
  bool deliver_to(std::shared_ptr<fulgurite::any_exporter> const& exporter, bool healthy);
  arrival see();
  /// What to do about a failure.
  void advise(std::string const& reason);
  void say(mark how, std::string const& text);
  void below(std::string const& text);
  std::string clean(std::string text) const;

  destination to_;
  std::shared_ptr<const test_span> span_;
  std::optional<std::string> read_back_from_;
  page look_;
  outcome health_;
  report report_;
};

}  // namespace fulgurite_server
