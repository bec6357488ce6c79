// What each exporter over HTTP must do, whatever its format: one text for all of them.
#pragma once

#include <fulgurite/delivery/outcome.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/exporter.hpp>

#include "record_builder.hpp"
#include "scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_test {

inline record_builder one_span() {
  record_builder made;
  fulgurite::span_data span;
  span.name = "one span";
  span.trace_id = fulgurite::trace_id::from_numbers(1, 2);
  span.span_id = fulgurite::span_id::from_number(3);
  made.add(span);
  return made;
}

template <class Exporter, class Options>
struct exporter_over_http {
  const char* path;
  const char* content_type;
  /// The status by which the backend takes a batch.
  const char* accepted;

  Options to(scripted_server const& server) const {
    Options options;
    options.endpoint = server.url(path);
    options.gzip = false;
    options.delivery.initial_backoff = std::chrono::milliseconds(1);
    options.delivery.max_backoff = std::chrono::milliseconds(2);
    return options;
  }

  /// A batch is one request, in the format's own type; returns its body.
  std::string check_one_batch() const {
    std::vector<connection::request> requests;
    scripted_server server({[&](connection& c) {
      for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
        requests.push_back(got);
        c.answer(accepted);
      }
    }});
    {
      Exporter out(to(server));
      const fulgurite::batch_outcome taken = out.export_spans(one_span().batch());
      CHECK(taken.is_success());
      CHECK(taken.exported == 1);
      CHECK(taken.reason.empty());
      CHECK(taken.kind == fulgurite::failure_kind::none);
      CHECK(out.flush(in(5)));
      CHECK(out.shutdown(in(5)));
      const fulgurite::batch_outcome late = out.export_spans(one_span().batch());
      CHECK(late.failed == 1);
      CHECK(late.spans() == 1);
      CHECK(late.kind == fulgurite::failure_kind::given_up);
      CHECK_FALSE(late.reason.empty());
    }
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].head.starts_with("POST " + std::string(path) + " HTTP/1.1\r\n"));
    CHECK(requests[0].header("content-type") == content_type);
    CHECK(requests[0].header("user-agent").starts_with("fulgurite/"));
    return requests[0].body;
  }

  /// A refused batch fails at once, a busy backend is asked again.
  void check_retries() const {
    fulgurite::set_log_handler([](fulgurite::log_level, std::string_view) {});
    const std::vector<const char*> answers{"503 Service Unavailable", accepted, "400 Bad Request"};
    std::size_t next = 0;
    scripted_server server({[&](connection& c) {
      for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) c.answer(answers.at(next++));
    }});
    {
      Exporter out(to(server));
      const fulgurite::batch_outcome taken = out.export_spans(one_span().batch());
      CHECK(taken.exported == 1);
      CHECK(taken.spans() == 1);
      CHECK(taken.kind == fulgurite::failure_kind::none);  // what came before the last attempt is over
      CHECK(out.stats().retried == 1);
      const fulgurite::batch_outcome refused = out.export_spans(one_span().batch());
      CHECK(refused.failed == 1);
      CHECK(refused.spans() == 1);
      CHECK(refused.kind == fulgurite::failure_kind::refused);
      CHECK(refused.reason == server.url(path) + " answered HTTP 400");
      CHECK(out.stats().retried == 1);
    }
    CHECK(next == 3);
    fulgurite::set_log_handler({});
  }

  /// check_health asks for nothing, in this body.
  void check_probe(std::string_view probe) const {
    std::string body = "unasked";
    scripted_server server({[&](connection& c) {
      body = c.read_request().body;
      c.answer(accepted);
      c.wait_for_end();
    }});
    const fulgurite::health_report report = Exporter(to(server)).check_health(in(10));
    CHECK(report.reachable);
    CHECK(report.endpoint == server.url(path));
    CHECK(body == probe);
  }

  /// Wrong options: nothing is sent, and the reason is told, without secrets.
  void check_wrong_options() const {
    fulgurite::set_log_handler([](fulgurite::log_level, std::string_view) {});
    Options options;
    options.endpoint = "ftp://me:secret@host/";
    Exporter out(options);
    const fulgurite::batch_outcome outcome = out.export_spans(one_span().batch());
    CHECK(outcome.failed == 1);
    CHECK(outcome.spans() == 1);
    CHECK(outcome.kind == fulgurite::failure_kind::other);
    const fulgurite::health_report report = out.check_health(in(1));
    CHECK_FALSE(report.reachable);
    CHECK(report.reason == outcome.reason);
    CHECK(report.reason.find("http://") != std::string::npos);
    CHECK(report.reason.find("secret") == std::string::npos);
    fulgurite::set_log_handler({});
  }

  static std::chrono::steady_clock::time_point in(int seconds) {
    return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }
};

}  // namespace fulgurite_test
