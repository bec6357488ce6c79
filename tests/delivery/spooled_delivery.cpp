#include <fulgurite/delivery/spooled_delivery.hpp>

#include "../spool_folder.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite::failure_kind;
using fulgurite_test::spool_folder;
using what = spooled_delivery::outcome;

namespace {

/// A backend that remembers what arrived, and says to each attempt what the test wants.
struct backend {
  attempt says{attempt::outcome::delivered};
  std::vector<std::string> arrived = {};
  std::vector<batch_origin> origins = {};
  int attempts = 0;

  attempt operator()(spooled_request const& request, batch_origin origin) {
    ++attempts;
    if (says.result == attempt::outcome::delivered) {
      arrived.emplace_back(reinterpret_cast<const char*>(request.body.data()), request.body.size());
      origins.push_back(origin);
    }
    return says;
  }
};
const attempt down{.result = attempt::outcome::retry, .reason = "down", .kind = failure_kind::unreachable};
const attempt refused{.reason = "bad request", .kind = failure_kind::refused};

spooled_request request(std::string_view body, std::uint32_t spans = 1) {
  return {std::as_bytes(std::span(body)), "t", "", spans};
}

fulgurite::delivery_options to(spool_folder const& folder, std::chrono::milliseconds pause = 1h) {
  fulgurite::delivery_options options;
  options.initial_backoff = options.max_backoff = pause;
  options.jitter = 0;
  options.spool = folder.path();
  return options;
}
using strings = std::vector<std::string>;

struct quiet {
  quiet() {
    fulgurite::set_log_handler([](fulgurite::log_level, std::string_view) {});
  }
  ~quiet() { fulgurite::set_log_handler({}); }
};
}  // namespace

