// What the answers mean is tested through the exporters (tests/exporter/otlp_http.cpp and others).
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/exporter/http_wire.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite::failure_kind;
using fulgurite_test::connection;
using fulgurite_test::refusing_port;
using fulgurite_test::scripted_server;

namespace {

using wire = http_wire<otlp_protobuf_dialect>;

http_wire_options to(scripted_server const& server) {
  http_wire_options options;
  REQUIRE(parse_endpoint(server.url(), options.endpoint).empty());
  return options;
}

/// Does what the test says.
struct test_signer : request_signer {
  std::function<std::string(http_endpoint const&, http_headers&, std::span<const std::byte>)> does =
      [](auto const&, auto&, auto) { return std::string(); };
  std::function<bool(http_answer const&)> learns = [](auto const&) { return false; };
  std::string prepare(http_endpoint const& at, http_headers& headers, std::span<const std::byte> body,
                      std::chrono::steady_clock::time_point) override {
    return does(at, headers, body);
  }
  bool learn(http_answer const& answer) override { return learns(answer); }
  std::shared_ptr<request_signer> for_child() const override { return std::make_shared<test_signer>(); }
};

attempt post(wire& over, std::string_view body, std::string_view encoding = {}) {
  const spooled_request request{std::as_bytes(std::span(body)), over.content_type(), encoding, 1};
  return over.post(request, std::chrono::steady_clock::now() + 10s);
}

}  // namespace

TEST_CASE("every attempt is prepared anew, over the body as it goes out") {
  std::vector<std::string> seen;
  scripted_server server({[&](connection& c) {
    for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
      seen.push_back(got.header("x-signature") + " " + got.header("content-encoding"));
      c.answer("200 OK");
    }
  }});
  {
    int calls = 0;
    http_wire_options options = to(server);
    const auto signer = std::make_shared<test_signer>();
    options.signer = signer;
    signer->does = [&](http_endpoint const& at, http_headers& headers, std::span<const std::byte> body) {
      CHECK(at.path == "/v1/traces");
      headers.emplace_back("X-Signature", std::to_string(++calls) + ":" + std::to_string(body.size()));
      return std::string();
    };
    wire over(options);
    CHECK(post(over, "12345").result == attempt::outcome::delivered);
    CHECK(post(over, "123", "gzip").result == attempt::outcome::delivered);
  }
  CHECK(seen == std::vector<std::string>{"1:5 ", "2:3 gzip"});
}

TEST_CASE("what cannot be prepared is not sent, and may be sent later") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }});
  http_wire_options options = to(server);
  const auto signer = std::make_shared<test_signer>();
  options.signer = signer;
  signer->does = [](http_endpoint const&, http_headers&, std::span<const std::byte>) {
    return std::string("no credentials");
  };
  wire over(options);
  const attempt made = post(over, "1");
  CHECK(made.result == attempt::outcome::refused);
  CHECK(made.later);
  CHECK(made.reason == server.url() + ": no credentials");
  CHECK(made.kind == failure_kind::access);
  CHECK_FALSE(over.check(std::chrono::steady_clock::now() + 10s).reachable);
  CHECK(server.connections() == 0);
}

TEST_CASE("the child of a fork gets a signer of its own") {
  http_wire_options options;
  options.signer = std::make_shared<test_signer>();
  const wire over(options);
  CHECK(over.settings_for_child().signer != nullptr);
  CHECK(over.settings_for_child().signer != options.signer);
}

