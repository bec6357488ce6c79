// What reaches the wire is tested in tests/backends.cpp and against real servers (tests/integration/interop.py).
#include <fulgurite/config/exporter_factory.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace fg = fulgurite;
using namespace std::chrono_literals;

namespace {

/// The head of the request by which the exporter of this configuration asks for the backend's health.
std::string head_of(fg::tracer_config config, std::string fg::tracer_config::* endpoint, const char* path) {
  std::string head;
  fulgurite_test::scripted_server server({[&](fulgurite_test::connection& c) {
    head = c.read_request().head;
    c.answer("202 Accepted");
    c.wait_for_end();
  }});
  config.*endpoint = server.url(path);
  CHECK(fg::detail::make_exporter(config).check_health(std::chrono::steady_clock::now() + 10s).reachable);
  return head;
}

}  // namespace

TEST_CASE("Jaeger's credentials: a token, else a user with a password (RFC 7617's example)") {
  fg::tracer_config config{.tracer_type = fg::tracer_type::jaeger};
  config.jaeger_user = "Aladdin";
  config.jaeger_password = "open sesame";
  config.jaeger_headers = {{"X-Tenant", "a"}};
  const std::string basic = head_of(config, &fg::tracer_config::jaeger_endpoint, "/api/traces");
  CHECK(basic.starts_with("POST /api/traces "));
  CHECK(basic.find("\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n") != std::string::npos);
  CHECK(basic.find("\r\nX-Tenant: a\r\n") != std::string::npos);
  config.jaeger_auth_token = "t";
  CHECK(head_of(config, &fg::tracer_config::jaeger_endpoint, "/api/traces").find("\r\nAuthorization: Bearer t\r\n") !=
        std::string::npos);
}

TEST_CASE("Zipkin's headers, and OTLP's in JSON") {
  fg::tracer_config zipkin{.tracer_type = fg::tracer_type::zipkin};
  zipkin.zipkin_headers = {{"X-Key", "k"}};
  const std::string head = head_of(zipkin, &fg::tracer_config::zipkin_endpoint, "/api/v2/spans");
  CHECK(head.starts_with("POST /api/v2/spans "));
  CHECK(head.find("\r\nX-Key: k\r\n") != std::string::npos);

  fg::tracer_config otlp{.tracer_type = fg::tracer_type::opentelemetry};
  otlp.otlp_protocol = "http/json";
  CHECK(head_of(otlp, &fg::tracer_config::otlp_endpoint, "/v1/traces").find("\r\nContent-Type: application/json\r\n") !=
        std::string::npos);
}

TEST_CASE("a proxy is used for what no_proxy does not name") {
  fg::tracer_config config;
  config.http_proxy = "http://plain:1";
  config.https_proxy = "http://safe:2";
  config.no_proxy = "near.example";
  using fg::detail::proxy_for;
  CHECK(proxy_for(config, "http://far.example/") == "http://plain:1");
  CHECK(proxy_for(config, "https://far.example/") == "http://safe:2");
  CHECK(proxy_for(config, "http://near.example/").empty());
  CHECK(proxy_for(config, "nonsense").empty());
}

TEST_CASE("several exporters are one that asks each") {
  fg::tracer_config config{.tracer_type = fg::tracer_type::opentelemetry};
  config.traces_exporters = {"zipkin", "none"};
  fulgurite_test::refusing_port nobody;
  config.zipkin_endpoint = nobody.url();
  const fg::health_report report =
      fg::detail::make_exporter(config).check_health(std::chrono::steady_clock::now() + 10s);
  CHECK_FALSE(report.reachable);
  CHECK(report.reason.starts_with("1 of 2 reachable: zipkin: "));
}