TEST_CASE("a backend that answers: the disk is not touched") {
  const spool_folder folder;
  spooled_delivery spooled(to(folder), "to");
  backend up;
  CHECK(spooled.deliver(request("a"), false, up).what == what::delivered);
  CHECK(spooled.idle_at() == spooled_delivery::time_point::max());
  CHECK(up.arrived == strings{"a"});
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("down: one attempt, then straight into the spool; back: everything in order") {
  const spool_folder folder;
  spooled_delivery spooled(to(folder), "to");
  backend server{down};
  const auto first = spooled.deliver(request("1"), false, server);
  CHECK(first.what == what::kept);
  CHECK(first.last.reason == "down");
  CHECK(first.last.kind == failure_kind::unreachable);
  CHECK(spooled.why() == failure_kind::unreachable);
  for (const char* body : {"2", "3", "4", "5", "6", "7"}) {
    const auto next = spooled.deliver(request(body), false, server);
    CHECK(next.what == what::kept);
    CHECK(next.last.reason.empty());  // nothing was tried
    CHECK(next.last.kind == failure_kind::none);
  }
  CHECK(server.attempts == 1);
  CHECK(spooled.counts().waiting == 7);
  const auto now = std::chrono::steady_clock::now();
  CHECK(spooled.idle_at() > now + 59min);
  CHECK(spooled.idle_at() < now + 61min);
  CHECK_FALSE(spooled.replay(server));  // not due
  CHECK(server.attempts == 1);

  server.says = {attempt::outcome::delivered};
  spooled.answered();  // somebody knows
  CHECK(spooled.why() == failure_kind::none);
  CHECK(spooled.idle_at() <= std::chrono::steady_clock::now());
  CHECK(spooled.replay(server));
  CHECK(server.arrived == strings{"1"});
  // Each new one takes four old ones with it and goes behind the rest.
  CHECK(spooled.deliver(request("8"), false, server).what == what::kept);
  CHECK(server.arrived == strings{"1", "2", "3", "4", "5"});
  CHECK(spooled.deliver(request("9"), false, server).what == what::delivered);
  CHECK(server.arrived == strings{"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  CHECK(server.origins.front() == batch_origin::own);
  CHECK(server.origins.back() == batch_origin::fresh);
  CHECK(spooled.counts().waiting == 0);
  CHECK(spooled.counts().exported == 8);  // the ninth was never in it
  CHECK(folder.batches().empty());
}

TEST_CASE("the pause doubles up to its limit and starts over when the backend has answered") {
  const spool_folder folder;
  auto options = to(folder);
  options.initial_backoff = 100s;
  options.max_backoff = 350s;
  spooled_delivery spooled(options, "to");
  backend server{down};
  const auto pause = [&] {
    return std::chrono::round<std::chrono::seconds>(spooled.idle_at() - std::chrono::steady_clock::now());
  };
  spooled.deliver(request("1"), false, server);
  CHECK(pause() == 100s);
  for (const std::chrono::seconds expected : {200s, 350s, 350s, 350s, 350s, 350s, 350s, 350s}) {
    spooled.not_answered(failure_kind::unavailable);
    CHECK(spooled.why() == failure_kind::unavailable);
    CHECK(pause() == expected);
  }
  spooled.answered();
  spooled.not_answered(failure_kind::unreachable);
  CHECK(pause() == 100s);
  spooled.not_answered(failure_kind::unavailable, 17s);  // what the backend asks for goes before it
  CHECK(pause() == 17s);
  spooled.not_answered(failure_kind::unavailable, 24h * 365);
  CHECK(pause() == 1h);
}

TEST_CASE("a flush tries at once, but not before the pause that the backend asked for") {
  const spool_folder folder;
  spooled_delivery spooled(to(folder), "to");
  backend server{down};
  const auto later = std::chrono::steady_clock::now() + 1h;
  CHECK(spooled.flush(later, server));
  spooled.deliver(request("1"), false, server);
  spooled.deliver(request("2"), false, server);
  CHECK_FALSE(spooled.flush(later, server));
  CHECK(server.attempts == 2);
  server.says = {
      .result = attempt::outcome::retry, .reason = "busy", .kind = failure_kind::unavailable, .retry_after = 1h};
  CHECK_FALSE(spooled.flush(later, server));
  CHECK_FALSE(spooled.flush(later, server));
  CHECK(server.attempts == 3);
  CHECK(spooled.why() == failure_kind::unavailable);
  server.says = {attempt::outcome::delivered};
  CHECK_FALSE(spooled.flush(later, server));
  spooled.not_answered(failure_kind::other);
  CHECK_FALSE(spooled.flush(std::chrono::steady_clock::now(), server));  // no time
  CHECK(spooled.flush(later, server));
  CHECK(server.arrived == strings{"1", "2"});
}

TEST_CASE("refused is refused, before the spool and after it") {
  const spool_folder folder;
  spooled_delivery spooled(to(folder), "to");
  backend server{refused};
  const auto at_once = spooled.deliver(request("1"), false, server);
  CHECK(at_once.what == what::refused);
  CHECK(at_once.last.reason == "bad request");
  CHECK(at_once.last.kind == failure_kind::refused);
  CHECK(spooled.why() == failure_kind::none);  // it has answered
  CHECK(folder.batches().empty());
  server.says = down;
  CHECK(spooled.deliver(request("2"), false, server).what == what::kept);
  server.says = refused;
  const auto later = std::chrono::steady_clock::now() + 1h;
  CHECK_FALSE(spooled.flush(later, server));  // not all of it was delivered
  CHECK(spooled.counts().failed == 1);
  CHECK(spooled.counts().exported == 0);
  CHECK(spooled.counts().waiting == 0);
  CHECK(spooled.why() == failure_kind::none);
  CHECK(spooled.flush(later, server));
  // One that another day may bring through is kept.
  server.says = {.reason = "HTTP 401", .kind = failure_kind::access, .later = true};
  const auto for_now = spooled.deliver(request("3"), false, server);
  CHECK(for_now.what == what::kept);
  CHECK(for_now.last.reason == "HTTP 401");
  CHECK(spooled.why() == failure_kind::access);
  CHECK_FALSE(spooled.flush(later, server));
  CHECK(spooled.counts().waiting == 1);
}

TEST_CASE("what the backend does not take of a batch is told, before the spool and after it") {
  const spool_folder folder;
  spooled_delivery spooled(to(folder), "to");
  const attempt partly{.result = attempt::outcome::delivered, .rejected = 2, .message = "too old"};
  backend server{partly};
  const auto at_once = spooled.deliver(request("1", 5), false, server);
  CHECK(at_once.what == what::delivered);
  CHECK(at_once.last.rejected == 2);
  CHECK(at_once.last.message == "too old");
  CHECK(spooled.counts().rejected == 0);  // it was never in the spool
  CHECK(spooled.keep(request("2", 5)));
  CHECK(spooled.keep(request("3", 1)));
  spooled.flush(std::chrono::steady_clock::now() + 1h, server);
  CHECK(server.arrived == strings{"1", "2", "3"});
  CHECK(spooled.counts().rejected == 3);  // of one span not two
  CHECK(spooled.counts().exported == 3);
  CHECK(spooled.counts().failed == 0);
  CHECK(spooled.counts().waiting == 0);
}

TEST_CASE("where the spool takes nothing the caller goes on as without one") {
  const quiet log;
  const spool_folder folder;
  auto options = to(folder);
  options.spool_max_bytes = 4096;
  spooled_delivery spooled(options, "to");
  backend server{down};
  CHECK(spooled.deliver(request("1"), false, server).what == what::kept);
  CHECK(spooled.deliver(request("2"), false, server).what == what::not_kept);
  CHECK(server.attempts == 1);
  CHECK(spooled.why() == failure_kind::unreachable);
  server.says = {attempt::outcome::delivered};
  spooled.answered();
  CHECK(spooled.deliver(request("3"), false, server).what == what::delivered);
  CHECK(server.arrived == strings{"1", "3"});
  CHECK(spooled.counts().exported == 1);
}

TEST_CASE("at the end of the program nothing old is tried, and all of it is there for the next") {
  const spool_folder folder;
  backend server{down};
  {
    spooled_delivery spooled(to(folder, 0ms), "to");
    spooled.deliver(request("1"), false, server);
    CHECK(spooled.deliver(request("2"), true, server).what == what::kept);
    CHECK(server.attempts == 1);
    spooled.close();
    CHECK(spooled.idle_at() == spooled_delivery::time_point::max());
    CHECK(spooled.counts().waiting == 2);
    CHECK(spooled.counts().exported == 0);
  }
  server.says = {attempt::outcome::delivered};
  spooled_delivery next(to(folder), "to");
  CHECK(next.idle_at() <= std::chrono::steady_clock::now());
  CHECK(next.deliver(request("3"), false, server).what == what::delivered);
  CHECK(server.arrived == strings{"1", "2", "3"});
  CHECK(server.origins.front() == batch_origin::left_by_another);
  CHECK(next.counts().replayed == 2);
  CHECK(next.counts().exported == 0);  // of this process nothing was in it
}

TEST_CASE("damaged files hold nothing up") {
  const quiet log;
  const spool_folder folder;
  spooled_delivery spooled(to(folder, 0ms), "to");
  backend server{down};
  for (const char* body : {"1", "2", "3"}) spooled.keep(request(body));
  spool_folder::write(folder.batches()[0], "");
  spool_folder::write(folder.batches()[2], "");
  server.says = {attempt::outcome::delivered};
  CHECK(spooled.replay(server));
  CHECK(spooled.replay(server));
  CHECK(server.arrived == strings{"2"});
  CHECK(spooled.idle_at() == spooled_delivery::time_point::max());
  CHECK(spooled.counts().failed == 2);
  CHECK(spooled.counts().exported == 1);
}
