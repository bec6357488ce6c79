#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/tracer.hpp>

#include "../log_capture.hpp"
#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <zlib.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::connection;
using fulgurite_test::log_capture;
using fulgurite_test::refusing_port;
using fulgurite_test::scripted_server;
using namespace std::chrono_literals;

namespace {

struct one_span {
  explicit one_span(std::size_t count = 1, std::size_t name = 10) {
    for (std::size_t i = 0; i < count; ++i) {
      fg::span_data span;
      span.name = std::string(name, 'n');
      span.span_id = fg::span_id::from_number(i + 1);
      builder.add(span);
    }
  }
  fg::span_batch batch() const { return builder.batch(); }
  fulgurite_test::record_builder builder;
};

/// The whole batch has failed, for this reason.
bool failed_by(fg::batch_outcome const& outcome, fg::failure_kind kind, std::uint64_t spans = 1) {
  return outcome.failed == spans && outcome.spans() == spans && outcome.kind == kind && !outcome.reason.empty();
}
/// The whole batch is exported, and there is nothing to say.
bool all_exported(fg::batch_outcome const& outcome, std::uint64_t spans = 1) {
  return outcome.exported == spans && outcome.spans() == spans && outcome.kind == fg::failure_kind::none &&
         outcome.reason.empty();
}

fg::otlp_http_options to(scripted_server const& server) {
  fg::otlp_http_options options;
  options.endpoint = server.url();
  options.gzip = false;
  options.delivery.initial_backoff = 1ms;
  options.delivery.max_backoff = 2ms;
  return options;
}

std::string field(char tag, std::string_view content) {
  return std::string(1, tag) + static_cast<char>(content.size()) + std::string(content);
}

const std::string protobuf_type = "Content-Type: application/x-protobuf\r\n";

template <class F>
std::chrono::nanoseconds timed(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::steady_clock::now() - start;
}

}  // namespace

