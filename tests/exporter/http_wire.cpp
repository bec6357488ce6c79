// What the answers mean is tested through the exporters (tests/exporter/otlp_http.cpp and others).
#include <fulgurite/encoder/otlp_protobuf.hpp>
#include <fulgurite/exporter/http_wire.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::connection;
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

wire_reply post(wire& over, std::string_view body, std::string_view encoding = {}) {
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
    CHECK(post(over, "12345").last.result == attempt::outcome::delivered);
    CHECK(post(over, "123", "gzip").last.result == attempt::outcome::delivered);
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
  const wire_reply reply = post(over, "1");
  CHECK(reply.last.result == attempt::outcome::refused);
  CHECK(reply.last.later);
  CHECK(reply.last.reason.ends_with("no credentials"));
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
  const wire_reply reply = post(over, "1");
  CHECK(reply.last.result == attempt::outcome::retry);
  CHECK(reply.last.at_once);
  CHECK(reply.kind == "403 0");
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
    CHECK(post(over, "123").last.result == attempt::outcome::delivered);
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
  wire_reply reply;
  {
    http_wire_options options;
    REQUIRE(parse_endpoint("https://backend.invalid/v1/traces", options.endpoint).empty());
    REQUIRE(parse_proxy("127.0.0.1:" + std::to_string(proxy.port()), options.proxy).empty());
    wire over(options);
    reply = post(over, "123");
  }
  CHECK(head.starts_with("CONNECT backend.invalid:443 HTTP/1.1\r\n"));
  CHECK(reply.last.result != attempt::outcome::delivered);
  CHECK_FALSE(reply.last.reason.empty());
}

TEST_CASE("an answer that is a web page is doubted") {
  for (const auto& [type, doubted] : {std::pair{"Text/HTML; charset=utf-8", true}, std::pair{"text/plain", false}}) {
    scripted_server server({[content = std::string(type)](connection& c) {
      c.read_request();
      c.answer("200 OK", "<p>Sign in", "Content-Type: " + content + "\r\n");
    }});
    wire over(to(server));
    const wire_reply reply = post(over, "x");
    CHECK(reply.last.result == attempt::outcome::delivered);
    CHECK(reply.doubt.empty() != doubted);
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
  const std::string reason = post(over, "1").last.reason;
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
