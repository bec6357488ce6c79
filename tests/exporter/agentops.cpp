// The server is played by tests/scripted_server.hpp, the command `fulgurite` by a script: what the real ones do
// together is tested with the server (subprojects/fulgurite-server).
#include <fulgurite/exporter/agentops.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

/// A place for data, a PATH whose only special command is ours, and what the log says.
class stage {
 public:
  stage() {
    root_ = std::filesystem::temp_directory_path() / "fulgurite-test-XXXXXX";
    REQUIRE(mkdtemp(root_.data()) != nullptr);
    const char* const before = std::getenv("PATH");
    path_ = before ? before : "";
    std::filesystem::create_directories(root_ + "/bin");
    std::filesystem::create_directories(root_ + "/data");
    setenv("PATH", (root_ + "/bin:/usr/bin:/bin").c_str(), 1);
    fg::set_log_handler([this](fg::log_level level, std::string_view text) {
      const std::lock_guard lock(mutex_);
      text_.append(text).append("\n");
      if (level > fg::log_level::info) complaints_.append(text).append("\n");
    });
  }
  ~stage() {
    fg::set_log_handler({});
    setenv("PATH", path_.c_str(), 1);
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  stage(stage const&) = delete;
  stage& operator=(stage const&) = delete;

  std::string data() const { return root_ + "/data"; }
  std::string file(std::string const& name) const {
    std::ostringstream all;
    all << std::ifstream(root_ + "/" + name).rdbuf();
    return all.str();
  }
  /// Installs the command. `$ROOT` is this stage.
  void command(std::string const& script) const {
    const std::string path = root_ + "/bin/fulgurite";
    std::ofstream(path) << "#!/bin/sh\nROOT=" << root_ << "\n" << script << "\n";
    chmod(path.c_str(), 0755);
  }
  void announce(std::string const& url) const {
    std::ofstream(data() + "/server.json") << "{\"pid\":1,\"port\":1,\"url\":\"" << url << "\",\"started\":\"x\"}";
  }
  bool says(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return text_.find(part) != std::string::npos;
  }
  /// What is said above the level `info`.
  std::string complaints() const {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }
  fg::agentops_options options() const {
    fg::agentops_options made;
    made.data_directory = data();
    made.gzip = false;
    made.restart_interval = 0ms;
    made.delivery.initial_backoff = 1ms;
    return made;
  }

 private:
  std::string root_, path_, text_, complaints_;
  mutable std::mutex mutex_;
};

/// Answers as the local server does, any number of requests on any connection, and remembers them.
struct server_of_ours {
  std::vector<std::string> requests;
  std::vector<std::string> tokens;
  /// Whom the requests for a token named as an owner.
  std::vector<std::string> owners;
  std::mutex mutex;
  /// What is answered to traces.
  std::string status = "200 OK";
  /// What is given for a key, and which of it is taken.
  std::string token = "the-token", good = "the-token";

  void serve(connection& c) {
    while (true) {
      const connection::request got = c.read_request();
      if (got.head.empty()) return;
      const std::string line = got.head.substr(0, got.head.find(" HTTP"));
      const std::lock_guard lock(mutex);
      requests.push_back(line);
      if (line == "GET /health")
        c.answer("200 OK", "{\"status\":\"ok\"}");
      else if (line == "POST /v3/auth/token") {
        tokens.push_back(got.body);
        owners.push_back(got.header("fulgurite-owner"));
        c.answer("200 OK", "{\"token\": \"" + token + "\", \"project_id\":\"p\"}");
      } else if (line == "POST /v1/traces" && got.header("authorization") == "Bearer " + good)
        c.answer(status);
      else if (line == "POST /v1/traces")
        c.answer("401 Unauthorized");
      else
        c.answer("400 Unexpected");
      // One connection at a time is served, and every client here keeps at most one.
      if (line != "POST /v1/traces") return;
    }
  }
  scripted_server::handler handler() {
    return [this](connection& c) { serve(c); };
  }
  std::string base(scripted_server const& at) const { return at.url(""); }
};

fulgurite_test::record_builder one_span() {
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  return builder;
}

/// A cloud at this server.
fg::agentops_options cloud(stage const& here, server_of_ours const& ours, scripted_server const& server) {
  fg::agentops_options options = here.options();
  options.managed = false;
  options.api_key = "key";
  options.endpoint = ours.base(server);
  options.exporter_endpoint = server.url("/v1/traces");
  return options;
}

}  // namespace

