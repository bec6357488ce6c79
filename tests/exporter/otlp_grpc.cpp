// That spans arrive is tested against gRPC's own server: tests/integration/grpc_reference.py.
#include <fulgurite/exporter/otlp_grpc.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace std::chrono_literals;
using fulgurite_test::refusing_port;

namespace {

std::vector<std::string> said;

/// Keeps what the library says, while it exists.
struct listening {
  listening() {
    said.clear();
    fg::set_log_handler([](fg::log_level, std::string_view text) { said.emplace_back(text); });
  }
  ~listening() { fg::set_log_handler(nullptr); }
  bool heard(std::string_view part) const {
    for (std::string const& line : said)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }
};

fg::batch_outcome send_one(fg::otlp_grpc_exporter& exporter) {
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  return exporter.export_spans(builder.batch());
}

}  // namespace

TEST_CASE("wrong options are said, and nothing is sent") {
  const std::pair<const char*, fg::otlp_grpc_options> wrong[] = {
      {"must begin with http://", {.endpoint = "localhost:4317"}},
      {"no valid name for gRPC", {.headers = {{"a b", "c"}}}},
      {"not printable ASCII", {.headers = {{"a", "c\r\nd: e"}}}},
      {"has no key", {.client_certificate = "file"}},
      {"proxy", {.proxy = "socks5://x"}},
  };
  for (auto const& [part, options] : wrong) {
    const listening to;
    fg::otlp_grpc_exporter exporter(options);
    INFO(part);
    CHECK(to.heard(part));
    CHECK(to.heard("otlp_grpc"));
    CHECK(!to.heard("c\r\n"));
    const fg::batch_outcome outcome = send_one(exporter);
    CHECK(outcome.failed == 1);
    CHECK(outcome.spans() == 1);
    CHECK(outcome.kind == fg::failure_kind::other);
    CHECK(outcome.reason.find(part) != std::string::npos);
    CHECK(exporter.check_health(std::chrono::steady_clock::now() + 1s).reason == outcome.reason);
  }
}

TEST_CASE("what gRPC does not use is warned about") {
  const listening to;
  const fg::otlp_grpc_exporter exporter(
      {.endpoint = "http://localhost:4317/v1/traces", .headers = {{"Content-Type", "x"}, {"key-bin", "\xff"}}});
  CHECK(to.heard("the endpoint's path is not used"));
  CHECK(to.heard("the header Content-Type is gRPC's own"));
  CHECK(said.size() == 2);
}

TEST_CASE("a backend that is not there is retried, then given up, within the time limit") {
  const refusing_port port;
  const listening to;
  fg::otlp_grpc_exporter exporter({.endpoint = "http://127.0.0.1:" + std::to_string(port.port()),
                                   .headers = {{"authorization", "secret"}},
                                   .timeout = 10s,
                                   .delivery = {.max_attempts = 3, .initial_backoff = 1ms}});
  const fg::batch_outcome unreachable = send_one(exporter);
  CHECK(unreachable.failed == 1);
  CHECK(unreachable.spans() == 1);
  CHECK(unreachable.kind == fg::failure_kind::unreachable);
  CHECK(unreachable.reason ==
        "http://127.0.0.1:" + std::to_string(port.port()) + ": connection refused: nothing listens there");
  CHECK(exporter.stats().retried == 2);
  CHECK(to.heard("connection refused: nothing listens there"));
  CHECK(!to.heard("secret"));
  CHECK(!exporter.check_health(std::chrono::steady_clock::now() + 1s).reachable);
  CHECK(exporter.shutdown(std::chrono::steady_clock::now() + 1s));
  const fg::batch_outcome late = send_one(exporter);
  CHECK(late.failed == 1);
  CHECK(late.kind == fg::failure_kind::given_up);
}
