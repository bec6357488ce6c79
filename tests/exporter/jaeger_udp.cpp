#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/tracer.hpp>

#include "../datagrams.hpp"
#include "../log_capture.hpp"
#include "../record_builder.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using fulgurite_test::datagram_receiver;
using fulgurite_test::log_capture;
using fulgurite_test::refusing_datagram_port;
using namespace std::chrono_literals;

namespace {

fg::span_data span(std::uint64_t id, std::size_t name = 10) {
  fg::span_data one;
  one.name = std::string(name, 'n');
  one.trace_id = fg::trace_id::from_numbers(0, 1);
  one.span_id = fg::span_id::from_number(id);
  one.flags = 0x101;
  return one;
}

struct spans {
  explicit spans(std::size_t count = 1, std::size_t name = 10) {
    for (std::size_t i = 0; i < count; ++i) add(span(i + 1, name));
  }
  void add(fg::span_data const& one) { builder.add(one); }
  fg::span_batch batch() const { return builder.batch(); }
  fulgurite_test::record_builder builder;
};

fg::jaeger_udp_options to(std::uint16_t port) { return {.host = "127.0.0.1", .port = port}; }

std::size_t count(std::string_view all, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = all.find(part); at != std::string_view::npos; at = all.find(part, at + 1)) ++found;
  return found;
}

template <class Encoder>
std::string encoded(fg::span_batch const& batch) {
  Encoder encoder(fg::jaeger_form::message);
  const auto made = fg::to_jaeger_thrift(batch, encoder);
  return {reinterpret_cast<const char*>(made.data()), made.size()};
}

}  // namespace

TEST_CASE("a batch is a datagram, in either protocol") {
  datagram_receiver receiver;
  const spans three(3);
  fg::jaeger_udp_exporter exporter(to(receiver.port()));
  CHECK(exporter.export_spans(three.batch()).is_success());
  CHECK(receiver.receive() == encoded<fg::jaeger_compact_encoder>(three.batch()));
  fg::jaeger_udp_options options = to(receiver.port());
  options.protocol = fg::jaeger_udp_protocol::binary;
  CHECK(fg::jaeger_udp_exporter(options).export_spans(three.batch()).is_success());
  CHECK(receiver.receive() == encoded<fg::jaeger_binary_encoder>(three.batch()));
  CHECK(exporter.flush({}));
  CHECK(exporter.counts().datagrams == 1);
  CHECK(exporter.export_spans(spans(0).batch()).is_success());
  CHECK(exporter.counts().datagrams == 1);
  CHECK(exporter.shutdown({}));
  CHECK(exporter.export_spans(three.batch()).failed > 0);
  CHECK(receiver.receive_all().empty());
}

TEST_CASE("the ports are the agent's own unless one is given") {
  CHECK(fg::jaeger_udp_exporter().check_health({}).endpoint == "udp://localhost:6831");
  CHECK(fg::jaeger_udp_exporter({.protocol = fg::jaeger_udp_protocol::binary}).check_health({}).endpoint ==
        "udp://localhost:6832");
  CHECK(fg::jaeger_udp_exporter({.host = "::1", .port = 5}).check_health({}).endpoint == "udp://[::1]:5");
}

TEST_CASE("datagrams are filled, but never over the limit, and every span is in one") {
  for (const fg::jaeger_udp_protocol protocol : {fg::jaeger_udp_protocol::compact, fg::jaeger_udp_protocol::binary}) {
    datagram_receiver receiver;
    fg::jaeger_udp_options options = to(receiver.port());
    options.protocol = protocol;
    options.max_packet_size = 2000;
    fg::jaeger_udp_exporter exporter(options);
    // More than are kept before they are sent.
    const spans many(500, 100);
    CHECK(exporter.export_spans(many.batch()).exported == 500);
    const std::vector<std::string> got = receiver.receive_all();
    CHECK(got.size() > 32);
    CHECK(exporter.counts().datagrams == got.size());
    std::size_t found = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].size() <= 2000);
      if (i + 1 < got.size()) CHECK(got[i].size() > 2000 - 200);
      CHECK(count(got[i], "emitBatch") == 1);
      found += count(got[i], std::string(100, 'n'));
    }
    CHECK(found == 500);
    CHECK(exporter.counts().shortened == 0);
  }
}