TEST_CASE("an answer that tells how to do better is followed by another attempt at once") {
  scripted_server server({[](connection& c) {
    c.read_request();
    c.answer("403 Forbidden", "clock skew", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    c.wait_for_end();
  }});
  http_wire_options options = to(server);
  const auto signer = std::make_shared<test_signer>();
  options.signer = signer;
  signer->learns = [](http_answer const& answer) {
    return answer.status == 403 && answer.date == "Sun, 06 Nov 1994 08:49:37 GMT";
  };
  wire over(options);
  const attempt made = post(over, "1");
  CHECK(made.result == attempt::outcome::retry);
  CHECK(made.at_once);
  CHECK(made.kind == failure_kind::access);
}

TEST_CASE("a plain request goes through the proxy with its whole address and the proxy's credentials") {
  std::string head;
  scripted_server proxy({[&](connection& c) {
    head = c.read_request().head;
    c.answer("200 OK");
    c.wait_for_end();
  }});
  {
    http_wire_options options;
    REQUIRE(parse_endpoint("http://backend.invalid:4318/v1/traces", options.endpoint).empty());
    REQUIRE(parse_proxy("http://ann:secret@127.0.0.1:" + std::to_string(proxy.port()), options.proxy).empty());
    wire over(options);
    CHECK(post(over, "123").result == attempt::outcome::delivered);
  }
  CHECK(head.starts_with("POST http://backend.invalid:4318/v1/traces HTTP/1.1\r\n"));
  CHECK(head.find("Proxy-Authorization: Basic YW5uOnNlY3JldA==\r\n") != std::string::npos);
}

TEST_CASE("an encrypted request asks the proxy for a tunnel; what it refuses is said") {
  std::string head;
  scripted_server proxy({[&](connection& c) {
    head = c.read_request().head;
    c.answer("502 Bad Gateway");
    c.wait_for_end();
  }});
  attempt made;
  {
    http_wire_options options;
    REQUIRE(parse_endpoint("https://backend.invalid/v1/traces", options.endpoint).empty());
    REQUIRE(parse_proxy("127.0.0.1:" + std::to_string(proxy.port()), options.proxy).empty());
    wire over(options);
    made = post(over, "123");
  }
  CHECK(head.starts_with("CONNECT backend.invalid:443 HTTP/1.1\r\n"));
  CHECK(made.result != attempt::outcome::delivered);
  CHECK(made.kind != failure_kind::none);
  CHECK_FALSE(made.reason.empty());
}

TEST_CASE("an answer that is a web page is doubted") {
  for (const auto& [type, doubted] : {std::pair{"Text/HTML; charset=utf-8", true}, std::pair{"text/plain", false}}) {
    scripted_server server({[content = std::string(type)](connection& c) {
      c.read_request();
      c.answer("200 OK", "<p>Sign in", "Content-Type: " + content + "\r\n");
    }});
    wire over(to(server));
    const attempt made = post(over, "x");
    CHECK(made.result == attempt::outcome::delivered);
    CHECK(made.kind == failure_kind::none);
    CHECK(made.doubt.empty() != doubted);
  }
}

TEST_CASE("a backend that quotes the request does not make our credentials known") {
  scripted_server server({[](connection& c) {
    const auto got = c.read_request();
    c.answer("400 Bad Request", "I was sent " + got.header("authorization") + " and " + got.header("x-key"));
    c.wait_for_end();
  }});
  http_wire_options options = to(server);
  options.headers = {{"Authorization", "Bearer s3cret"}, {"X-Key", "k3yk3y"}};
  wire over(options);
  const std::string reason = post(over, "1").reason;
  CHECK(reason.find("I was sent ********") != std::string::npos);
  CHECK(reason.find("s3cret") == std::string::npos);
  CHECK(reason.find("k3yk3y") == std::string::npos);
}

TEST_CASE("what is taken with words that quote the request does not make our credentials known either") {
  scripted_server server({[](connection& c) {
    const auto got = c.read_request();
    const std::string says = "not for " + got.header("authorization");
    const std::string partial = "\x12" + std::string(1, static_cast<char>(says.size())) + says;
    c.answer("200 OK", "\x0a" + std::string(1, static_cast<char>(partial.size())) + partial);
    c.wait_for_end();
  }});
  http_wire_options options = to(server);
  options.headers = {{"Authorization", "Bearer s3cret"}};
  wire over(options);
  CHECK(post(over, "1").message == "not for ********");
}

TEST_CASE("each status is a kind of failure, worth another attempt or not") {
  struct expected {
    const char* status;
    failure_kind kind;
    attempt::outcome result;
    bool later;
  };
  constexpr auto refused = attempt::outcome::refused, retry = attempt::outcome::retry;
  for (expected const& test : {expected{"301 Moved", failure_kind::address, refused, true},
                               expected{"400 Bad Request", failure_kind::refused, refused, false},
                               expected{"401 Unauthorized", failure_kind::access, refused, true},
                               expected{"403 Forbidden", failure_kind::access, refused, true},
                               expected{"404 Not Found", failure_kind::address, refused, true},
                               expected{"405 Not Allowed", failure_kind::address, refused, true},
                               expected{"407 Proxy", failure_kind::address, refused, true},
                               expected{"408 Timeout", failure_kind::timed_out, refused, true},
                               expected{"413 Too Large", failure_kind::too_large, refused, false},
                               expected{"415 Other", failure_kind::address, refused, true},
                               expected{"422 Unprocessable", failure_kind::refused, refused, false},
                               expected{"429 Too Many", failure_kind::unavailable, retry, true},
                               expected{"500 Internal", failure_kind::refused, refused, false},
                               expected{"502 Bad Gateway", failure_kind::unavailable, retry, true},
                               expected{"503 Unavailable", failure_kind::unavailable, retry, true},
                               expected{"504 Timeout", failure_kind::unavailable, retry, true}}) {
    CAPTURE(test.status);
    scripted_server server({[&test](connection& c) {
      c.read_request();
      c.answer(test.status);
      c.wait_for_end();
    }});
    wire over(to(server));
    const attempt made = post(over, "1");
    CHECK(made.result == test.result);
    CHECK(made.kind == test.kind);
    CHECK(made.later == test.later);
    CHECK(made.reason.starts_with(server.url() + " answered HTTP " + std::string(test.status).substr(0, 3)));
  }
}

TEST_CASE("where there is no answer the kind says why") {
  SUBCASE("nobody listens") {
    const refusing_port nobody;
    http_wire_options options;
    REQUIRE(parse_endpoint(nobody.url(), options.endpoint).empty());
    wire over(options);
    const attempt made = post(over, "1");
    CHECK(made.result == attempt::outcome::retry);
    CHECK(made.kind == failure_kind::unreachable);
  }
  SUBCASE("the connection ends") {
    scripted_server server({[](connection& c) { c.read_request(); }});
    wire over(to(server));
    const attempt made = post(over, "1");
    CHECK(made.result == attempt::outcome::retry);
    CHECK_FALSE(made.at_once);
    CHECK(made.kind == failure_kind::disconnected);
  }
  SUBCASE("it takes too long") {
    scripted_server server({[](connection& c) { c.wait_for_end(); }});
    wire over(to(server));
    const attempt made = over.post({{}, over.content_type(), {}, 1}, std::chrono::steady_clock::now() + 20ms);
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::timed_out);
  }
  SUBCASE("somebody gives it up") {
    scripted_server server({[](connection& c) { c.wait_for_end(); }});
    wire over(to(server));
    std::atomic<bool> done{false};
    std::thread other([&] {
      for (; !done; std::this_thread::sleep_for(1ms)) over.interrupt();
    });
    const attempt made = post(over, "1");
    done = true;
    other.join();
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::given_up);
  }
  SUBCASE("no trust") {
    http_wire_options options;
    REQUIRE(parse_endpoint("https://127.0.0.1:1/v1/traces", options.endpoint).empty());
    options.tls.client_certificate = options.tls.client_key = "/nowhere/client.pem";
    wire over(options);
    const attempt made = post(over, "1");
    CHECK(made.result == attempt::outcome::refused);
    CHECK(made.later);
    CHECK(made.kind == failure_kind::tls);
  }
}
