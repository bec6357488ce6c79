// A tracer with a spool, from the span to the backend: the accounts, the order, the end of the program, forks.
#include <fulgurite/exporter/agentops.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"
#include "../spool_folder.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using fulgurite_test::spool_folder;
using namespace std::chrono_literals;

namespace {

/// A backend whose answers a test changes while it runs. An empty answer: it hangs.
struct backend {
  std::mutex mutex;
  std::string says = "200 OK", body, more;
  /// The names of the spans that it took, `span-00000` and so on, in the order of their arrival.
  std::vector<std::string> names;
  std::vector<connection::request> requests;
  std::atomic<int> attempts{0};
  scripted_server server{{[this](connection& c) { serve(c); }}};

  void serve(connection& c) {
    for (;;) {
      connection::request got = c.read_request();
      if (got.head.empty()) return;
      ++attempts;
      std::unique_lock lock(mutex);
      if (got.head.find(" /v3/auth/token ") != std::string::npos) {
        lock.unlock();
        c.answer("200 OK", "{\"token\":\"the-token\"}");
        continue;
      }
      const std::string status = says;
      if (status.starts_with("200"))
        for (std::size_t at = got.body.find("span-"); at != std::string::npos; at = got.body.find("span-", at + 1))
          names.push_back(got.body.substr(at, 10));
      requests.push_back(std::move(got));
      const std::string with = body, head = more;
      lock.unlock();
      if (status.empty()) return c.wait_for_end();
      c.answer(status, with, "Content-Type: application/x-protobuf\r\n" + head);
    }
  }
  void say(std::string status, std::string with = {}, std::string head = {}) {
    const std::lock_guard lock(mutex);
    says = std::move(status);
    body = std::move(with);
    more = std::move(head);
  }
  std::vector<std::string> arrived() {
    const std::lock_guard lock(mutex);
    return names;
  }
};

std::string name_of(int index) {
  char text[16];
  std::snprintf(text, sizeof text, "span-%05d", index);
  return text;
}
std::vector<std::string> names(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i < to; ++i) all.push_back(name_of(i));
  return all;
}

fg::otlp_http_options to(backend const& at, spool_folder const& folder) {
  fg::otlp_http_options options;
  options.endpoint = at.server.url();
  options.headers = {{"Authorization", "Bearer secret-credential"}};
  options.gzip = false;
  options.timeout = 5s;
  options.delivery.max_attempts = 2;
  options.delivery.initial_backoff = 10ms;
  options.delivery.max_backoff = 20ms;
  options.delivery.spool = folder.path();
  return options;
}

/// A tracer, and spans named by their number.
template <class Exporter>
struct tracing {
  fg::tracer<fg::always_on_sampler, Exporter> tracer;

  explicit tracing(Exporter exporter, std::size_t batch = 10)
      : tracer(fg::resource{.service_name = "spooling"}, fg::always_on_sampler{}, std::move(exporter), {},
               fg::batch_processor<>{fg::batch_options{.max_batch_size = batch, .schedule_delay = 5ms}}) {}

  void make(int from, int to) {
    for (int i = from; i < to; ++i) auto span = tracer.trace_context(fg::span_name(std::string_view(name_of(i))));
  }
  /// The accounts, which must add up.
  fg::tracer_stats stats() {
    const fg::tracer_stats now = tracer.stats();
    CHECK(now.sampled == now.exported + now.failed + now.dropped + now.discarded + now.queued);
    CHECK(now.spooled <= now.queued);
    return now;
  }
};
template <class Exporter>
tracing(Exporter) -> tracing<Exporter>;
template <class Exporter>
tracing(Exporter, std::size_t) -> tracing<Exporter>;

template <class Condition>
bool eventually(Condition&& condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

struct quiet {
  quiet() {
    fg::set_log_handler([this](fg::log_level, std::string_view text) {
      const std::lock_guard lock(mutex);
      said.append(text).append("\n");
    });
  }
  ~quiet() { fg::set_log_handler({}); }
  bool has(std::string_view part) {
    const std::lock_guard lock(mutex);
    return said.find(part) != std::string::npos;
  }
  std::mutex mutex;
  std::string said;
};

}  // namespace