TEST_CASE("the limit is 65,000 bytes, and none is above UDP's own") {
  for (const std::size_t limit : {std::size_t{65'000}, std::size_t{1'000'000}}) {
    datagram_receiver receiver;
    fg::jaeger_udp_options options = to(receiver.port());
    if (limit != 65'000) options.max_packet_size = limit;
    fg::jaeger_udp_exporter exporter(options);
    const std::size_t most = std::min(limit, fg::detail::max_datagram);
    CHECK(exporter.export_spans(spans(2, 40'000).batch()).is_success());
    CHECK(receiver.receive().size() < most);
    CHECK(receiver.receive().size() < most);
    CHECK(exporter.export_spans(spans(2, 32'000).batch()).is_success());
    CHECK(receiver.receive().size() > 64'000);
    CHECK(receiver.receive_all().empty());
    // A name cannot be shortened.
    log_capture log;
    const fg::batch_outcome outcome = exporter.export_spans(spans(2, most).batch());
    CHECK(outcome.too_large == 2);
    CHECK(outcome.spans() == 2);
    CHECK(receiver.receive_all().empty());
    CHECK(log.has("jaeger_udp: 2 spans take more than " + std::to_string(most) + " bytes"));
  }
}

TEST_CASE("a span that is too large loses what is largest, and says so") {
  log_capture log;
  datagram_receiver receiver;
  fg::jaeger_udp_exporter exporter(to(receiver.port()));
  fg::span_data large = span(2);
  large.attributes = {{"first", std::string(40'000, 'a')}, {"kept", std::string(30'000, 'b')}};
  large.events = {{"lost", 1, {{"k", std::string(50'000, 'e')}}}, {"kept event", 2, {}}};
  spans made(1);
  made.add(large);
  made.add(span(3));
  CHECK(exporter.export_spans(made.batch()).is_success());
  const std::vector<std::string> got = receiver.receive_all();
  // One before it; it, and the one after it.
  REQUIRE(got.size() == 2);
  CHECK(count(got[0], "nnnnnnnnnn") == 1);
  CHECK(count(got[1], "nnnnnnnnnn") == 2);
  CHECK(got[1].size() <= 65'000);
  for (const char* part : {"kept", "kept event", "otel.dropped_attributes_count", "otel.dropped_events_count"})
    CHECK(count(got[1], part) >= 1);
  for (const char* part : {"first", "lost", "otel.dropped_links_count"}) CHECK(count(got[1], part) == 0);
  CHECK(exporter.counts().shortened == 1);
  CHECK(log.has("spans were sent shortened, without 1 attributes, 1 events and 0 links"));
}

TEST_CASE("a span with thousands of events fits at the end") {
  datagram_receiver receiver;
  fg::jaeger_udp_exporter exporter(to(receiver.port()));
  fg::span_data large = span(1);
  for (int i = 0; i < 20'000; ++i) large.events.push_back({"event number " + std::to_string(i), i, {}});
  spans made(0);
  made.add(large);
  CHECK(exporter.export_spans(made.batch()).is_success());
  const std::string got = receiver.receive();
  CHECK(got.size() <= 65'000);
  CHECK(got.size() > 64'000);
  CHECK(count(got, "event number ") > 1000);
}

TEST_CASE("between datagrams lies a pause, also between batches; two go at once") {
  datagram_receiver receiver;
  fg::jaeger_udp_options options = to(receiver.port());
  options.max_packet_size = 1'000;  // one span each
  options.pause = 10ms;
  fg::jaeger_udp_exporter exporter(options);
  const auto begun = std::chrono::steady_clock::now();
  CHECK(exporter.export_spans(spans(5, 600).batch()).is_success());
  CHECK(exporter.export_spans(spans(1).batch()).is_success());
  CHECK(exporter.counts().datagrams == 6);
  CHECK(std::chrono::steady_clock::now() - begun >= 50ms);  // 2, 2, 1 and 1: twenty, twenty and ten after these
}

TEST_CASE("spans that nobody took are failures") {
  log_capture log;
  const refusing_datagram_port nobody;
  fg::jaeger_udp_exporter exporter(to(nobody.port()));
  const fg::batch_outcome outcome = exporter.export_spans(spans(3).batch());
  CHECK(outcome.failed == 3);
  CHECK(outcome.kind == fg::failure_kind::unreachable);
  CHECK(outcome.reason == "udp://127.0.0.1:" + std::to_string(nobody.port()) + ": nobody listens there");
  CHECK(exporter.counts().datagrams == 1);
  CHECK(exporter.counts().refused == 1);
  CHECK(log.has("jaeger_udp: spans were lost: nobody listens at udp://127.0.0.1:" + std::to_string(nobody.port())));
  fg::jaeger_udp_exporter nowhere({.host = "no.such.host.invalid"});
  CHECK(nowhere.export_spans(spans().batch()).failed > 0);
  CHECK(log.has("jaeger_udp: spans were not sent to udp://no.such.host.invalid:6831: cannot find the host"));
}

TEST_CASE("check_health says what it can know") {
  datagram_receiver receiver;
  const refusing_datagram_port nobody;
  const auto soon = std::chrono::steady_clock::now() + 20s;
  const fg::jaeger_udp_exporter there(to(receiver.port())), gone(to(nobody.port()));
  fg::health_report health = there.check_health(soon);
  CHECK(health.reachable);
  CHECK(health.reason == "UDP gives no answer; nothing refused an empty batch");
  CHECK(health.endpoint == "udp://127.0.0.1:" + std::to_string(receiver.port()));
  CHECK(count(receiver.receive(), "emitBatch") == 1);
  health = gone.check_health(soon);
  CHECK_FALSE(health.reachable);
  CHECK(health.reason == "nobody listens there");
  health = fg::jaeger_udp_exporter({.host = "no.such.host.invalid"}).check_health(soon);
  CHECK_FALSE(health.reachable);
  CHECK(health.reason.starts_with("cannot find the host"));
}

TEST_CASE("a tracer's spans arrive, and the accounts are right") {
  datagram_receiver receiver;
  const refusing_datagram_port nobody;
  for (const bool listens : {true, false}) {
    log_capture log;
    fg::tracer tracer{fg::resource{.service_name = "shop"}, fg::always_on_sampler{},
                      fg::any_exporter(fg::jaeger_udp_exporter(to(listens ? receiver.port() : nobody.port()))),
                      fg::w3c_propagator{}, fg::batch_processor{}};
    for (int i = 0; i < 10; ++i) auto one = tracer.trace_context("work");
    CHECK(tracer.shutdown(20s) == listens);
    const fg::tracer_stats stats = tracer.stats();
    CHECK(stats.exported == (listens ? 10 : 0));
    CHECK(stats.failed == (listens ? 0 : 10));
    CHECK(stats.sampled == stats.exported + stats.failed + stats.dropped);
  }
  std::size_t found = 0;
  for (std::string const& datagram : receiver.receive_all()) found += count(datagram, "work");
  CHECK(found == 10);
}

TEST_CASE("after a fork the child has a socket of its own") {
  datagram_receiver receiver;
  fg::jaeger_udp_exporter exporter(to(receiver.port()));
  CHECK(exporter.export_spans(spans(1).batch()).is_success());
  const pid_t child = fork();
  if (child == 0) {
    exporter.after_fork();
    const bool fresh = exporter.counts().datagrams == 0;
    _exit(exporter.export_spans(spans(2).batch()).exported == 2 && fresh ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(exporter.export_spans(spans(3).batch()).is_success());
  CHECK(exporter.counts().datagrams == 2);
  const std::vector<std::string> got = receiver.receive_all();
  REQUIRE(got.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(count(got[i], "nnnnnnnnnn") == i + 1);
}

TEST_CASE("an interruption counts for the export that is under way only") {
  datagram_receiver receiver;
  fg::jaeger_udp_options options = to(receiver.port());
  options.host = "localhost";
  fg::jaeger_udp_exporter exporter(options);
  exporter.interrupt();
  CHECK(exporter.export_spans(spans().batch()).is_success());
  CHECK(receiver.receive_all().size() == 1);
}