TEST_CASE("a server that runs is found, asked for a token, and given the spans") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  here.announce(ours.base(server));
  {
    fg::agentops_exporter exporter(here.options());
    CHECK(exporter.export_spans(one_span().batch()).is_success());
    CHECK(exporter.export_spans(one_span().batch()).is_success());
    CHECK(exporter.shutdown({}));
    CHECK(exporter.export_spans(one_span().batch()).failed > 0);
  }
  CHECK(ours.requests ==
        std::vector<std::string>{"GET /health", "POST /v3/auth/token", "POST /v1/traces", "POST /v1/traces"});
  CHECK(ours.tokens == std::vector<std::string>{"{\"api_key\":\"dummy\"}"});
  // So that the server does not end before us.
  CHECK(ours.owners == std::vector<std::string>{std::to_string(getpid())});
}

TEST_CASE("without one the command is run: no descriptor, no signal, no child of the program's") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  here.command(
      "echo \"$@\" > $ROOT/arguments\n"
      "ls -l /proc/$$/fd > $ROOT/descriptors\n"
      "grep PPid /proc/$$/status > $ROOT/status\ngrep -E '^Sig(Blk|Ign)' /proc/self/status >> $ROOT/status\n"
      "env > $ROOT/environment\n"
      "echo listening on " +
      ours.base(server) + "\nsleep 0.2");
  int leaked[2];
  REQUIRE(pipe(leaked) == 0);
  sigset_t term, before;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, &before);
  const auto old = std::signal(SIGUSR1, SIG_IGN);
  static std::atomic<int> children{0};
  children = 0;
  const auto old_child = std::signal(SIGCHLD, [](int) { ++children; });
  setenv("LD_PRELOAD", "", 1);
  fg::agentops_exporter exporter(here.options());
  CHECK(exporter.export_spans(one_span().batch()).is_success());
  unsetenv("LD_PRELOAD");
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
  std::this_thread::sleep_for(300ms);  // the command has ended
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(children == 0);
  std::signal(SIGCHLD, old_child);
  std::signal(SIGUSR1, old);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(leaked[0]);
  ::close(leaked[1]);
  CHECK(here.file("arguments") ==
        "serve --managed --port 0 --data " + here.data() + " --owner-pid " + std::to_string(getpid()) + "\n");
  CHECK(here.file("environment").find("LD_PRELOAD") == std::string::npos);
  CHECK(here.file("environment").find("PATH=") != std::string::npos);
  const std::string status = here.file("status");
  CHECK(status.find("PPid:\t" + std::to_string(getpid()) + "\n") == std::string::npos);
  CHECK(status.find("SigBlk:\t0000000000000000") != std::string::npos);
  CHECK(status.find("SigIgn:\t0000000000000000") != std::string::npos);
  // Its three, and the shell's own for the script; none of ours.
  const std::string descriptors = here.file("descriptors");
  CHECK(descriptors.find(" 0 -> /dev/null") != std::string::npos);
  CHECK(descriptors.find("socket:") == std::string::npos);
  std::size_t pipes = 0;
  for (std::size_t at = 0; (at = descriptors.find("pipe:", at)) != std::string::npos; ++at) ++pipes;
  CHECK(pipes <= 2);
}

TEST_CASE("a server that outlives the program is not told of an owner") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  here.command("echo \"$@\" > $ROOT/arguments\necho listening on " + ours.base(server));
  fg::agentops_options options = here.options();
  options.daemon = false;
  CHECK(fg::agentops_exporter(options).export_spans(one_span().batch()).is_success());
  CHECK(here.file("arguments") == "serve --managed --port 0 --data " + here.data() + "\n");
}

TEST_CASE("an announcement that nobody answers is stale: a server is started") {
  const stage here;
  server_of_ours ours;
  std::string gone;
  {
    const scripted_server closed({[](connection&) {}});
    gone = closed.url("");
  }
  const scripted_server server({ours.handler()});
  here.announce(gone);
  here.command("echo listening on " + ours.base(server));
  CHECK(fg::agentops_exporter(here.options()).export_spans(one_span().batch()).is_success());
}