TEST_CASE("down and back without a restart: everything in order, and the accounts are right at every step") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  tracing t(fg::otlp_http_exporter(to(at, folder)));
  t.make(0, 100);
  CHECK_FALSE(t.tracer.force_flush(30s));
  fg::tracer_stats now = t.stats();
  CHECK(now.sampled == 100);
  CHECK(now.spooled == 100);
  CHECK(now.queued == 100);
  CHECK(now.exported == 0);
  CHECK(now.failed == 0);
  CHECK(folder.batches().size() >= 10);
  CHECK(log.has("batches are kept in the spool until they can be delivered: "));

  at.say("200 OK");
  // Nobody flushes and no span is made: the exporter's thread finds out by itself.
  CHECK(eventually([&] { return t.tracer.stats().spooled == 0; }));
  CHECK(at.arrived() == names(0, 100));
  now = t.stats();
  CHECK(now.exported == 100);
  CHECK(now.queued == 0);
  CHECK(now.replayed == 0);
  CHECK(now.retried > 0);
  t.make(100, 120);
  CHECK(t.tracer.force_flush(30s));
  CHECK(at.arrived() == names(0, 120));
  CHECK(t.stats().exported == 120);
  CHECK(folder.batches().empty());
}

TEST_CASE("what is on the disk is private and holds no credential") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  tracing t(fg::otlp_http_exporter(to(at, folder)));
  t.make(0, 1);
  CHECK_FALSE(t.tracer.force_flush(30s));
  REQUIRE(folder.batches().size() == 1);
  const auto file = folder.batches()[0];
  using std::filesystem::perms;
  CHECK(std::filesystem::status(file).permissions() == (perms::owner_read | perms::owner_write));
  CHECK(std::filesystem::status(file.parent_path()).permissions() == perms::owner_all);
  CHECK(std::filesystem::status(file.parent_path().parent_path()).permissions() == perms::owner_all);
  CHECK(spool_folder::content(file).find("span-00000") != std::string::npos);
  CHECK(spool_folder::content(file).find("secret-credential") == std::string::npos);
  at.say("200 OK");
  CHECK(t.tracer.force_flush(30s));
  // It is sent as it would have been.
  const std::lock_guard lock(at.mutex);
  CHECK(at.requests.back().body == at.requests.front().body);
  CHECK(at.requests.back().header("authorization") == "Bearer secret-credential");
  CHECK(at.requests.back().header("content-type") == "application/x-protobuf");
}

TEST_CASE("the program ends with the backend down: the next one delivers it, before its own and before any span") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  {
    tracing t(fg::otlp_http_exporter(to(at, folder)));
    t.make(0, 50);
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(t.tracer.shutdown(20s));
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    CHECK(t.stats().spooled == 50);
    CHECK(t.stats().dropped == 0);
  }
  at.say("200 OK");
  tracing t(fg::any_exporter(fg::otlp_http_exporter(to(at, folder))));
  CHECK(eventually([&] { return t.tracer.stats().replayed == 50; }));
  CHECK(at.arrived() == names(0, 50));
  t.make(50, 60);
  CHECK(t.tracer.force_flush(30s));
  CHECK(at.arrived() == names(0, 60));
  const fg::tracer_stats now = t.stats();
  CHECK(now.exported == 10);
  CHECK(now.sampled == 10);
  CHECK(folder.batches().empty());
}

