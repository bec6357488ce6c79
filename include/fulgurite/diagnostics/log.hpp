// The library's own log: what a tracer has to say about itself.
//
// To standard error from `warn` up by default; `TRACER_LOG_LEVEL` (debug, info, warn, error, off) or `set_log_handler`
// change that. Each message appears at most once a minute: a dead backend must not fill a disk.
#pragma once

#include <fulgurite/diagnostics/ascii.hpp>
#include <fulgurite/diagnostics/code_points.hpp>
#include <fulgurite/diagnostics/process_wide.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// How grave a message of the library is; as a threshold, the least that is said.
enum class log_level { debug, info, warn, error, off };

/// Receives a message that passed the level and the once-a-minute rule. It may be called from any thread, also from the
/// worker; what it throws is swallowed.
using log_handler = std::function<void(log_level, std::string_view)>;

namespace detail {

constexpr std::string_view to_string(log_level level) noexcept {
  switch (level) {
    case log_level::debug:
      return "debug";
    case log_level::info:
      return "info";
    case log_level::warn:
      return "warning";
    case log_level::error:
      return "error";
    case log_level::off:
      break;
  }
  return "off";
}

/// The level named by a text, in any case; `fallback` when it names none.
constexpr log_level log_level_named(std::string_view text, log_level fallback) noexcept {
  const auto is = [text](std::string_view word) { return equal_ignoring_case(text, word); };
  if (is("debug")) return log_level::debug;
  if (is("info")) return log_level::info;
  if (is("warn")) return log_level::warn;
  if (is("error")) return log_level::error;
  if (is("off")) return log_level::off;
  return fallback;
}

struct logger {
  std::mutex mutex;
  log_handler handler;
  log_level threshold;
  /// When each message was last said (seconds, CLOCK_MONOTONIC), by its text.
  std::unordered_map<std::string, std::time_t> said;

  logger() {
    const char* level = std::getenv("TRACER_LOG_LEVEL");
    threshold = log_level_named(level ? level : "", log_level::warn);
  }
};

/// Never destroyed: tracing goes on in static destructors.
inline logger& the_logger() { return one_in_process<logger, process_part::log>(); }

/// Around a fork: no other thread holds the log then.
inline void hold_log() noexcept { the_logger().mutex.lock(); }
inline void release_log() noexcept { the_logger().mutex.unlock(); }

/// What a thread says while it holds a lock of the library: a handler may call the library again, so it must wait.
struct delayed_message {
  log_level level;
  std::string text;
  log_handler handler;
};
inline constinit thread_local std::vector<delayed_message>* delayed_messages = nullptr;

inline void say(log_level level, std::string const& text, log_handler const& handler) {
  if (handler) return handler(level, text);
  std::fprintf(stderr, "fulgurite: %.*s: %s\n", static_cast<int>(to_string(level).size()), to_string(level).data(),
               text.c_str());
}

/// While it lives this thread's messages are kept; its end says them. Declared before the lock is taken.
class delayed_log {
 public:
  delayed_log() noexcept : outermost_(!delayed_messages) {
    if (outermost_) delayed_messages = &messages_;
  }
  delayed_log(delayed_log const&) = delete;
  delayed_log& operator=(delayed_log const&) = delete;
  ~delayed_log() {
    if (!outermost_) return;
    delayed_messages = nullptr;
    for (delayed_message const& message : messages_) try {
        say(message.level, message.text, message.handler);
      } catch (...) {
      }
  }

 private:
  bool outermost_;
  std::vector<delayed_message> messages_;
};

/// Says a message. `key` is what the once-a-minute rule goes by; the message's own text when it is empty.
inline void log(log_level level, std::string_view message, std::string_view key = {}) noexcept try {
  logger& self = the_logger();
  log_handler handler;
  {
    const std::lock_guard lock(self.mutex);
    if (level < self.threshold || self.threshold == log_level::off) return;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (self.said.size() > 1000) self.said.clear();
    const auto [entry, fresh] = self.said.try_emplace(std::string(key.empty() ? message : key), now.tv_sec);
    if (!fresh && now.tv_sec - entry->second < 60) return;
    entry->second = now.tv_sec;
    handler = self.handler;
  }
  const std::string shown = harmless(message);
  if (delayed_messages) return delayed_messages->push_back({level, shown, std::move(handler)});
  say(level, shown, handler);
} catch (...) {
}

}  // namespace detail

/// Replaces standard error as the place where messages go; an empty function restores it. With a handler of one's own
/// the level is `info` unless `TRACER_LOG_LEVEL` says otherwise.
inline void set_log_handler(log_handler handler) {
  detail::logger& self = detail::the_logger();
  const std::lock_guard lock(self.mutex);
  self.handler = std::move(handler);
  self.said.clear();
  const char* level = std::getenv("TRACER_LOG_LEVEL");
  self.threshold = detail::log_level_named(level ? level : "", self.handler ? log_level::info : log_level::warn);
}

}  // namespace v1
}  // namespace fulgurite
