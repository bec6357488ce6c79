// With the exporters themselves these are tested in tests/config/exporter_factory.cpp, tests/select.cpp and
// tests/backends.cpp.
#include <fulgurite/config/exporter_options.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite::detail;
using namespace std::chrono_literals;

namespace {

/// What the options of all exporters together have.
struct any_options {
  struct {
    std::string spool;
    std::uint64_t spool_max_bytes = 0;
    int attempts = 0;
  } delivery;
  std::string endpoint = "default", ca_file, proxy, exporter_proxy, client_certificate, client_key;
  std::string environment, data_directory, api_key, exporter_endpoint = "https://default", app_url = "default";
  std::size_t concurrent_requests = 0;
  fg::tracer_config::pairs headers;
  bool gzip = false, managed = false, daemon = false;
  std::chrono::milliseconds timeout{};
};

fg::tracer_config all_set() {
  fg::tracer_config config;
  config.ca_file = "ca.pem";
  config.http_proxy = "http://proxy:1";
  config.no_proxy = "near";
  config.concurrent_requests = 4;
  config.spool = "spool";
  return config;
}

}  // namespace

TEST_CASE("what the exporters over HTTP have in common") {
  const auto far = http_options_of<any_options>(all_set(), "http://far/x");
  CHECK(far.endpoint == "http://far/x");
  CHECK(far.ca_file == "ca.pem");
  CHECK(far.proxy == "http://proxy:1");
  CHECK(far.concurrent_requests == 4);
  CHECK(far.delivery.spool == "spool");
  CHECK(far.delivery.spool_max_bytes == 512U << 20U);
  CHECK(http_options_of<any_options>(all_set(), "http://near/x").proxy.empty());
  CHECK(http_options_of<any_options>(all_set(), "https://far/x").proxy.empty());
}

TEST_CASE("OTLP: its own list of whom to trust goes first") {
  fg::tracer_config config = all_set();
  config.otlp_headers = {{"a", "b"}};
  config.otlp_client_certificate = "c.pem";
  config.otlp_client_key = "k.pem";
  config.otlp_timeout = 7ms;
  const auto made = otlp_options_of<any_options>(config, "http://far");
  CHECK(made.headers == fg::tracer_config::pairs{{"a", "b"}});
  CHECK(made.client_certificate == "c.pem");
  CHECK(made.client_key == "k.pem");
  CHECK(made.timeout == 7ms);
  CHECK(made.gzip);
  CHECK(made.ca_file == "ca.pem");
  config.otlp_certificate = "own.pem";
  config.otlp_compression = "none";
  CHECK(otlp_options_of<any_options>(config, "http://far").ca_file == "own.pem");
  CHECK_FALSE(otlp_options_of<any_options>(config, "http://far").gzip);
}

TEST_CASE("Jaeger's credentials and Zipkin's headers") {
  fg::tracer_config config = all_set();
  config.jaeger_user = "Aladdin";
  config.jaeger_password = "open sesame";
  CHECK(jaeger_options_of<any_options>(config).headers.front().second == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(jaeger_options_of<any_options>(config).endpoint == config.jaeger_endpoint);
  config.zipkin_headers = {{"x", "y"}};
  config.zipkin_timeout = 9ms;
  CHECK(zipkin_options_of<any_options>(config).headers == config.zipkin_headers);
  CHECK(zipkin_options_of<any_options>(config).timeout == 9ms);
}

TEST_CASE("AgentOps: what is not said keeps the exporter's default, and only the cloud is behind a proxy") {
  fg::tracer_config config = all_set();
  const auto local = agentops_options_of<any_options>(config);
  CHECK(local.managed);
  CHECK(local.endpoint == "default");
  CHECK(local.app_url == "default");
  CHECK(local.proxy.empty());
  config.agentops_managed = false;
  config.agentops_api_key = "key";
  config.agentops_api_endpoint = "http://api";
  config.agentops_exporter_endpoint = "http://near/v1/traces";
  const auto cloud = agentops_options_of<any_options>(config);
  CHECK_FALSE(cloud.managed);
  CHECK(cloud.api_key == "key");
  CHECK(cloud.endpoint == "http://api");
  CHECK(cloud.proxy == "http://proxy:1");
  CHECK(cloud.exporter_proxy.empty());
}
