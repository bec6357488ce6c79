// The library's own log: what a tracer has to say about itself.
//
// To standard error from `warn` up by default; `TRACER_LOG_LEVEL` (debug, info, warn, error, off) or `set_log_handler`
// change that. Each message appears at most once a minute: a dead backend must not fill a disk.
#pragma once

#include <fulgurite/platform/process_wide.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/code_points.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

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
  /// When messages were last said (seconds, CLOCK_MONOTONIC), by a hash of their text; 0 is nobody's.
  struct said_at {
    std::uint64_t hash;
    std::time_t time;
  };
  static constexpr std::size_t places = 512;
  said_at said[places] = {};
  /// Logs, when the process ends, what has not been logged yet; the engine's.
  std::atomic<void (*)()> at_end{nullptr};
  int registered_at_exit = 0;

  [[gnu::cold]] logger() {
    const char* level = std::getenv("TRACER_LOG_LEVEL");
    threshold = log_level_named(level ? level : "", log_level::warn);
  }

  /// Whether a message was not said in the last minute; it then is said now. Of very many in a minute the oldest are
  /// forgotten.
  [[gnu::cold]] bool may_say(std::string_view message) noexcept {
    std::uint64_t hash = 14'695'981'039'346'656'037U;  // FNV-1a
    for (const char c : message) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    hash += hash == 0 ? 1 : 0;
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    said_at* place = nullptr;
    for (std::size_t i = 0; i < 16; ++i) {
      said_at& each = said[(hash + i) % places];
      if (each.hash == hash) {
        if (now.tv_sec - each.time < 60) return false;
        place = &each;
        break;
      }
      if (!place || (place->hash != 0 && (each.hash == 0 || each.time < place->time))) place = &each;
    }
    *place = {hash, now.tv_sec};
    return true;
  }
};

/// Never destroyed: tracing goes on in static destructors.
inline logger& the_logger() { return one_in_process<logger, process_part::log>(); }

/// What the program's handler refers to may be gone: messages go to standard error from here on.
[[gnu::cold]] inline void leave_log_handler() noexcept try {
  logger& self = the_logger();
  const std::lock_guard lock(self.mutex);
  if (self.handler) new log_handler(std::move(self.handler));  // destroying it might touch what is gone
  self.handler = nullptr;
} catch (...) {
}

/// Around a fork: no other thread holds the log then.
inline void hold_log() noexcept { the_logger().mutex.lock(); }
inline void release_log() noexcept { the_logger().mutex.unlock(); }

[[gnu::cold]] inline void say(log_level level, std::string const& text, log_handler const& handler) {
  if (handler) return handler(level, text);
  std::fprintf(stderr, "fulgurite: %.*s: %s\n", static_cast<int>(to_string(level).size()), to_string(level).data(),
               text.c_str());
}

class delayed_log;
inline constinit thread_local delayed_log* delaying = nullptr;

/// While it lives this thread's messages are kept; its end says them: a handler may call the library again, so it must
/// wait until no lock of the library is held. Declared before the lock is taken.
class delayed_log {
 public:
  delayed_log() noexcept : outermost_(!delaying) {
    if (outermost_) delaying = this;
  }
  delayed_log(delayed_log const&) = delete;
  delayed_log& operator=(delayed_log const&) = delete;
  ~delayed_log() {
    if (!outermost_) return;
    delaying = nullptr;
    if (first_) [[unlikely]]
      say_all();
  }

  /// Throws std::bad_alloc.
  [[gnu::cold]] void keep(log_level level, std::string const& text, log_handler const& handler) {
    auto* const kept = new message{level, text, handler, nullptr};
    (last_ ? last_->next : first_) = kept;
    last_ = kept;
  }

 private:
  struct message {
    log_level level;
    std::string text;
    log_handler handler;
    message* next;
  };

  [[gnu::cold]] void say_all() noexcept {
    while (first_) {
      message* const each = std::exchange(first_, first_->next);
      try {
        say(each->level, each->text, each->handler);
      } catch (...) {
      }
      delete each;
    }
  }

  bool outermost_;
  message *first_ = nullptr, *last_ = nullptr;
};

/// Says a message. `key` is what the once-a-minute rule goes by; the message's own text when it is empty.
[[gnu::noinline, gnu::cold]] inline void log(log_level level, std::string_view message,
                                             std::string_view key = {}) noexcept try {
  logger& self = the_logger();
  log_handler handler;
  {
    const std::lock_guard lock(self.mutex);
    if (level < self.threshold || self.threshold == log_level::off || !self.may_say(key.empty() ? message : key))
      return;
    handler = self.handler;
  }
  const std::string shown = harmless(message);
  if (delaying) return delaying->keep(level, shown, handler);
  say(level, shown, handler);
} catch (...) {
}

}  // namespace detail

/// Replaces standard error as the place where messages go; an empty function restores it. With a handler of one's own
/// the level is `info` unless `TRACER_LOG_LEVEL` says otherwise. A thread that was about to speak may still call the
/// handler before after this returns: what it refers to must live on. At the end of the process it is called for the
/// last time at the latest when exit() destroys what was made before this call, or before the first tracer.
inline void set_log_handler(log_handler handler) {
  detail::logger& self = detail::the_logger();
  const std::lock_guard lock(self.mutex);
  constexpr int most = 64;
  if (self.registered_at_exit < most && std::atexit([] {
                                          if (auto* const last = detail::the_logger().at_end.load()) last();
                                        }) == 0)
    ++self.registered_at_exit;
  self.handler = std::move(handler);
  for (auto& each : self.said) each = {};
  const char* level = std::getenv("TRACER_LOG_LEVEL");
  self.threshold = detail::log_level_named(level ? level : "", self.handler ? log_level::info : log_level::warn);
}

}  // namespace v1
}  // namespace fulgurite