TEST_CASE("a server that goes away is found again, and a token that ran out is fetched again") {
  const stage here;
  server_of_ours first, second;
  auto old = std::make_unique<scripted_server>(std::vector<scripted_server::handler>{first.handler()});
  here.announce(old->url(""));
  fg::agentops_exporter exporter(here.options());
  CHECK(exporter.export_spans(one_span().batch()).is_success());
  exporter.interrupt();  // nothing is under way: nothing happens

  const scripted_server next({[&](connection& c) { second.serve(c); }});
  here.announce(next.url(""));
  // The old one refuses the token once, then is no more.
  first.status = "401 Unauthorized";
  CHECK(exporter.export_spans(one_span().batch()).is_success());
  CHECK(second.requests.back() == "POST /v1/traces");
}

TEST_CASE("a server that is just ending: another is looked for, also at the end of the program, and nothing is lost") {
  const auto ends_at_token = [](const char* answer) {
    return [answer](connection& c) {
      const connection::request got = c.read_request();
      if (got.head.starts_with("GET /health"))
        c.answer("200 OK", "{\"status\":\"ok\"}");
      else if (answer)
        c.answer(answer);
    };
  };
  for (const char* answer : {static_cast<const char*>(nullptr), "503 Service Unavailable"})
    for (const bool hurried : {false, true}) {
      const stage here;
      const scripted_server ending({ends_at_token(answer)});
      server_of_ours ours;
      const scripted_server next({ours.handler()});
      here.announce(ending.url(""));
      here.command("echo x >> $ROOT/starts\necho listening on " + next.url(""));
      fg::agentops_exporter exporter(here.options());
      if (hurried) exporter.hurry();
      CHECK(exporter.export_spans(one_span().batch()).is_success());
      CHECK(ours.requests == std::vector<std::string>{"POST /v3/auth/token", "POST /v1/traces"});
      CHECK(here.file("starts") == "x\n");
      CHECK(here.says("looked for once more: no token from " + ending.url("/v3/auth/token")));
      CHECK(here.complaints().empty());
    }
}

TEST_CASE("a server that goes in the middle of a batch: only what is lost in the end is said to be lost") {
  for (const bool hurried : {false, true}) {
    const stage here;
    server_of_ours ours;
    const auto drops = [](connection& c) {
      const connection::request got = c.read_request();
      if (got.head.starts_with("POST /v3")) c.answer("200 OK", "{\"token\":\"the-token\"}");
    };
    const scripted_server dropping({drops});  // takes requests and closes
    const scripted_server next({ours.handler()});
    here.command("if [ -e $ROOT/first ]; then echo listening on " + next.url("") +
                 "; else touch $ROOT/first; echo listening on " + dropping.url("") + "; fi");
    fg::agentops_exporter exporter(here.options());
    if (hurried) exporter.hurry();
    CHECK(exporter.export_spans(one_span().batch()).is_success());
    CHECK(ours.requests == std::vector<std::string>{"POST /v3/auth/token", "POST /v1/traces"});
    CHECK(here.says("looked for once more: " + dropping.url()));
    CHECK(here.complaints().empty());

    here.command("echo listening on " + dropping.url(""));
    fg::agentops_exporter unlucky(here.options());
    if (hurried) unlucky.hurry();
    CHECK(unlucky.export_spans(one_span().batch()).failed > 0);
    CHECK(here.complaints().find("a batch was not delivered: " + dropping.url()) != std::string::npos);
  }
}

TEST_CASE("not installed: said once, and no batch is lost in silence") {
  const stage here;
  fg::agentops_exporter exporter(here.options());
  for (int i = 0; i < 3; ++i) CHECK(exporter.export_spans(one_span().batch()).failed > 0);
  CHECK(here.says("`fulgurite` is not in PATH"));
  const fg::health_report health = exporter.check_health(std::chrono::steady_clock::now() + 1s);
  CHECK_FALSE(health.reachable);
  CHECK(health.reason.find("not in PATH") != std::string::npos);
}

