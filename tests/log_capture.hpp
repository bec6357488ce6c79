// What the library's own log says, for tests.
#pragma once

#include <fulgurite/diagnostics/log.hpp>

#include <mutex>
#include <string>
#include <string_view>

namespace fulgurite_test {

/// Collects what the library says while it exists.
class log_capture {
 public:
  log_capture() {
    fulgurite::set_log_handler([this](fulgurite::log_level, std::string_view text) {
      const std::lock_guard lock(mutex_);
      text_.append(text).append("\n");
    });
  }
  ~log_capture() { fulgurite::set_log_handler({}); }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  bool has(std::string_view part) const { return text().find(part) != std::string::npos; }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace fulgurite_test
