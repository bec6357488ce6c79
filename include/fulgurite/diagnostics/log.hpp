// The library's own log: what a tracer has to say about itself.
//
// To standard error from `warn` up by default; `TRACER_LOG_LEVEL` (debug, info, warn, error, off) or `set_log_handler`
// change that. Each message appears at most once a minute: a dead backend must not fill a disk.
#pragma once

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

namespace fulgurite {
inline namespace v1 {

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

/// The level named by a text in lower case; `fallback` when it names none.
constexpr log_level log_level_named(std::string_view text, log_level fallback) noexcept {
  if (text == "debug") return log_level::debug;
  if (text == "info") return log_level::info;
  if (text == "warn") return log_level::warn;
  if (text == "error") return log_level::error;
  if (text == "off") return log_level::off;
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
inline logger& the_logger() {
  static logger* instance = new logger;
  return *instance;
}

/// What a backend or an exception says must not move a terminal's cursor: control characters become question marks.
inline std::string harmless(std::string_view text) {
  std::string shown(text);
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20 ? c != '\n' : c == 0x7f) c = '?';
  return shown;
}

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
  if (handler) return handler(level, shown);
  std::fprintf(stderr, "fulgurite: %.*s: %s\n", static_cast<int>(to_string(level).size()), to_string(level).data(),
               shown.c_str());
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
