// The bytes are tested with the encoder, what all exporters over HTTP do in tests/exporter/otlp_http.cpp.
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/otlp_http_json.hpp>

#include "../exporter_over_http.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace {

const fulgurite_test::exporter_over_http<fulgurite::otlp_http_json_exporter, fulgurite::otlp_http_options> over_http{
    "/v1/traces", "application/json", "200 OK"};

}  // namespace

TEST_CASE("a batch is one request, in the format's own type") {
  const std::string body = over_http.check_one_batch();
  CHECK(body.starts_with("{\"resourceSpans\":["));
}

TEST_CASE("a refused batch fails at once, a busy backend is asked again") { over_http.check_retries(); }

TEST_CASE("check_health asks for nothing") { over_http.check_probe("{}"); }

TEST_CASE("wrong options: nothing is sent, and the reason is told") { over_http.check_wrong_options(); }

TEST_CASE("what the backend rejects of a batch, said in JSON, is counted and not sent again") {
  fulgurite::set_log_handler([](fulgurite::log_level, std::string_view) {});
  int requests = 0;
  fulgurite_test::scripted_server server({[&](fulgurite_test::connection& c) {
    for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
      ++requests;
      c.answer("200 OK", R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}})",
               "Content-Type: application/json\r\n");
    }
  }});
  {
    fulgurite::otlp_http_json_exporter out(over_http.to(server));
    const fulgurite::batch_outcome outcome = out.export_spans(fulgurite_test::one_span().batch());
    CHECK(outcome.rejected == 1);
    CHECK(outcome.spans() == 1);
    CHECK(outcome.kind == fulgurite::failure_kind::refused);
    CHECK(outcome.reason == "too old");
  }
  CHECK(requests == 1);
  fulgurite::set_log_handler({});
}