TEST_CASE("the program ends with a backend that hangs: within its time, and all of it in the spool") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("");
  {
    fg::otlp_http_options options = to(at, folder);
    options.timeout = 60s;
    tracing t(fg::otlp_http_exporter(options), 10);
    t.make(0, 500);
    CHECK(eventually([&] { return at.attempts > 0; }));  // in the middle of a request
    const auto start = std::chrono::steady_clock::now();
    CHECK_FALSE(t.tracer.shutdown(4s));
    CHECK(std::chrono::steady_clock::now() - start < 4500ms);
    const fg::tracer_stats now = t.stats();
    CHECK(now.spooled == 500);
    CHECK(now.dropped == 0);
  }
  at.say("200 OK");
  tracing t(fg::otlp_http_exporter(to(at, folder)));
  CHECK(t.tracer.force_flush(30s));
  CHECK(eventually([&] { return t.tracer.stats().replayed == 500; }));
  CHECK(at.arrived() == names(0, 500));
}

TEST_CASE("refused when it comes out of the spool: failed, and in no other count") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  tracing t(fg::otlp_http_exporter(to(at, folder)), 100);
  t.make(0, 20);
  CHECK_FALSE(t.tracer.force_flush(30s));
  SUBCASE("all of it") {
    at.say("400 Bad Request");
    CHECK_FALSE(t.tracer.force_flush(30s));
    CHECK(t.stats().dropped_by(fg::drop_cause::export_failed) == 20);
    CHECK(t.stats().exported == 0);
    CHECK(log.has("a batch was not delivered: " + at.server.url() + " answered HTTP 400"));
  }
  SUBCASE("some of it") {
    at.say("200 OK", std::string("\x0a\x02\x08\x05", 4));  // partial_success.rejected_spans = 5
    CHECK_FALSE(t.tracer.force_flush(30s));
    CHECK(t.stats().dropped_by(fg::drop_cause::rejected) == 5);
    CHECK(t.stats().exported == 15);
  }
  SUBCASE("more than there was") {
    at.say("200 OK", std::string("\x0a\x03\x08\xff\x7f", 5));
    CHECK_FALSE(t.tracer.force_flush(30s));
    CHECK(t.stats().dropped_by(fg::drop_cause::rejected) == 20);
    CHECK(t.stats().exported == 0);
  }
  SUBCASE("a wrong key refuses nothing for good") {
    at.say("401 Unauthorized");
    CHECK_FALSE(t.tracer.force_flush(30s));
    CHECK(t.stats().spooled == 20);
    at.say("200 OK");
    CHECK(t.tracer.force_flush(30s));
    CHECK(t.stats().exported == 20);
  }
  CHECK(t.stats().queued == 0);
  CHECK(folder.batches().empty());
}

TEST_CASE("what an exporter says of a batch that it keeps is settled later, in its own counts") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  fg::otlp_http_options options = to(at, folder);
  options.delivery.initial_backoff = options.delivery.max_backoff = 1h;
  fg::otlp_http_exporter exporter(options);
  fulgurite_test::record_builder made;
  for (int i = 0; i < 20; ++i) made.add(fg::span_data{});
  const auto in = [](std::chrono::seconds time) { return std::chrono::steady_clock::now() + time; };
  const fg::batch_outcome kept = exporter.export_spans(made.batch());
  CHECK(kept.is_success());
  CHECK(kept.spooled == 20);
  CHECK(kept.spans() == 20);
  CHECK(kept.kind == fg::failure_kind::unavailable);
  CHECK(kept.reason.starts_with(at.server.url() + " answered HTTP 503"));
  const fg::batch_outcome behind = exporter.export_spans(made.batch());
  CHECK(behind.spooled == 20);
  CHECK(behind.spans() == 20);
  CHECK(at.attempts == 1);
  CHECK(exporter.stats().spooled == 40);
  CHECK(exporter.stats().settled.spans() == 0);
  std::uint64_t exported = 0, rejected = 0, failed = 0;
  SUBCASE("delivered") {
    at.say("200 OK");
    CHECK(exporter.flush(in(10s)));
    exported = 40;
  }
  SUBCASE("delivered but for some") {
    at.say("200 OK", std::string("\x0a\x02\x08\x05", 4));  // partial_success.rejected_spans = 5, of each request
    exporter.flush(in(10s));
    exported = 30, rejected = 10;
  }
  SUBCASE("refused") {
    at.say("400 Bad Request");
    CHECK_FALSE(exporter.flush(in(10s)));
    failed = 40;
  }
  fg::exporter_stats stats = exporter.stats();
  CHECK(stats.spooled == 0);
  CHECK(stats.settled.exported == exported);
  CHECK(stats.settled.rejected == rejected);
  CHECK(stats.settled.failed == failed);
  CHECK(stats.settled.spans() == 40);
  // What goes past the spool has its outcome at once, and is settled nowhere.
  at.say("200 OK");
  CHECK(exporter.export_spans(made.batch()).exported == 20);
  at.say("400 Bad Request");
  const fg::batch_outcome refused = exporter.export_spans(made.batch());
  CHECK(refused.failed == 20);
  CHECK(refused.spans() == 20);
  CHECK(refused.kind == fg::failure_kind::refused);
  stats = exporter.stats();
  CHECK(stats.spooled == 0);
  CHECK(stats.settled.spans() == 40);
}

