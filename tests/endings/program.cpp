// A program that traces and ends, in one of many ways: endings.py chooses by the variable ENDING ("key=value;...") and
// compares what arrived, and what the program said to descriptor 3, with what must.
//
// It is built once for each set of dependencies (WITH_HTTP, WITH_GRPC, WITH_FMT, WITH_ALL): linking one library may
// hide another's fault. With AS_PLUGIN it is an object that plugin_host.cpp opens.
#include <fulgurite/any_tracer.hpp>
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/fulgurite.hpp>
#ifdef WITH_FMT
#include <fulgurite/exporter/console.hpp>
#include <fulgurite/exporter/file.hpp>
#endif
#ifdef WITH_GRPC
#include <openssl/ssl.h>
#include <fulgurite/exporter/otlp_grpc.hpp>
#endif
#ifdef WITH_HTTP
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/exporter/jaeger_http.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/exporter/zipkin.hpp>
#endif
#ifdef WITH_ALL
#include <fulgurite/backends.hpp>
#include <fulgurite/exporter/fan_out.hpp>
#endif

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace fg = fulgurite;
using namespace std::chrono_literals;

namespace {

/// One setting of this run; empty where it is not given.
std::string setting(std::string_view key) {
  const char* const all = std::getenv("ENDING");
  std::string_view rest = all ? all : "";
  while (!rest.empty()) {
    const std::string_view one = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    if (const std::size_t equal = one.find('='); equal != one.npos && one.substr(0, equal) == key)
      return std::string(one.substr(equal + 1));
  }
  return {};
}
bool is(std::string_view key, std::string_view value) { return setting(key) == value; }

/// To the test. One write a line, from any thread.
void say(std::string const& line) {
  const std::string whole = line + "\n";
  if (write(3, whole.data(), whole.size()) < 0) _exit(97);
}

// -------------------------------------------------------------------------- what the program has used before it traces

struct earlier_use {
  earlier_use() {
    const std::string what = setting("used");
    [[maybe_unused]] const std::string other = setting("other");
#ifdef WITH_HTTP
    if (what == "httplib") httplib::Client("http://127.0.0.1:" + other).Post("/", "not a span", "text/plain");
    if (what == "openssl") {
      SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
      SSL_CTX_free(context);
    }
#endif
#ifdef WITH_GRPC
    if (what == "libcurl") {
      curl_global_init(CURL_GLOBAL_DEFAULT);
      CURL* const easy = curl_easy_init();
      curl_easy_setopt(easy, CURLOPT_URL, ("http://127.0.0.1:" + other).c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "not a span");
      curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
      curl_easy_perform(easy);
      curl_easy_cleanup(easy);
    }
    if (what == "openssl_alone") {
      SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
      SSL_CTX_free(context);
    }
#endif
  }
};

// --------------------------------------------------------------------------------------------------------- the tracers

fg::resource resource_of(const char* name = "ending") { return {.service_name = name}; }

fg::tracer_options options_of() {
  fg::tracer_options options;
  if (const std::string timeout = setting("timeout"); !timeout.empty())
    options.shutdown_timeout = std::chrono::milliseconds(std::stoi(timeout));
  return options;
}

fg::any_exporter make_exporter() {
  const std::string kind = setting("exporter"), at = setting("endpoint");
  [[maybe_unused]] const std::string ca = setting("ca"), file = setting("file");
  if (kind == "jaeger_udp")
    return fg::jaeger_udp_exporter({.host = "127.0.0.1", .port = static_cast<std::uint16_t>(std::stoi(at))});
#ifdef WITH_FMT
  if (kind == "console") return fg::console_exporter{};
  if (kind == "file") return fg::file_exporter{{.path = file}};
#endif
#ifdef WITH_GRPC
  if (kind == "otlp_grpc") return fg::otlp_grpc_exporter{{.endpoint = at, .ca_file = ca}};
#endif
#ifdef WITH_HTTP
  if (kind == "otlp_http") return fg::otlp_http_exporter{{.endpoint = at, .ca_file = ca}};
  if (kind == "zipkin") return fg::zipkin_exporter{{.endpoint = at, .ca_file = ca}};
  if (kind == "jaeger_http") return fg::jaeger_http_exporter{{.endpoint = at, .ca_file = ca}};
  if (kind == "agentops") return fg::agentops_exporter{{.data_directory = setting("data")}};
#endif
#ifdef WITH_ALL
  if (kind == "fan_out")
    return fg::fan_out{fg::otlp_http_exporter{{.endpoint = at, .ca_file = ca}}, fg::file_exporter{{.path = file}},
                       fg::otlp_grpc_exporter{{.endpoint = setting("second"), .ca_file = ca}}};
#endif
  say("unknown exporter " + kind);
  _exit(98);
}

using static_tracer = fg::tracer<fg::always_on_sampler, fg::any_exporter>;

static_tracer make_static(const char* name = "ending") {
  return static_tracer(resource_of(name), fg::always_on_sampler{}, make_exporter(), {}, {}, options_of());
}
fg::any_tracer make_any() {
  return fg::any_tracer(resource_of(), fg::always_on_sampler{}, make_exporter(), fg::w3c_propagator{},
                        fg::batch_processor<>{}, options_of());
}

/// Every span that is made is told to the test, once it has ended.
void span(std::string const& what);

/// Traces when it is destroyed.
struct last_words {
  const char* what;
  ~last_words() {
    if (*what) span(what);
  }
};

void say_log(fg::log_level level, std::string_view text);

struct start {
  start() { fg::set_log_handler(say_log); }
};

// In this order they are made, and destroyed in the reverse one.
const start started;
const earlier_use used;
const last_words after_tracer{is("ending", "static_dtor_late") ? "static_0" : ""};
fg::any_tracer namespace_tracer;
static_tracer composed = is("shape", "static") || is("shape", "two") ? make_static() : static_tracer();
static_tracer composed_too = is("shape", "two") ? make_static("ending too") : static_tracer();
const last_words before_tracer{is("ending", "static_dtor_early") ? "static_0" : ""};
fg::any_tracer* chosen = nullptr;  // null: the static ones

/// Of two tracers each makes every second span.
void span(std::string const& what) {
  const std::string name = "sp_" + setting("case") + "_" + what + "_";
  if (chosen) {
    auto made = chosen->trace_context(name);
    made.set_attribute("text", "a value of some length, as spans have them");
  } else {
    static std::atomic<unsigned> count{0};
    auto made = (is("shape", "two") && count++ % 2 == 1 ? composed_too : composed).trace_context(name);
    made.set_attribute("text", "a value of some length, as spans have them");
  }
  say("made " + what);
}
void spans(std::string const& what, int count) {
  for (int i = 0; i < count; ++i) span(what + "_" + std::to_string(i));
}

// ------------------------------------------------------------------------------------------------- those who call exit

struct exiting_exporter {
  fg::export_result export_spans(fg::span_batch const&) {
    if (is("ending", "exit_log")) throw std::runtime_error("thrown");
    std::exit(3);
  }
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};

void say_log(fg::log_level level, std::string_view text) {
  say("log " + std::to_string(getpid()) + " " + std::to_string(static_cast<int>(level)) + " " + std::string(text));
  if (is("ending", "exit_log") && text.find("thrown") != text.npos) std::exit(3);
}

volatile sig_atomic_t terminated = 0;

void span_at_exit() { span("atexit_0"); }

[[noreturn]] void wait_for_ever() {
  for (;;) pause();
}

/// What the program does after its work, up to its end. Returns where main does.
int end() {
  const std::string how = setting("ending");
  if (how == "return" || how == "static_dtor_early" || how == "static_dtor_late" || how == "atexit_before" ||
      how == "plugin")
    return 0;
  if (how == "exit") std::exit(3);
  if (how == "exit_thread") {
    std::thread([] {
      span("thread_0");
      std::exit(3);
    }).detach();
    wait_for_ever();
  }
  if (how == "exit_exporter" || how == "exit_log") {
    static auto& other =
        *new fg::any_tracer(fg::resource{.service_name = "other"}, fg::always_on_sampler{}, exiting_exporter{},
                            fg::w3c_propagator{}, fg::batch_processor<>{{.schedule_delay = 5ms}}, options_of());
    {
      auto made = other.trace_context("never arrives");
    }
    wait_for_ever();
  }
  if (how == "exit_busy") {
    for (int i = 0; i < 2; ++i)
      std::thread([i] {
        for (int n = 0;; ++n) {
          span((i == 0 ? "busya_" : "busyb_") + std::to_string(n));
          std::this_thread::sleep_for(200us);
        }
      }).detach();
    std::this_thread::sleep_for(5ms);
    std::exit(3);
  }
  if (how == "quick_exit") std::quick_exit(4);
  if (how == "_exit") _exit(5);
  if (how == "abort") std::abort();
  if (how == "atexit_after") {
    std::atexit(span_at_exit);
    return 0;
  }
  if (how == "fork_traced" || how == "fork_silent") {
    const pid_t child = fork();
    if (child == 0) {
      if (how == "fork_traced") span("child_0");
      std::exit(6);
    }
    int status = 0;
    waitpid(child, &status, 0);
    say("child " + std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)));
    span("after_0");
    return 0;
  }
  if (how == "daemon") {
    if (const pid_t child = fork(); child != 0) {
      waitpid(child, nullptr, 0);
      return 0;
    }
    setsid();
    if (fork() != 0) _exit(0);
    span("daemon_0");
    std::exit(0);
  }
  if (how == "pthread_exit") pthread_exit(nullptr);
  if (how == "sigterm") {
    raise(SIGTERM);
    wait_for_ever();
  }
  if (how == "sigterm_flag") {
    struct sigaction action{};
    action.sa_handler = [](int) { terminated = 1; };
    sigaction(SIGTERM, &action, nullptr);
    raise(SIGTERM);
    while (terminated == 0) usleep(1000);
    return 0;
  }
  say("unknown ending " + how);
  _exit(98);
}