TEST_CASE("a batch arrives, and the next one on the same connection") {
  std::vector<connection::request> got;
  scripted_server server({[&](connection& c) {
    for (int i = 0; i < 2; ++i) {
      got.push_back(c.read_request());
      c.answer("200 OK", {}, protobuf_type);
    }
    c.wait_for_end();
  }});
  {
    fg::otlp_http_options options = to(server);
    options.headers = {{"X-Tenant", "blue"}, {"authorization", "Bearer secret"}};
    fg::otlp_http_exporter exporter(options);
    const one_span spans(3);
    CHECK(all_exported(exporter.export_spans(spans.batch()), 3));
    CHECK(all_exported(exporter.export_spans(spans.batch()), 3));
    CHECK(exporter.export_spans(one_span(0).batch()).spans() == 0);  // nothing is sent
    CHECK(exporter.flush({}));
    CHECK(exporter.shutdown({}));
    CHECK(failed_by(exporter.export_spans(spans.batch()), fg::failure_kind::given_up, 3));
  }
  CHECK(server.connections() == 1);
  REQUIRE(got.size() == 2);
  CHECK(got[0].head.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  CHECK(got[0].header("content-type") == "application/x-protobuf");
  CHECK(got[0].header("user-agent") == "fulgurite/0.1.0 OTel-OTLP-Exporter-Cpp/0.1.0");
  CHECK(got[0].header("x-tenant") == "blue");
  CHECK(got[0].header("authorization") == "Bearer secret");
  CHECK(got[0].header("content-encoding").empty());
  CHECK(got[0].header("expect").empty());
  fg::otlp_protobuf_encoder encoder;
  const one_span spans(3);
  const auto bytes = fg::to_otlp_protobuf(spans.batch(), encoder);
  CHECK(got[1].body == std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

TEST_CASE("the path goes out as it was given") {
  for (const char* path : {"", "/", "/a%2Fb/../c?key=v%20w&x", "?only=query"}) {
    std::string line;
    scripted_server server({[&](connection& c) {
      line = c.read_request().head;
      c.answer("200 OK");
      c.wait_for_end();
    }});
    fg::otlp_http_options options = to(server);
    options.endpoint = server.url(path);
    CHECK(all_exported(fg::otlp_http_exporter(options).export_spans(one_span().batch())));
    const std::string expected = path[0] == '/' ? path : "/" + std::string(path);
    CHECK(line.substr(0, line.find("\r\n")) == "POST " + expected + " HTTP/1.1");
  }
}

TEST_CASE("gzip") {
  connection::request got;
  scripted_server server({[&](connection& c) {
    got = c.read_request();
    c.answer("200 OK");
    c.wait_for_end();
  }});
  fg::otlp_http_options options = to(server);
  options.gzip = true;
  const one_span spans(100);
  CHECK(all_exported(fg::otlp_http_exporter(options).export_spans(spans.batch()), 100));
  CHECK(got.header("content-encoding") == "gzip");
  fg::otlp_protobuf_encoder encoder;
  const auto bytes = fg::to_otlp_protobuf(spans.batch(), encoder);
  std::string unpacked(bytes.size() + 1, '\0');
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(got.body.data());
  stream.avail_in = static_cast<uInt>(got.body.size());
  stream.next_out = reinterpret_cast<Bytef*>(unpacked.data());
  stream.avail_out = static_cast<uInt>(unpacked.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  unpacked.resize(stream.total_out);
  inflateEnd(&stream);
  CHECK(got.body.size() < bytes.size());
  CHECK(unpacked == std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

TEST_CASE("what may not be retried is dropped, with the backend's own words and without secrets") {
  for (const char* status :
       {"400 Bad Request", "401 Unauthorized", "404 Not Found", "413 Too Large", "500 Oh", "501 No"}) {
    CAPTURE(status);
    log_capture log;
    int requests = 0;
    scripted_server server({[&](connection& c) {
      ++requests;
      c.read_request();
      c.answer(status, std::string("\x08\x03") + field('\x12', "no such\x1b[31m tenant"), protobuf_type);
      c.wait_for_end();
    }});
    fg::otlp_http_options options = to(server);
    options.endpoint += "?api-key=secret";
    options.headers = {{"Authorization", "Bearer secret"}};
    {
      fg::otlp_http_exporter exporter(options);
      const fg::batch_outcome outcome = exporter.export_spans(one_span().batch());
      CHECK(outcome.failed == 1);
      CHECK(outcome.spans() == 1);
      CHECK(outcome.kind != fg::failure_kind::none);  // which one: tests/exporter/http_wire.cpp
      CHECK(outcome.reason.starts_with(server.url() + " answered HTTP " + std::string(status).substr(0, 3)));
      CHECK(outcome.reason.ends_with(": no such [31m tenant"));
      CHECK(outcome.reason.find("secret") == std::string::npos);
      CHECK(log.has("a batch was not delivered: " + outcome.reason));
      CHECK(exporter.stats().retried == 0);
    }
    CHECK(requests == 1);
    CHECK_FALSE(log.has("secret"));
  }
}

TEST_CASE("an error's text body is quoted, too") {
  log_capture log;
  scripted_server server({[&](connection& c) {
    c.read_request();
    c.answer("403 Forbidden", "go\naway", "Content-Type: text/plain\r\n");
    c.wait_for_end();
  }});
  CHECK(failed_by(fg::otlp_http_exporter(to(server)).export_spans(one_span().batch()), fg::failure_kind::access));
  CHECK(log.has("HTTP 403 (the credentials do not allow it): go away"));
}

TEST_CASE("of each kind of failure one line is logged, and each outcome has its own words") {
  log_capture log;
  const std::vector<const char*> answers{"401 Unauthorized", "403 Forbidden", "404 Not Found", "401 Unauthorized"};
  scripted_server server({[&](connection& c) {
    for (const char* const answer : answers) {
      c.read_request();
      c.answer(answer);
    }
    c.wait_for_end();
  }});
  fg::otlp_http_exporter exporter(to(server));
  for (const char* const answer : answers) {
    const std::string status = "HTTP " + std::string(answer).substr(0, 3);
    CHECK(exporter.export_spans(one_span().batch()).reason.find(status) != std::string::npos);
  }
  CHECK(log.count("a batch was not delivered: ") == 2);
  CHECK(log.has("HTTP 401"));
  CHECK(log.has("HTTP 404"));
}

TEST_CASE("what may be retried is, on the same connection") {
  for (const char* first : {"429 Too Many", "502 Bad Gateway", "503 Unavailable", "504 Timeout"}) {
    scripted_server server({[&](connection& c) {
      c.read_request();
      c.answer(first);
      c.read_request();
      c.answer(first, {}, "Retry-After: 0\r\n");
      c.read_request();
      c.answer("200 OK");
      c.wait_for_end();
    }});
    fg::otlp_http_exporter exporter(to(server));
    CHECK(all_exported(exporter.export_spans(one_span().batch())));
    CHECK(exporter.stats().retried == 2);
    CHECK(server.connections() == 1);
  }
}

TEST_CASE("a Retry-After beyond the time limit is not waited for; a date in the past is now") {
  scripted_server server({[&](connection& c) {
    c.read_request();
    c.answer("503 Later", {}, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    c.read_request();
    c.answer("429 Later", {}, "Retry-After: 3600\r\n");
    c.wait_for_end();
  }});
  fg::otlp_http_exporter exporter(to(server));
  fg::batch_outcome outcome;
  const auto took = timed([&] { outcome = exporter.export_spans(one_span().batch()); });
  CHECK(failed_by(outcome, fg::failure_kind::unavailable));
  CHECK(outcome.reason.find("HTTP 429") != std::string::npos);
  CHECK(exporter.stats().retried == 1);
  CHECK(took < 5s);
}

TEST_CASE("attempts are bounded") {
  int requests = 0;
  scripted_server server({[&](connection& c) {
    while (!c.read_request().head.empty()) {
      ++requests;
      c.answer("503 Never");
    }
  }});
  fg::otlp_http_options options = to(server);
  options.delivery.max_attempts = 3;
  {
    fg::otlp_http_exporter exporter(options);
    const fg::batch_outcome outcome = exporter.export_spans(one_span().batch());
    CHECK(failed_by(outcome, fg::failure_kind::unavailable));
    CHECK(outcome.reason.find("HTTP 503") != std::string::npos);
    CHECK(exporter.stats().retried == 2);
  }
  CHECK(requests == 3);
}

TEST_CASE("partial success is counted, said and never retried") {
  log_capture log;
  int requests = 0;
  scripted_server server({[&](connection& c) {
    for (const std::string& body : {field('\x0a', std::string("\x08\x02") + field('\x12', "two are bad")),
                                    field('\x0a', field('\x12', "mind your names")), std::string("\x0a\xff\xff\xff")}) {
      c.read_request();
      ++requests;
      c.answer("200 OK", body, protobuf_type);
    }
    c.wait_for_end();
  }});
  fg::otlp_http_exporter exporter(to(server));
  const one_span spans(3);
  const fg::batch_outcome partly = exporter.export_spans(spans.batch());
  CHECK(partly.exported == 1);
  CHECK(partly.rejected == 2);
  CHECK(partly.spans() == 3);
  CHECK(partly.kind == fg::failure_kind::refused);
  CHECK(partly.reason == "two are bad");
  CHECK(log.has("rejected 2 spans: two are bad"));
  CHECK_FALSE(log.has("not delivered"));
  CHECK(all_exported(exporter.export_spans(spans.batch()), 3));
  CHECK(log.has("the backend says: mind your names"));
  CHECK(all_exported(exporter.export_spans(spans.batch()), 3));  // malformed: as if it said nothing
  CHECK(requests == 3);
  CHECK(exporter.stats().retried == 0);
}

TEST_CASE("a connection reset in mid-request or mid-answer is tried again") {
  scripted_server server({[](connection& c) {
                            c.read_some();
                            c.reset();
                          },
                          [](connection& c) {
                            c.read_request();
                            c.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                            c.reset();
                          },
                          [](connection& c) {
                            c.read_request();
                            c.send("garbage that is no HTTP\r\n\r\n");
                          },
                          [](connection& c) {
                            c.read_request();
                            c.answer("200 OK");
                            c.wait_for_end();
                          }});
  fg::otlp_http_exporter exporter(to(server));
  const one_span spans(5000, 100);
  CHECK(all_exported(exporter.export_spans(spans.batch()), 5000));
  CHECK(exporter.stats().retried == 3);
}

TEST_CASE("a kept connection that the server closed costs no backoff") {
  scripted_server server({[](connection& c) {
                            c.read_request();
                            c.answer("200 OK");
                            c.read_request();  // and away
                          },
                          [](connection& c) {
                            c.read_request();
                            c.answer("200 OK");
                            c.wait_for_end();
                          }});
  fg::otlp_http_options options = to(server);
  options.delivery.initial_backoff = 1h;
  options.delivery.max_backoff = 1h;
  fg::otlp_http_exporter exporter(options);
  CHECK(all_exported(exporter.export_spans(one_span().batch())));
  CHECK(all_exported(exporter.export_spans(one_span().batch())));
}

TEST_CASE("the time limit holds against a hang, a drip in the head, a drip in the body, and endless retries") {
  const std::vector<scripted_server::handler> faults{[](connection& c) { c.wait_for_end(); },
                                                     [](connection& c) {
                                                       c.read_request();
                                                       c.wait_for_end();
                                                     },
                                                     [](connection& c) {
                                                       c.read_request();
                                                       c.send("HTTP/1.1 200 OK\r\n");
                                                       while (c.send("X-Drip: x\r\n")) std::this_thread::sleep_for(5ms);
                                                     },
                                                     [](connection& c) {
                                                       c.read_request();
                                                       c.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
                                                       while (c.send("x")) std::this_thread::sleep_for(5ms);
                                                     },
                                                     [](connection& c) {
                                                       while (!c.read_request().head.empty())
                                                         c.answer("503 No", {}, "Retry-After: 0\r\n");
                                                     }};
  for (scripted_server::handler const& fault : faults) {
    log_capture log;
    scripted_server server({fault});
    fg::otlp_http_options options = to(server);
    options.timeout = 100ms;
    options.delivery.max_attempts = 1'000'000;
    fg::otlp_http_exporter exporter(options);
    fg::batch_outcome outcome;
    const auto took = timed([&] { outcome = exporter.export_spans(one_span().batch()); });
    CHECK(took < 3s);
    // Of endless retries the last attempt may have been answered, or not.
    const bool answers = &fault == &faults.back() && outcome.kind == fg::failure_kind::unavailable;
    CHECK(failed_by(outcome, answers ? fg::failure_kind::unavailable : fg::failure_kind::timed_out));
    CHECK(log.has("a batch was not delivered: " + outcome.reason));
  }
}

TEST_CASE("a gigantic answer is given up") {
  log_capture log;
  scripted_server server({[](connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    const std::string lot(1 << 16, 'x');
    while (c.send(lot)) {
    }
  }});
  fg::otlp_http_exporter exporter(to(server));
  const fg::batch_outcome outcome = exporter.export_spans(one_span().batch());
  CHECK(failed_by(outcome, fg::failure_kind::too_large));
  CHECK(outcome.too_large == 0);  // it is the answer
  CHECK(log.has("larger than 4 MiB"));
  CHECK(exporter.stats().retried == 0);
}

TEST_CASE("headers without end are given up, however many they are") {
  log_capture log;
  std::size_t sent = 0;
  {
    scripted_server server({[&sent](connection& c) {
      c.read_request();
      c.send("HTTP/1.1 200 OK\r\n");
      std::string lot;
      while (lot.size() < 1 << 16) lot += "X-More: 0123456789\r\n";
      while (c.send(lot)) sent += lot.size();
    }});
    fg::otlp_http_exporter exporter(to(server));
    CHECK(failed_by(exporter.export_spans(one_span().batch()), fg::failure_kind::too_large));
    CHECK(exporter.stats().retried == 0);
  }
  CHECK(log.has("the answer has no end"));
  CHECK(sent > 1 << 20);
}

TEST_CASE("redirects are not followed") {
  log_capture log;
  int requests = 0;
  scripted_server server({[&](connection& c) {
    c.read_request();
    ++requests;
    c.answer("307 Elsewhere", {}, "Location: /elsewhere\r\n");
    c.wait_for_end();
  }});
  {
    fg::otlp_http_exporter exporter(to(server));
    CHECK(failed_by(exporter.export_spans(one_span().batch()), fg::failure_kind::address));
  }
  CHECK(requests == 1);
  CHECK(log.has("HTTP 307"));
}

TEST_CASE("nobody there: said in words, within the time limit") {
  log_capture log;
  const refusing_port nobody;
  const std::string url = nobody.url();
  fg::otlp_http_options options;
  options.endpoint = url;
  options.timeout = 200ms;
  options.delivery.initial_backoff = 10ms;
  fg::otlp_http_exporter exporter(options);
  fg::batch_outcome outcome;
  CHECK(timed([&] { outcome = exporter.export_spans(one_span().batch()); }) < 3s);
  CHECK(failed_by(outcome, fg::failure_kind::unreachable));
  CHECK(outcome.reason.starts_with(url + ": connection refused"));
  CHECK(log.has(url + ": connection refused"));
  CHECK(exporter.stats().retried > 0);
  const fg::health_report health = exporter.check_health(std::chrono::steady_clock::now() + 1s);
  CHECK_FALSE(health.reachable);
  CHECK(health.endpoint == url);
  CHECK(health.reason == "connection refused: nothing listens there");
}

TEST_CASE("a name that does not exist") {
  log_capture log;
  fg::otlp_http_options options;
  options.endpoint = "http://no-such-host.invalid/v1/traces";
  options.timeout = 300ms;
  options.delivery.max_attempts = 1;
  fg::otlp_http_exporter exporter(options);
  fg::batch_outcome outcome;
  CHECK(timed([&] { outcome = exporter.export_spans(one_span().batch()); }) < 3s);
  CHECK(failed_by(outcome, fg::failure_kind::unreachable));
  CHECK(log.has("name could not be resolved"));
}

TEST_CASE("localhost is tried at each of its addresses") {
  scripted_server server({[](connection& c) {
    c.read_request();
    c.answer("200 OK");
    c.wait_for_end();
  }});
  fg::otlp_http_options options = to(server);
  options.endpoint = "http://localhost:" + std::to_string(server.port()) + "/v1/traces";
  options.delivery.max_attempts = 1;
  CHECK(all_exported(fg::otlp_http_exporter(options).export_spans(one_span().batch())));
}

TEST_CASE("an interruption ends an export in mid-request and in a pause") {
  const std::vector<scripted_server::handler> waits{[](connection& c) { c.wait_for_end(); },
                                                    [](connection& c) {
                                                      while (!c.read_request().head.empty())
                                                        c.answer("503 No", {}, "Retry-After: 5\r\n");
                                                    }};
  for (scripted_server::handler const& wait : waits) {
    scripted_server server({wait});
    fg::otlp_http_exporter exporter(to(server));
    std::atomic<bool> done{false};
    std::thread interrupter([&] {
      while (!done) {
        std::this_thread::sleep_for(5ms);
        exporter.interrupt();
      }
    });
    log_capture log;
    fg::batch_outcome outcome;
    CHECK(timed([&] { outcome = exporter.export_spans(one_span().batch()); }) < 4s);
    done = true;
    interrupter.join();
    // In a pause it is given up because of what came before it.
    const bool in_pause = outcome.reason.find("HTTP 503") != std::string::npos;
    CHECK(failed_by(outcome, in_pause ? fg::failure_kind::unavailable : fg::failure_kind::given_up));
    CHECK(outcome.reason.find("given up before") != std::string::npos);
    CHECK(log.has("given up before"));
    CHECK_FALSE(log.has("the program ended"));
  }
}

TEST_CASE("a backend that is down does not hold up the end: shutdown gives each batch one attempt") {
  log_capture log;
  const refusing_port nobody;
  const std::string url = nobody.url();
  fg::otlp_http_options options;
  options.endpoint = url;
  options.timeout = 2h;
  options.delivery = {.max_attempts = 9, .initial_backoff = 1h, .max_backoff = 1h, .jitter = 0};
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, fg::any_exporter(fg::otlp_http_exporter(options)),
                    fg::w3c_propagator{}, fg::batch_processor{fg::batch_options{.max_batch_size = 2}}};
  for (int i = 0; i < 6; ++i) auto span = tracer.trace_context("span");
  CHECK(timed([&] { CHECK_FALSE(tracer.shutdown(300s)); }) < 60s);
  CHECK(log.has("connection refused"));
  CHECK(log.has("the program ended, or shut its tracer down, before the next attempt"));
  const fg::tracer_stats stats = tracer.stats();
  CHECK(stats.failed == 6);
  CHECK(stats.sampled == stats.exported + stats.failed + stats.dropped);
  // One of the batches may have been at its first attempt when the end began.
  CHECK(stats.retried <= 1);
}

TEST_CASE("what a living backend refuses for the moment is given up at the end, after one attempt") {
  std::atomic<int> requests{0};
  scripted_server server({[&](connection& c) {
    for (; !c.read_request().head.empty(); c.answer("503 No", {}, "Retry-After: 3600\r\n")) ++requests;
  }});
  fg::otlp_http_options options = to(server);
  options.timeout = 2h;
  fg::otlp_http_exporter exporter(options);
  exporter.hurry();
  for (int i = 1; i < 3; ++i) {
    fg::batch_outcome outcome;
    CHECK(timed([&] { outcome = exporter.export_spans(one_span().batch()); }) < 60s);
    CHECK(failed_by(outcome, fg::failure_kind::unavailable));
    CHECK(outcome.reason.find("HTTP 503") != std::string::npos);
    CHECK(outcome.reason.find("the program ended, or shut its tracer down") != std::string::npos);
    CHECK(requests == i);
  }
}

TEST_CASE("an interruption counts for the export that is under way only") {
  scripted_server server({[](connection& c) {
    c.read_request();
    c.answer("200 OK");
    c.wait_for_end();
  }});
  fg::otlp_http_exporter exporter(to(server));
  exporter.interrupt();
  CHECK(all_exported(exporter.export_spans(one_span().batch())));
}

TEST_CASE("check_health asks with an empty request") {
  std::string body = "unset";
  scripted_server server({[&](connection& c) {
                            body = c.read_request().body;
                            c.answer("200 OK");
                            c.wait_for_end();
                          },
                          [](connection& c) {
                            c.read_request();
                            c.answer("401 Unauthorized", "who are you", "Content-Type: text/plain\r\n");
                            c.wait_for_end();
                          }});
  fg::otlp_http_exporter exporter(to(server));
  const auto soon = std::chrono::steady_clock::now() + 5s;
  fg::health_report health = exporter.check_health(soon);
  CHECK(health.reachable);
  CHECK(health.endpoint == server.url());
  CHECK(health.latency > 0ns);
  CHECK(body.empty());
  health = exporter.check_health(soon);
  CHECK_FALSE(health.reachable);
  CHECK(health.reason == "HTTP 401 (the credentials are missing or wrong): who are you");
}

TEST_CASE("a backend that takes the connection and hangs is said to be late, each time") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }});
  const fg::otlp_http_exporter exporter(to(server));
  for (int i = 0; i < 20; ++i) {
    const fg::health_report health = exporter.check_health(std::chrono::steady_clock::now() + 20ms);
    CHECK_FALSE(health.reachable);
    CHECK(health.endpoint == server.url());
    CHECK(health.reason == "no answer within the time limit");
  }
}

TEST_CASE("what the end of the program stopped says so") {
  log_capture log;
  std::atomic<bool> asked{false};
  scripted_server server({[&](connection& c) {
    c.read_request();
    asked = true;
    c.wait_for_end();
  }});
  {
    fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, fg::otlp_http_exporter(to(server)), fg::w3c_propagator{},
                      fg::batch_processor{fg::batch_options{.schedule_delay = 1ms}}};
    {
      auto span = tracer.trace_context("span");
    }
    CHECK_FALSE(tracer.force_flush(1ms));
    while (!asked) std::this_thread::sleep_for(1ms);
    CHECK_FALSE(tracer.shutdown(10ms));
  }
  CHECK(log.has(server.url() + ": given up before a whole answer came: the program ended, or shut its tracer down"));
}

TEST_CASE("wrong options are said once and fail every batch") {
  log_capture log;
  for (const char* endpoint : {"", "localhost:4318", "ftp://x/", "http://", "http://user:secret@host/", "http://h:0/",
                               "http://h:70000/", "http://::1/", "http://[::1/", "http://a b/"}) {
    fg::otlp_http_options options;
    options.endpoint = endpoint;
    fg::otlp_http_exporter exporter(options);
    const fg::batch_outcome outcome = exporter.export_spans(one_span().batch());
    CHECK(failed_by(outcome, fg::failure_kind::other));
    CHECK_FALSE(exporter.flush({}));
    CHECK_FALSE(exporter.check_health({}).reachable);
    CHECK(exporter.check_health({}).reason == outcome.reason);
    CHECK(log.has(outcome.reason));
  }
  fg::otlp_http_options options;
  options.headers = {{"X-Key", "secret\r\nX-Other: 1"}};
  CHECK(failed_by(fg::otlp_http_exporter(options).export_spans(one_span().batch()), fg::failure_kind::other));
  CHECK(log.has("a header has no valid name"));
  CHECK_FALSE(log.has("secret"));
  fg::otlp_http_options half;
  half.endpoint = "https://127.0.0.1:1/";
  half.client_certificate = "me.pem";
  CHECK(failed_by(fg::otlp_http_exporter(half).export_spans(one_span().batch()), fg::failure_kind::other));
  CHECK(log.has("otlp_http: the client's certificate has no key: client_key is empty; no span will be delivered"));
  std::swap(half.client_certificate, half.client_key);
  CHECK(failed_by(fg::otlp_http_exporter(half).export_spans(one_span().batch()), fg::failure_kind::other));
  CHECK(log.has(
      "otlp_http: the client's key has no certificate: client_certificate is empty; no span will be delivered"));
}

TEST_CASE("after a fork the child has a connection of its own") {
  std::atomic<int> requests{0};
  scripted_server server({[&](connection& c) {
                            c.read_request();
                            ++requests;
                            c.answer("200 OK");
                            // The parent's connection: nothing of the child's may come here, not even an end.
                            if (!c.read_request().head.empty()) {
                              ++requests;
                              c.answer("200 OK");
                            }
                          },
                          [](connection&) {}});
  fg::otlp_http_exporter exporter(to(server));
  CHECK(all_exported(exporter.export_spans(one_span().batch())));
  const pid_t child = fork();
  if (child == 0) {
    // The server serves one connection after the other, so this one gets no answer; it only must not use the first.
    exporter.interrupt();
    fg::otlp_http_options options = to(server);
    std::thread stop([&] {
      std::this_thread::sleep_for(50ms);
      exporter.interrupt();
    });
    static_cast<void>(exporter.export_spans(one_span().batch()));
    stop.join();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(all_exported(exporter.export_spans(one_span().batch())));
  CHECK(requests.load() == 2);
  CHECK(exporter.stats().retried == 0);
}