TEST_CASE("a batch of several requests: each is kept by itself") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  fg::detail::http_wire_options wire;
  REQUIRE(fg::detail::parse_endpoint(at.server.url(), wire.endpoint).empty());
  const fg::detail::channel_options options{.delivery = to(at, folder).delivery, .limits = {.bytes = 400}};
  const auto spool = std::make_shared<fg::detail::spooled_delivery>(options.delivery, "to");
  fg::memory_exporter store;
  fg::detail::otlp_channel channel(options, wire, spool);
  struct forwarding {
    fg::detail::otlp_channel* channel;
    fg::batch_outcome* became;
    fg::batch_outcome export_spans(fg::span_batch const& batch) {
      fg::batch_outcome outcome = channel->send(batch, std::chrono::steady_clock::now() + 5s);
      *became += outcome;
      return outcome;
    }
    bool flush(fg::deadline) { return true; }
    bool shutdown(fg::deadline) { return true; }
  };
  fg::batch_outcome became;
  tracing t(forwarding{&channel, &became}, 1000);
  t.make(0, 40);
  CHECK(t.tracer.force_flush(30s));
  CHECK(folder.batches().size() > 5);
  CHECK(spool->counts().waiting == 40);
  CHECK(became.spooled == 40);
  CHECK(became.spans() == 40);
  CHECK(became.is_success());
  CHECK(became.kind == fg::failure_kind::unavailable);
  CHECK(became.reason.find("HTTP 503") != std::string::npos);
  at.say("200 OK");
  CHECK(channel.flush(std::chrono::steady_clock::now() + 30s, std::chrono::steady_clock::now() + 5s));
  CHECK(spool->counts().waiting == 0);
  CHECK(spool->counts().exported == 40);
  const std::lock_guard lock(at.mutex);
  CHECK(at.requests.back().header("content-encoding") == "gzip");
}

TEST_CASE("a spool that cannot be written: as without one") {
  quiet log;
  const spool_folder folder;
  spool_folder::write(folder.path() + "/file", "");
  backend at;
  fg::otlp_http_options options = to(at, folder);
  options.delivery.spool = folder.path() + "/file";
  tracing t(fg::otlp_http_exporter(options), 100);
  t.make(0, 20);
  CHECK(t.tracer.force_flush(30s));
  CHECK(t.stats().exported == 20);
  at.say("503 Service Unavailable");
  t.make(20, 40);
  CHECK_FALSE(t.tracer.force_flush(30s));
  CHECK(t.stats().failed == 20);
  CHECK(log.has("batches are not kept"));
  at.say("200 OK");
  t.make(40, 60);
  CHECK(t.tracer.force_flush(30s));
  CHECK(t.stats().exported == 40);
}

