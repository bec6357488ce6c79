// What depends on the backend's answers is tested through the exporter (tests/exporter/otlp_http.cpp).
#include <fulgurite/exporter/otlp_http.hpp>

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
    CHECK(channel.send(builder.batch(), soon) == fg::export_result::success);
    CHECK(channel.stats().too_large == 1);
    CHECK(channel.stats().rejected == 0);
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
