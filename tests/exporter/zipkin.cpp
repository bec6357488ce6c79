// The bytes are tested with the encoder, what all exporters over HTTP do in tests/exporter/otlp_http.cpp.
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/zipkin.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

fg::zipkin_options to(scripted_server const& server) {
  fg::zipkin_options options;
  options.endpoint = server.url("/api/v2/spans");
  options.gzip = false;
  options.delivery.initial_backoff = 1ms;
  options.delivery.max_backoff = 2ms;
  return options;
}

fulgurite_test::record_builder one_span() {
  fulgurite_test::record_builder made;
  fg::span_data span;
  span.name = "one span";
  span.trace_id = fg::trace_id::from_numbers(1, 2);
  span.span_id = fg::span_id::from_number(3);
  made.add(span);
  return made;
}

}  // namespace

TEST_CASE("a batch is one request, in the format's own type") {
  std::vector<connection::request> requests;
  scripted_server server({[&](connection& c) {
    for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
      requests.push_back(got);
      c.answer("202 Accepted");
    }
  }});
  {
    fg::zipkin_exporter out(to(server));
    CHECK(out.export_spans(one_span().batch()) == fg::export_result::success);
    CHECK(out.flush(std::chrono::steady_clock::now() + 5s));
    CHECK(out.shutdown(std::chrono::steady_clock::now() + 5s));
    CHECK(out.export_spans(one_span().batch()) == fg::export_result::failure);
  }
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].head.starts_with("POST /api/v2/spans HTTP/1.1\r\n"));
  CHECK(requests[0].header("content-type") == "application/json");
  CHECK(requests[0].header("user-agent").starts_with("fulgurite/"));
  std::string const& body = requests[0].body;
  CHECK((body.starts_with("[{\"traceId\":\"") && body.ends_with("}]")));
}

TEST_CASE("a refused batch fails at once, a busy backend is asked again") {
  fg::set_log_handler([](fg::log_level, std::string_view) {});
  std::vector<const char*> answers{"503 Service Unavailable", "202 Accepted", "400 Bad Request"};
  std::size_t next = 0;
  scripted_server server({[&](connection& c) {
    for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) c.answer(answers.at(next++));
  }});
  {
    fg::zipkin_exporter out(to(server));
    CHECK(out.export_spans(one_span().batch()) == fg::export_result::success);
    CHECK(out.stats().retried == 1);
    CHECK(out.export_spans(one_span().batch()) == fg::export_result::failure);
    CHECK(out.stats().retried == 1);
  }
  CHECK(next == 3);
  fg::set_log_handler({});
}

TEST_CASE("check_health asks for nothing") {
  std::string body = "unasked";
  scripted_server server({[&](connection& c) {
    body = c.read_request().body;
    c.answer("202 Accepted");
    c.wait_for_end();
  }});
  const fg::health_report report = fg::zipkin_exporter(to(server)).check_health(std::chrono::steady_clock::now() + 10s);
  CHECK(report.reachable);
  CHECK(report.endpoint == server.url("/api/v2/spans"));
  CHECK(body == "[]");
}

TEST_CASE("wrong options: nothing is sent, and the reason is told") {
  fg::set_log_handler([](fg::log_level, std::string_view) {});
  fg::zipkin_options options;
  options.endpoint = "ftp://me:secret@host/";
  fg::zipkin_exporter out(options);
  CHECK(out.export_spans(one_span().batch()) == fg::export_result::failure);
  const fg::health_report report = out.check_health(std::chrono::steady_clock::now() + 1s);
  CHECK_FALSE(report.reachable);
  CHECK(report.reason.find("http://") != std::string::npos);
  CHECK(report.reason.find("secret") == std::string::npos);
  fg::set_log_handler({});
}