TEST_CASE("a full spool refuses the newest, counts it as failed, and never loses what it has") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  fg::otlp_http_options options = to(at, folder);
  options.delivery.spool_max_bytes = 5 * 4096;
  options.delivery.initial_backoff = options.delivery.max_backoff = 1ms;
  tracing t(fg::otlp_http_exporter(options), 10);
  t.make(0, 100);
  CHECK_FALSE(t.tracer.force_flush(30s));
  const fg::tracer_stats now = t.stats();
  CHECK(now.spooled > 0);
  CHECK(now.spooled <= 50);
  CHECK(now.dropped_by(fg::drop_cause::export_failed) == 100 - now.spooled);
  CHECK(log.has("it is full"));
  const int kept = static_cast<int>(now.spooled);
  at.say("200 OK");
  CHECK(t.tracer.force_flush(30s));
  CHECK(at.arrived() == names(0, kept));
}

TEST_CASE("the child of a fork leaves its parent's batches alone and keeps its own") {
  quiet log;
  const spool_folder folder;
  backend at;
  at.say("503 Service Unavailable");
  tracing t(fg::otlp_http_exporter(to(at, folder)), 100);
  t.make(0, 10);
  CHECK_FALSE(t.tracer.force_flush(30s));
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = t.tracer.stats().spooled == 0;
    t.make(100, 105);
    // The backend is busy with the parent's connection.
    good = !t.tracer.shutdown(2s) && good;
    good = t.tracer.stats().spooled == 5 && t.tracer.stats().queued == 5 && good;
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(folder.batches().size() == 2);
  CHECK(t.stats().spooled == 10);
  at.say("200 OK");
  CHECK(t.tracer.force_flush(30s));
  // What the child left is taken over when the own is delivered.
  CHECK(eventually([&] { return t.tracer.stats().replayed == 5; }));
  CHECK(at.arrived().size() == 15);
  CHECK(t.stats().exported == 10);
}

TEST_CASE("AgentOps: while there is nobody, and when somebody comes") {
  quiet log;
  const spool_folder folder;
  backend at;
  fg::agentops_options options;
  options.managed = false;
  options.api_key = "secret-credential";
  options.gzip = false;
  options.restart_interval = options.renewal_interval = 10ms;
  options.delivery.initial_backoff = options.delivery.max_backoff = 10ms;
  options.delivery.spool = folder.path();
  options.endpoint = "http://127.0.0.1:1";
  options.exporter_endpoint = at.server.url();
  {
    tracing t{fg::agentops_exporter(options)};
    t.make(0, 30);
    CHECK_FALSE(t.tracer.force_flush(30s));
    CHECK(t.stats().spooled == 30);
    CHECK_FALSE(t.tracer.shutdown(5s));
    CHECK(t.stats().dropped == 0);
  }
  for (auto const& file : folder.batches())
    CHECK(spool_folder::content(file).find("secret-credential") == std::string::npos);
  options.endpoint = at.server.url("");
  at.say("503 Service Unavailable");
  tracing t{fg::any_exporter(fg::agentops_exporter(options))};
  t.make(30, 40);
  CHECK_FALSE(t.tracer.force_flush(10s));
  CHECK(t.stats().spooled == 10);
  at.say("200 OK");
  CHECK(eventually([&] { return t.tracer.stats().spooled == 0; }));
  CHECK(at.arrived() == names(0, 40));
  const fg::tracer_stats now = t.stats();
  CHECK(now.replayed == 30);
  CHECK(now.exported == 10);
  // The token runs out: another is fetched, and nothing is lost.
  at.say("401 Unauthorized");
  t.make(40, 50);
  CHECK_FALSE(t.tracer.force_flush(10s));
  at.say("200 OK");
  CHECK(eventually([&] { return t.tracer.stats().exported == 20; }));
  CHECK(at.arrived() == names(0, 50));
}

TEST_CASE("AgentOps where nothing can ever be delivered keeps nothing") {
  quiet log;
  const spool_folder folder;
  fg::agentops_options options;
  options.environment = "production";
  options.delivery.spool = folder.path();
  tracing t{fg::agentops_exporter(options)};
  t.make(0, 10);
  CHECK_FALSE(t.tracer.force_flush(30s));
  CHECK(t.stats().failed == 10);
  CHECK(std::filesystem::is_empty(folder.path()));
}
