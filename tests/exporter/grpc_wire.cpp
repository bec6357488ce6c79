// Against other people's servers: tests/integration/grpc_reference.py, grpc_faults.py.
#include <fulgurite/exporter/grpc_wire.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite::failure_kind;
using fulgurite_test::connection;
using fulgurite_test::refusing_port;
using fulgurite_test::scripted_server;

TEST_CASE("nobody listens: worth another attempt, and no secret in what is said") {
  const refusing_port port;
  const std::string address = "http://127.0.0.1:" + std::to_string(port.port());
  grpc_wire wire({.endpoint = {false, "127.0.0.1", port.port(), "/v1/traces?key=secret"},
                  .headers = {{"authorization", "secret"}}});
  CHECK(wire.address() == address);
  CHECK(wire.settings_for_child().headers.size() == 1);
  const attempt made = wire.post({{}, wire.content_type(), "", 1}, std::chrono::steady_clock::now() + 10s);
  CHECK(made.result == attempt::outcome::retry);
  CHECK(made.reason == address + ": connection refused: nothing listens there");
  CHECK(made.kind == failure_kind::unreachable);
  CHECK(made.later);
  const fulgurite::health_report report = wire.check(std::chrono::steady_clock::now() + 10s);
  CHECK(!report.reachable);
  CHECK(report.endpoint == address);
  CHECK(report.reason == "connection refused: nothing listens there");
}

TEST_CASE("where there is no answer the kind says why") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }});
  const auto soon = std::chrono::steady_clock::now() + 10s;
  SUBCASE("it takes too long") {
    grpc_wire wire({.endpoint = {false, "127.0.0.1", server.port(), "/"}});
    const attempt made = wire.post({{}, wire.content_type(), "", 1}, std::chrono::steady_clock::now() + 50ms);
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::timed_out);
  }
  SUBCASE("somebody gives it up") {
    grpc_wire wire({.endpoint = {false, "127.0.0.1", server.port(), "/"}});
    std::atomic<bool> done{false};
    std::thread other([&] {
      for (; !done; std::this_thread::sleep_for(1ms)) wire.interrupt();
    });
    const attempt made = wire.post({{}, wire.content_type(), "", 1}, soon);
    done = true;
    other.join();
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::given_up);
  }
  SUBCASE("the connection ends") {
    scripted_server closing({[](connection&) {}});
    grpc_wire wire({.endpoint = {false, "127.0.0.1", closing.port(), "/"}});
    const attempt made = wire.post({{}, wire.content_type(), "", 1}, soon);
    CHECK(made.result == attempt::outcome::retry);
    CHECK(made.kind == failure_kind::disconnected);
  }
  SUBCASE("no trust") {
    grpc_wire wire({.endpoint = {true, "127.0.0.1", server.port(), "/"}, .tls = {.ca_file = "/nowhere/ca.pem"}});
    const attempt made = wire.post({{}, wire.content_type(), "", 1}, soon);
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::tls);
  }
}
