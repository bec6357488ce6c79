// What the connector does for an exporter is tested in tests/exporter/agentops.cpp.
#include <fulgurite/exporter/agentops/connector.hpp>

#include "../../log_capture.hpp"
#include "../../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>

namespace fg = fulgurite;
using fg::detail::agentops_connector;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

auto in(std::chrono::nanoseconds time) { return std::chrono::steady_clock::now() + time; }

fg::agentops_options cloud(std::string endpoint) {
  fg::agentops_options options;
  options.managed = false;
  options.api_key = "key";
  options.endpoint = std::move(endpoint);
  options.exporter_endpoint = "http://127.0.0.1:9/v1/traces";
  return options;
}

}  // namespace

TEST_CASE("whether there can be anybody to send to") {
  fg::agentops_options options;
  CHECK_FALSE(agentops_connector(options).may_connect());  // no directory yet
  options.data_directory = "somewhere";
  CHECK(agentops_connector(options).may_connect());
  options.environment = "production";
  CHECK_FALSE(agentops_connector(options).may_connect());
  options.managed = false;
  CHECK_FALSE(agentops_connector(options).may_connect());
  options.api_key = "key";
  CHECK(agentops_connector(options).may_connect());
}

TEST_CASE("the cloud: a token, one more at once, and no other within the interval") {
  const fulgurite_test::log_capture log;
  const auto token = [](connection& c) {
    c.read_request();
    c.answer("200 OK", "{\"token\":\"abc\"}");
  };
  scripted_server server({token, token, token});
  const fg::agentops_options options = cloud(server.url(""));
  agentops_connector connector(options);
  const auto to = connector.connect(in(10s));
  REQUIRE(to);
  CHECK(to->endpoint.to_text() == "http://127.0.0.1:9/v1/traces");
  CHECK(to->headers == fg::detail::http_headers{{"Authorization", "Bearer abc"}});
  CHECK_FALSE(connector.is_renewal_due());  // it does not say when it ends
  CHECK(server.connections() == 1);
  CHECK(connector.connect(in(10s)));
  CHECK_FALSE(connector.connect(in(10s)));
  CHECK(server.connections() == 2);
}

TEST_CASE("the cloud: a token is asked for again where that may help, and with a spool the batch waits instead") {
  for (const bool spools : {false, true}) {
    const fulgurite_test::log_capture log;
    int asked = 0;
    scripted_server server({[&](connection& c) {
      c.read_request();
      const bool given = ++asked == 3;
      c.answer(given ? "200 OK" : "503 Later", given ? "{\"token\":\"abc\"}" : "");
    }});
    fg::agentops_options options = cloud(server.url(""));
    options.delivery = {.max_attempts = 6, .initial_backoff = 1ms, .max_backoff = 2ms};
    if (spools) options.delivery.spool = "somewhere";
    agentops_connector connector(options);
    CHECK(connector.connect(in(10s)).has_value() == !spools);
    CHECK(connector.retried() == (spools ? 0 : 2));
  }
}

TEST_CASE("an interruption ends a question, and counts until something new begins") {
  const fulgurite_test::log_capture log;
  const scripted_server server({[](connection& c) { c.wait_for_end(); }});
  const fg::agentops_options options = cloud(server.url(""));
  agentops_connector connector(options);
  std::thread other([&] {
    while (server.connections() < 1) std::this_thread::sleep_for(1ms);
    connector.interrupt();
  });
  CHECK_FALSE(connector.connect(in(60s)));
  other.join();
  CHECK(connector.is_interrupted());
  connector.begin();
  CHECK_FALSE(connector.is_interrupted());
}
