// What depends on the backend's answers is tested through the exporter (tests/exporter/otlp_http.cpp).
#include <fulgurite/exporter/otlp_http.hpp>

#include "../log_capture.hpp"
#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

TEST_CASE("a batch too large for one request goes in several; a span too large for any is counted") {
  std::vector<std::string> bodies;
  {
    scripted_server server({[&](connection& c) {
      for (connection::request got = c.read_request(); !got.head.empty(); got = c.read_request()) {
        bodies.push_back(got.body);
        c.answer("200 OK");
      }
    }});
    fg::detail::http_wire_options to;
    REQUIRE(fg::detail::parse_endpoint(server.url(), to.endpoint).empty());
    fg::detail::otlp_channel channel({.gzip = false, .limits = {.bytes = 2000}}, to);
    fulgurite_test::record_builder builder;
    std::vector<fg::span_data> spans(30);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      spans[i].name = std::string(i == 7 ? 5000 : 300, 'n');
      builder.add(spans[i]);
    }
    const auto soon = std::chrono::steady_clock::now() + 5s;
    const fg::batch_outcome outcome = channel.send(builder.batch(), soon);
    CHECK(outcome.too_large == 1);
    CHECK(outcome.exported == 29);
    CHECK(outcome.spans() == 30);
    CHECK(channel.retried() == 0);
  }
  // Of five spans each; the one before the span that is too large, which is tried in a request of its own, has two.
  CHECK(bodies.size() == 7);
  const std::string name(300, 'n');
  std::size_t spans = 0;
  for (std::string const& body : bodies) {
    CHECK(body.size() <= 2000);
    for (std::size_t at = body.find(name); at != std::string::npos; at = body.find(name, at + name.size())) ++spans;
  }
  CHECK(spans == 29);
}

TEST_CASE("of a batch in several requests each has an outcome of its own; what failed is said when the caller wants") {
  fulgurite_test::log_capture log;
  // Two spans are rejected of the first request, all of the second and third fail.
  const std::string rejected("\x0a\x07\x08\x02\x12\x03old", 9);
  scripted_server server({[&](connection& c) {
    c.read_request();
    c.answer("200 OK", rejected, "Content-Type: application/x-protobuf\r\n");
    for (const char* const answer : {"400 Bad Request", "401 Unauthorized", "200 OK"}) {
      c.read_request();
      c.answer(answer);
    }
    c.wait_for_end();
  }});
  fg::detail::http_wire_options to;
  REQUIRE(fg::detail::parse_endpoint(server.url(), to.endpoint).empty());
  fg::detail::otlp_channel channel({.gzip = false, .limits = {.spans = 5}}, to);
  fulgurite_test::record_builder builder;
  for (int i = 0; i < 16; ++i) builder.add(fg::span_data{});
  const fg::batch_outcome outcome = channel.send(builder.batch(), std::chrono::steady_clock::now() + 5s);
  CHECK(outcome.exported == 4);
  CHECK(outcome.rejected == 2);
  CHECK(outcome.failed == 10);
  CHECK(outcome.spans() == 16);
  CHECK(outcome.kind == fg::failure_kind::access);  // the last that failed
  CHECK(outcome.reason.find("HTTP 401") != std::string::npos);
  CHECK(log.has("the backend rejected 2 spans: old"));
  CHECK_FALSE(log.has("not delivered"));
  const fg::batch_outcome same = channel.say_failed(outcome);
  CHECK(same.failed == 10);
  CHECK(same.reason == outcome.reason);
  CHECK(log.has("a batch was not delivered: " + outcome.reason));
}

TEST_CASE("where nothing failed there is nothing to say") {
  fulgurite_test::log_capture log;
  const fg::detail::otlp_channel channel({}, {});
  CHECK(channel.say_failed({.exported = 1, .rejected = 1, .spooled = 1, .reason = "old"}).reason == "old");
  CHECK(log.text().empty());
}
