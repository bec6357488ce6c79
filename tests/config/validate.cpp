#include <fulgurite/config/validate.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

namespace fg = fulgurite;

TEST_CASE("the defaults are valid") { CHECK(fg::problems_of({}).empty()); }

TEST_CASE("every problem of a configuration made in code, at once") {
  fg::tracer_config config;
  config.sampling_rate = std::numeric_limits<double>::quiet_NaN();
  config.otlp_endpoint = "http://me:pw@";
  config.jaeger_endpoint = "tcp://host:1";
  config.otlp_protocol = "thrift";
  config.otlp_headers = {{"authorization", "Bearer s3cret\r\nx: y"}};
  config.max_queue_size = 10;
  config.propagators = {"tracecontext", "b3"};
  const fg::config_error error(fg::problems_of(config));
  CHECK(
      std::string(error.what()) ==
      "the tracer's configuration has 7 problems\n"
      "  TRACER_SAMPLING_RATE=\"nan\": allowed is a number from 0 to 1\n"
      "  OTLP_ENDPOINT=\"http://********@\": allowed is an address http://host[:port][/path] or https://..., without "
      "user and password\n"
      "  JAEGER_ENDPOINT=\"tcp://host:1\": allowed is an address http://host[:port][/path], https://... or "
      "udp://host:port\n"
      "  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=\"thrift\": allowed is grpc, http/protobuf, http/json\n"
      "  OTEL_EXPORTER_OTLP_TRACES_HEADERS=\"authorization=********\": allowed is key=value,... of valid header names "
      "and values, percent-encoded\n"
      "  OTEL_PROPAGATORS=\"tracecontext,b3\": allowed is tracecontext, baggage, none\n"
      "  OTEL_BSP_MAX_EXPORT_BATCH_SIZE=\"4096\": allowed is at most the queue's size, 10");
}

TEST_CASE("every wrong redaction rule is a problem") {
  const auto problems = fg::problems_of({.redact = "a=b,password,detect:x"});
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].variable == "TRACER_REDACT");
  CHECK(problems[0].value == "a=b");
  CHECK(problems[1].value == "detect:x");
  CHECK(fg::problems_of({.redact_key = "x"}).size() == 1);
}

TEST_CASE("an empty text is unset, and an address may be udp for Jaeger") {
  CHECK(fg::problems_of({.otlp_endpoint = "", .jaeger_endpoint = "udp://agent:6831", .zipkin_endpoint = ""}).empty());
  CHECK(fg::problems_of({.zipkin_endpoint = "udp://host:1"}).size() == 1);
}
