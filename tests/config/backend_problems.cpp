// That problems are found at start-up, under the right names, is tested in tests/backends.cpp.
#include <fulgurite/config/backend_problems.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fg = fulgurite;
using fg::detail::exports_by;
using fg::detail::is_signed_for_xray;
using fg::detail::problems_of_backend;

namespace {

std::size_t problems(fg::tracer_config config) {
  fg::loaded_config loaded;
  loaded.config = std::move(config);
  return problems_of_backend(loaded, {}).size();
}

std::string warnings(fg::tracer_config const& config) {
  std::string said;
  fg::set_log_handler([&said](fg::log_level, std::string_view text) { said.append(text).append("\n"); });
  fg::detail::warn_about(config);
  fg::set_log_handler({});
  return said;
}

}  // namespace

TEST_CASE("which exporters a configuration has") {
  fg::tracer_config config;
  CHECK(exports_by(config, "agentops"));
  CHECK_FALSE(exports_by(config, "otlp"));
  config.tracer_type = fg::tracer_type::zipkin;
  CHECK(exports_by(config, "zipkin"));
  config.tracer_type = fg::tracer_type::opentelemetry;
  config.traces_exporters = {"otlp", "jaeger"};
  CHECK(exports_by(config, "otlp"));
  CHECK(exports_by(config, "jaeger"));
  CHECK_FALSE(exports_by(config, "zipkin"));
}

TEST_CASE("X-Ray is signed for where a region is set and the host is X-Ray's") {
  fg::tracer_config config;
  CHECK_FALSE(is_signed_for_xray(config, "https://xray.eu-west-1.amazonaws.com/v1/traces"));
  config.aws_region = "eu-west-1";
  CHECK(is_signed_for_xray(config, "https://xray.eu-west-1.amazonaws.com/v1/traces"));
  CHECK_FALSE(is_signed_for_xray(config, "https://collector.example/v1/traces"));
}

TEST_CASE("what the defaults lack") {
  CHECK(problems({}) == 0);
  for (const auto type : {fg::tracer_type::opentelemetry, fg::tracer_type::jaeger, fg::tracer_type::zipkin})
    CHECK(problems({.tracer_type = type}) == 0);
  CHECK(problems({.agentops_managed = false}) == 1);
  CHECK(problems({.tracer_type = fg::tracer_type::opentelemetry, .otlp_client_key = "/dev/null"}) == 2);
  CHECK(problems({.tracer_type = fg::tracer_type::jaeger, .otlp_client_key = "key.pem"}) == 0);
}

TEST_CASE("files and directories that cannot be used") {
  const auto wrong = [](fg::tracer_config config, fg::tracer_type type) {
    config.tracer_type = type;
    return problems(config);
  };
  using fg::tracer_type;
  CHECK(wrong({.ca_file = "/nowhere/ca.pem"}, tracer_type::zipkin) == 1);
  CHECK(wrong({.ca_file = "/nowhere/ca.pem"}, tracer_type::agentops) == 0);  // the local server has no TLS
  CHECK(wrong({.jaeger_endpoint = "UDP://localhost:6831", .ca_file = "/nowhere/ca.pem"}, tracer_type::jaeger) == 0);
  CHECK(wrong({.otlp_certificate = "/nowhere/ca.pem"}, tracer_type::opentelemetry) == 1);
  CHECK(wrong({.spool = "/dev/null/spool"}, tracer_type::jaeger) == 1);
  CHECK(wrong({.spool = "/dev/null/spool"}, tracer_type::noop) == 0);
  CHECK(wrong({.traces_exporters = {"file"}, .file = "/nowhere/t.jsonl"}, tracer_type::opentelemetry) == 1);
}

TEST_CASE("a protocol of Jaeger that is not the endpoint's") {
  const auto wrong = [](const char* endpoint, const char* protocol) {
    return problems({.tracer_type = fg::tracer_type::jaeger, .jaeger_endpoint = endpoint, .jaeger_protocol = protocol});
  };
  CHECK(wrong("udp://localhost:1", "udp/thrift.binary") == 0);
  CHECK(wrong("http://localhost:1", "http/thrift.binary") == 0);
  CHECK(wrong("udp://localhost:1", "http/thrift.binary") == 1);
  CHECK(wrong("http://localhost:1", "udp/thrift.compact") == 1);
}

TEST_CASE("credentials of Jaeger that do not fit together") {
  const auto wrong = [](fg::tracer_config config) {
    config.tracer_type = fg::tracer_type::jaeger;
    return problems(config);
  };
  CHECK(wrong({.jaeger_user = "u", .jaeger_password = "p"}) == 0);
  CHECK(wrong({.jaeger_password = "p"}) == 1);
  CHECK(wrong({.jaeger_user = "u", .jaeger_password = "p", .jaeger_auth_token = "t"}) == 1);
}

TEST_CASE("in production what leaves the machine in clear text is said, without secrets") {
  const auto production = [](fg::tracer_type type) {
    fg::tracer_config config;
    config.tracer_type = type;
    config.environment = "production";
    config.zipkin_endpoint = "http://zipkin.example:9411/api/v2/spans?key=s3cret";
    config.jaeger_endpoint = "udp://agent.example:6831";
    config.otlp_endpoint = "http://localhost:4318";
    return config;
  };
  const std::string zipkin = warnings(production(fg::tracer_type::zipkin));
  CHECK(zipkin.find("http://zipkin.example:9411/api/v2/spans") != std::string::npos);
  CHECK(zipkin.find("s3cret") == std::string::npos);
  CHECK(warnings(production(fg::tracer_type::jaeger)).find("udp://agent.example:6831") != std::string::npos);
  CHECK(warnings(production(fg::tracer_type::opentelemetry)).empty());
  fg::tracer_config at_home = production(fg::tracer_type::zipkin);
  at_home.environment = "development";
  CHECK(warnings(at_home).empty());
}