int work() {
  const auto flush = [] {
    return chosen ? chosen->force_flush(10s) : composed.force_flush(10s) && composed_too.force_flush(10s);
  };
  if (is("sent", "yes")) {
    spans("before", 3);
    flush();
    say("flushed");
  }
  spans("body", 10);
  return end();
}

int run() {
  alarm(100);
  if (is("ending", "atexit_before")) std::atexit(span_at_exit);
  const std::string shape = setting("shape");
  if (shape == "namespace") {
    namespace_tracer = make_any();
    chosen = &namespace_tracer;
  } else if (shape == "global") {
    // Main itself never traces.
    if (is("ending", "atexit_before") || is("ending", "atexit_after")) chosen = nullptr;
    int result = 0;
    std::thread([&] {
      if (is("by", "environment"))
        chosen = &fg::global_tracer();
      else {
        fg::set_global_tracer(make_any());
        chosen = &fg::global_tracer();
      }
      result = work();
    }).join();
    return result;
  } else if (shape == "main") {
    fg::any_tracer local = make_any();
    chosen = &local;
    return work();
  } else if (shape == "thread_local") {
    static thread_local fg::any_tracer local;
    local = make_any();
    chosen = &local;
  } else if (shape == "leaked") {
    chosen = new fg::any_tracer(make_any());
  }
  return work();
}

}  // namespace

#ifdef AS_PLUGIN
extern "C" [[gnu::visibility("default")]] int run_plugin() { return run(); }
#else
int main() { return run(); }
#endif
