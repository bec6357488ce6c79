// Against other people's servers: tests/integration/grpc_reference.py, grpc_faults.py.
#include <fulgurite/exporter/grpc_wire.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::refusing_port;

TEST_CASE("nobody listens: worth another attempt, and no secret in what is said") {
  const refusing_port port;
  const std::string address = "http://127.0.0.1:" + std::to_string(port.port());
  grpc_wire wire({.endpoint = {false, "127.0.0.1", port.port(), "/v1/traces?key=secret"},
                  .headers = {{"authorization", "secret"}}});
  CHECK(wire.address() == address);
  CHECK(wire.settings_for_child().headers.size() == 1);
  const wire_reply reply = wire.post({{}, wire.content_type(), "", 1}, std::chrono::steady_clock::now() + 10s);
  CHECK(reply.last.result == attempt::outcome::retry);
  CHECK(reply.last.reason == address + ": connection refused: nothing listens there");
  CHECK(reply.kind == "UNAVAILABLE 1");
  CHECK(!reply.interrupted);
  const fulgurite::health_report report = wire.check(std::chrono::steady_clock::now() + 10s);
  CHECK(!report.reachable);
  CHECK(report.endpoint == address);
  CHECK(report.reason == "connection refused: nothing listens there");
}
