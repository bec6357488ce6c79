// What the library's own log says, for tests.
#pragma once

#include <fulgurite/diagnostics/log.hpp>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace fulgurite_test {

/// Collects what the library says while it exists.
class log_capture {
 public:
  log_capture() {
    // Shared: another thread may have taken the handler just before it is replaced.
    fulgurite::set_log_handler([to = said_](fulgurite::log_level, std::string_view line) {
      const std::lock_guard lock(to->mutex);
      to->text.append(line).append("\n");
    });
  }
  log_capture(log_capture const&) = delete;
  log_capture& operator=(log_capture const&) = delete;
  ~log_capture() { fulgurite::set_log_handler({}); }

  /// All lines so far.
  std::string text() const {
    const std::lock_guard lock(said_->mutex);
    return said_->text;
  }
  bool has(std::string_view part) const { return text().find(part) != std::string::npos; }
  /// How many lines contain this.
  std::size_t count(std::string_view part) const {
    const std::string all = text();
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = all.find(part, at)) != std::string::npos; ++lines) {
      at = all.find('\n', at);
      if (at == std::string::npos) return lines + 1;
    }
    return lines;
  }

 private:
  struct collected {
    std::mutex mutex;
    std::string text;
  };
  std::shared_ptr<collected> said_ = std::make_shared<collected>();
};

}  // namespace fulgurite_test