TEST_CASE("what the command says instead of an address is quoted; addresses elsewhere are not believed") {
  for (const char* script :
       {"echo another process holds the lock >&2; exit 1", "echo listening on http://example.org:80",
        "echo listening on https://127.0.0.1:1", "exit 1"}) {
    const stage here;
    here.command(script);
    CHECK(fg::agentops_exporter(here.options()).export_spans(one_span().batch()).failed > 0);
    CHECK(here.says("the local server did not start"));
    if (std::string_view(script) == "exit 1") CHECK(here.says("bin/fulgurite exited with status 1 before it said"));
    if (std::string_view(script).find("lock") != std::string_view::npos)
      CHECK(here.says("another process holds the lock"));
  }
}

TEST_CASE("a command that says nothing is not waited for beyond the time limit or an interruption") {
  const stage here;
  here.command("exec sleep 20");
  fg::agentops_options options = here.options();
  options.timeout = 100ms;
  auto start = std::chrono::steady_clock::now();
  CHECK(fg::agentops_exporter(options).export_spans(one_span().batch()).failed > 0);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(here.says("did not say in time"));

  options.timeout = 15s;
  fg::agentops_exporter exporter(options);
  std::atomic<bool> done{false};
  std::thread interrupter([&] {
    while (!done) {
      std::this_thread::sleep_for(5ms);
      exporter.interrupt();
    }
  });
  start = std::chrono::steady_clock::now();
  CHECK(exporter.export_spans(one_span().batch()).failed > 0);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
  done = true;
  interrupter.join();
}

TEST_CASE("failures are not repeated within the interval") {
  const stage here;
  here.command("echo x >> $ROOT/starts; exit 1");
  fg::agentops_options options = here.options();
  options.restart_interval = 1h;
  fg::agentops_exporter exporter(options);
  for (int i = 0; i < 5; ++i) CHECK(exporter.export_spans(one_span().batch()).failed > 0);
  CHECK(here.file("starts") == "x\n");
}

TEST_CASE("a server that dies soon after its start is started again at once; one that dies again and again is not") {
  const stage here;
  server_of_ours ours;
  fg::agentops_options options = here.options();
  options.restart_interval = 1h;
  fg::agentops_exporter exporter(options);
  std::string starts;
  for (int start = 1; start <= 4; ++start) {
    const scripted_server server({ours.handler()});  // dies at the end of this round
    here.command("echo x >> $ROOT/starts\necho listening on " + ours.base(server));
    const bool delivered = exporter.export_spans(one_span().batch()).is_success();
    CHECK(delivered == (start <= 3));
    if (start <= 3) starts += "x\n";
    CHECK(here.file("starts") == starts);
  }
  CHECK(here.says("dies again and again"));
}

TEST_CASE("never in production") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  here.announce(ours.base(server));
  here.command("echo x > $ROOT/started");
  fg::agentops_options options = here.options();
  options.environment = "production";
  fg::agentops_exporter exporter(options);
  CHECK(exporter.export_spans(one_span().batch()).failed > 0);
  CHECK(here.says("not for production"));
  CHECK_FALSE(exporter.check_health({}).reachable);
  CHECK(server.connections() == 0);
  CHECK(here.file("started").empty());
}

TEST_CASE("the cloud: key for a token, then OTLP to the exporter's address") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  fg::agentops_options options = cloud(here, ours, server);
  options.api_key = "key \"1\"";
  CHECK(fg::agentops_exporter(options).export_spans(one_span().batch()).is_success());
  CHECK(ours.tokens == std::vector<std::string>{"{\"api_key\":\"key \\\"1\\\"\"}"});
  CHECK(ours.owners == std::vector<std::string>{""});
  const scripted_server refusing({[](connection& c) {
    c.read_request();
    c.answer("403 Forbidden", "{\"error\":\"unknown key\"}");
  }});
  options.endpoint = refusing.url("");
  CHECK(fg::agentops_exporter(options).export_spans(one_span().batch()).failed > 0);
  CHECK(here.says("HTTP 403 {\"error\":\"unknown key\"}"));
}

