// What the library's own log says while a test runs.
#pragma once

#include <fulgurite/diagnostics/log.hpp>

#include <mutex>
#include <string>
#include <string_view>

namespace fulgurite_test {

class log_text {
 public:
  log_text() {
    fulgurite::set_log_handler([this](fulgurite::log_level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      text_.append(line).append("\n");
    });
  }
  ~log_text() { fulgurite::set_log_handler({}); }
  log_text(log_text const&) = delete;
  log_text& operator=(log_text const&) = delete;

  /// All lines so far.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool says(std::string_view part) const { return text().find(part) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace fulgurite_test