TEST_CASE("the cloud's token is renewed when it is refused, but not again and again; batches are not lost by it") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  fg::agentops_options options = cloud(here, ours, server);
  options.renewal_interval = 0ms;
  {
    fg::agentops_exporter eager(options);
    CHECK(eager.export_spans(one_span().batch()).is_success());
    ours.good = ours.token = "the-next";
    CHECK(eager.export_spans(one_span().batch()).is_success());
  }
  CHECK(ours.tokens.size() == 2);
  CHECK(here.says("https://app.agentops.ai/sessions?trace_id="));

  options.renewal_interval = 1h;
  fg::agentops_exporter patient(options);
  CHECK(patient.export_spans(one_span().batch()).is_success());
  CHECK(ours.tokens.size() == 3);
  // The first one may have been revoked meanwhile.
  ours.good = ours.token = "the-one-after";
  CHECK(patient.export_spans(one_span().batch()).is_success());
  CHECK(ours.tokens.size() == 4);
  ours.good = "another";
  for (int i = 0; i < 3; ++i) CHECK(patient.export_spans(one_span().batch()).failed > 0);
  CHECK(ours.tokens.size() == 4);
  CHECK(here.says("answered HTTP 401"));
}

TEST_CASE("the cloud's token is renewed before it runs out") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  fg::agentops_options options = cloud(here, ours, server);
  options.renewal_interval = 0ms;
  ours.token = ours.good = "e30.eyJleHAiOjEzMDA4MTkzODB9.c";  // {"exp":1300819380}, which is long past
  fg::agentops_exporter exporter(options);
  for (std::size_t i = 1; i <= 3; ++i) {
    CHECK(exporter.export_spans(one_span().batch()).is_success());
    CHECK(ours.tokens.size() == i);
  }
  ours.token = ours.good = "no JSON Web Token";
  for (int i = 0; i < 3; ++i) CHECK(exporter.export_spans(one_span().batch()).is_success());
  CHECK(ours.tokens.size() == 4);
}

TEST_CASE("a server's health") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  here.announce(ours.base(server));
  fg::agentops_exporter exporter(here.options());
  const fg::health_report health = exporter.check_health(std::chrono::steady_clock::now() + 5s);
  CHECK(health.reachable);
  CHECK(health.endpoint == server.url("/health"));
  const scripted_server hanging({[](connection& c) { c.wait_for_end(); }});
  here.announce(hanging.url(""));
  const fg::health_report silent = exporter.check_health(std::chrono::steady_clock::now() + 50ms);
  CHECK_FALSE(silent.reachable);
  CHECK(silent.endpoint == hanging.url("/health"));
  CHECK(silent.reason == "no answer within the time limit");
}

TEST_CASE("the cloud's health: whether it gives a token for the key") {
  const stage here;
  server_of_ours ours;
  const scripted_server server({ours.handler()});
  fg::agentops_options options = cloud(here, ours, server);
  options.api_key.clear();
  const auto ask = [&options] {
    return fg::agentops_exporter(options).check_health(std::chrono::steady_clock::now() + 5s);
  };
  CHECK(ask().reason == "there is no API key (AGENTOPS_API_KEY)");
  CHECK(ours.tokens.empty());
  options.api_key = "key-of-mine";
  CHECK(ask().reachable);
  CHECK(ours.tokens.size() == 1);
  CHECK(ask().endpoint == server.url("/v3/auth/token"));
  const scripted_server refusing({[](connection& c) {
    c.read_request();
    c.answer("401 Unauthorized", "key-of-mine is unknown");
  }});
  options.endpoint = refusing.url("");
  const fg::health_report refused = ask();
  CHECK_FALSE(refused.reachable);
  CHECK(refused.reason.find("HTTP 401") != std::string::npos);
  CHECK(refused.reason.find("key-of-mine") == std::string::npos);
}

TEST_CASE("once hurried a batch gets one attempt, on the channel that is there and on a new one") {
  for (const bool connected_before : {false, true}) {
    const stage here;
    server_of_ours ours;
    const scripted_server server({ours.handler()});
    here.announce(ours.base(server));
    fg::agentops_options options = here.options();
    options.timeout = 2h;
    options.delivery = {.max_attempts = 9, .initial_backoff = 1h, .max_backoff = 1h, .jitter = 0};
    fg::agentops_exporter exporter(options);
    if (connected_before) CHECK(exporter.export_spans(one_span().batch()).is_success());
    ours.status = "503 No";
    exporter.hurry();
    CHECK(exporter.export_spans(one_span().batch()).failed > 0);
    CHECK(exporter.stats().retried == 0);
    CHECK(here.says("the program ended, or shut its tracer down, before the next attempt"));
  }
}
