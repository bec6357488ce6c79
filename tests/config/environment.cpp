#include <fulgurite/config/environment.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {
using variables = std::map<std::string, std::string>;

fg::loaded_config load(variables const& from, std::vector<std::string> const& registered = {}) {
  fg::loaded_config loaded;
  fg::detail::read_environment(
      loaded,
      [&](const char* name) {
        const auto found = from.find(name);
        return found == from.end() ? nullptr : found->second.c_str();
      },
      registered);
  return loaded;
}

/// Nothing wrong, nothing ignored.
fg::tracer_config clean(variables const& from) {
  const fg::loaded_config loaded = load(from);
  CHECK(loaded.problems.empty());
  for (auto const& warning : loaded.warnings) FAIL_CHECK(warning);
  return loaded.config;
}
}  // namespace

TEST_CASE("every variable is read") {
  const fg::tracer_config own = clean({{"TRACER_TYPE", "OpenTelemetry"},
                                       {"TRACER_SERVICE_NAME", "svc"},
                                       {"TRACER_SERVICE_VERSION", "2"},
                                       {"TRACER_ENVIRONMENT", "staging"},
                                       {"TRACER_SAMPLING_RATE", "0.5"},
                                       {"TRACER_INSTRUMENT_MANAGED", "off"},
                                       {"OTLP_ENDPOINT", "http://o:1/x"},
                                       {"JAEGER_ENDPOINT", "udp://j:6831"},
                                       {"ZIPKIN_ENDPOINT", "http://z:1/api"},
                                       {"AGENTOPS_MANAGED", "no"},
                                       {"AGENTOPS_DAEMON", "0"},
                                       {"AGENTOPS_API_KEY", "key"},
                                       {"AGENTOPS_API_ENDPOINT", "http://api"},
                                       {"AGENTOPS_EXPORTER_ENDPOINT", "http://exp"},
                                       {"AGENTOPS_APP_URL", "http://app"},
                                       {"FULGURITE_DATA", "/data"},
                                       {"AWS_REGION", "eu-west-1"},
                                       {"TRACER_LOG_LEVEL", "DEBUG"}});
  CHECK(own.tracer_type == fg::tracer_type::opentelemetry);
  CHECK(own.service_name == "svc");
  CHECK(own.service_version == "2");
  CHECK(own.environment == "staging");
  CHECK(own.sampling_rate == 0.5);
  CHECK_FALSE(own.instrument_managed);
  CHECK(own.otlp_endpoint == "http://o:1/x");
  CHECK(own.jaeger_endpoint == "udp://j:6831");
  CHECK(own.zipkin_endpoint == "http://z:1/api");
  CHECK_FALSE(own.agentops_managed);
  CHECK_FALSE(own.agentops_daemon);
  CHECK(own.agentops_api_key == "key");
  CHECK(own.agentops_api_endpoint == "http://api");
  CHECK(own.agentops_exporter_endpoint == "http://exp");
  CHECK(own.agentops_app_url == "http://app");
  CHECK(own.agentops_data_directory == "/data");
  CHECK(own.aws_region == "eu-west-1");
  CHECK(own.log_level == "debug");

  const fg::tracer_config general = clean({{"OTEL_SERVICE_NAME", "otel"},
                                           {"OTEL_RESOURCE_ATTRIBUTES", "a=1"},
                                           {"OTEL_TRACES_EXPORTER", "console"},
                                           {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                                           {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                                           {"OTEL_PROPAGATORS", "tracecontext"},
                                           {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"},
                                           {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
                                           {"OTEL_EXPORTER_OTLP_HEADERS", "k=v"},
                                           {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca"},
                                           {"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key"},
                                           {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert"},
                                           {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                                           {"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
                                           {"OTEL_EXPORTER_ZIPKIN_ENDPOINT", "http://z"},
                                           {"OTEL_BSP_SCHEDULE_DELAY", "7"},
                                           {"OTEL_BSP_EXPORT_TIMEOUT", "8"},
                                           {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
                                           {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50"},
                                           {"OTEL_SDK_DISABLED", "true"},
                                           {"OTEL_LOG_LEVEL", "error"}});
  CHECK(general.service_name == "otel");
  CHECK(general.resource_attributes == fg::tracer_config::pairs{{"a", "1"}});
  CHECK(general.tracer_type == fg::tracer_type::opentelemetry);
  CHECK(general.traces_exporters == std::vector<std::string>{"console"});
  CHECK(general.sampler == "parentbased_traceidratio");
  CHECK(general.sampling_rate == 0.25);
  CHECK(general.propagators == std::vector<std::string>{"tracecontext"});
  CHECK(general.otlp_endpoint == "http://c:4318/v1/traces");
  CHECK(general.otlp_protocol == "http/json");
  CHECK(general.otlp_headers == fg::tracer_config::pairs{{"k", "v"}});
  CHECK(general.otlp_certificate == "/ca");
  CHECK(general.otlp_client_key == "/key");
  CHECK(general.otlp_client_certificate == "/cert");
  CHECK(general.otlp_compression == "none");
  CHECK(general.otlp_timeout.count() == 0);
  CHECK(general.zipkin_endpoint == "http://z");
  CHECK(general.schedule_delay.count() == 7);
  CHECK(general.export_timeout.count() == 8);
  CHECK(general.max_queue_size == 100);
  CHECK(general.max_batch_size == 50);
  CHECK(general.sdk_disabled);
  CHECK(general.log_level == "error");

  // For traces, before the general ones.
  variables both;
  for (const char* name : {"HEADERS", "CERTIFICATE", "CLIENT_KEY", "CLIENT_CERTIFICATE"}) {
    both[std::string("OTEL_EXPORTER_OTLP_TRACES_") + name] = "signal=1";
    both[std::string("OTEL_EXPORTER_OTLP_") + name] = "general=1";
  }
  both.insert({{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"},
               {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
               {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"},
               {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
               {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "1"},
               {"OTEL_EXPORTER_OTLP_TIMEOUT", "2"},
               {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://signal"},
               {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://general"}});
  const fg::tracer_config signal = clean(both);
  CHECK(signal.otlp_headers == fg::tracer_config::pairs{{"signal", "1"}});
  CHECK(signal.otlp_certificate == "signal=1");
  CHECK(signal.otlp_client_key == "signal=1");
  CHECK(signal.otlp_client_certificate == "signal=1");
  CHECK(signal.otlp_protocol == "grpc");
  CHECK(signal.otlp_compression == "gzip");
  CHECK(signal.otlp_timeout.count() == 1);
  CHECK(signal.otlp_endpoint == "http://signal");
}

TEST_CASE("the own variables win over OpenTelemetry's") {
  const fg::tracer_config config = clean({{"TRACER_SERVICE_NAME", "own"},
                                          {"OTEL_SERVICE_NAME", "otel"},
                                          {"OTEL_RESOURCE_ATTRIBUTES", "service.name=attribute,x=y"},
                                          {"TRACER_TYPE", "agentops"},
                                          {"OTEL_TRACES_EXPORTER", "none"},
                                          {"TRACER_SAMPLING_RATE", "0.5"},
                                          {"OTEL_TRACES_SAMPLER", "always_off"},
                                          {"OTLP_ENDPOINT", "http://own:4318/a"},
                                          {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://otel/b"},
                                          {"TRACER_LOG_LEVEL", "off"},
                                          {"OTEL_LOG_LEVEL", "debug"}});
  CHECK(config.service_name == "own");
  CHECK(config.resource_attributes == fg::tracer_config::pairs{{"x", "y"}});
  CHECK(config.tracer_type == fg::tracer_type::agentops);
  CHECK(config.sampling_rate == 0.5);
  CHECK(config.sampler.empty());
  CHECK(config.otlp_endpoint == "http://own:4318/a");
  CHECK(config.log_level == "off");
}

TEST_CASE("an empty variable is unset") {
  const fg::tracer_config config = clean(
      {{"TRACER_TYPE", ""}, {"TRACER_SAMPLING_RATE", ""}, {"TRACER_SERVICE_NAME", ""}, {"OTEL_SERVICE_NAME", "otel"}});
  CHECK(config.tracer_type == fg::tracer_type::agentops);
  CHECK(config.sampling_rate == 1.0);
  CHECK(config.service_name == "otel");
}

TEST_CASE("every problem at once, secrets hidden") {
  const auto loaded = load({{"TRACER_TYPE", "jeager"},
                            {"TRACER_SAMPLING_RATE", "1.5"},
                            {"TRACER_INSTRUMENT_MANAGED", "maybe"},
                            {"AGENTOPS_DAEMON", "2"},
                            {"AGENTOPS_API_KEY", "s3cret"},
                            {"AGENTOPS_API_ENDPOINT", "ftp://me:s3cret@host"},
                            {"ZIPKIN_ENDPOINT", "nowhere"},
                            {"TRACER_LOG_LEVEL", "loud"}},
                           {"mine"});
  CHECK(std::string(fg::config_error(loaded.problems).what()) ==
        "the tracer's configuration has 7 problems\n"
        "  TRACER_TYPE=\"jeager\": allowed is agentops, opentelemetry, jaeger, zipkin, noop, mine\n"
        "  TRACER_SAMPLING_RATE=\"1.5\": allowed is a number from 0 to 1\n"
        "  TRACER_INSTRUMENT_MANAGED=\"maybe\": allowed is true, false, 1, 0, yes, no, on, off\n"
        "  ZIPKIN_ENDPOINT=\"nowhere\": allowed is an address http://host[:port][/path] or https://..., without user "
        "and password\n"
        "  AGENTOPS_DAEMON=\"2\": allowed is true, false, 1, 0, yes, no, on, off\n"
        "  AGENTOPS_API_ENDPOINT=\"ftp://********@host\": allowed is an address http://host[:port][/path] or "
        "https://..., without user and password\n"
        "  TRACER_LOG_LEVEL=\"loud\": allowed is debug, info, warn, error, off");
  CHECK(loaded.warnings.empty());
  for (const char* rate : {"nan", "-0.1", "inf", "half", "1e400"}) {
    CAPTURE(rate);
    CHECK(load({{"TRACER_SAMPLING_RATE", rate}}).problems.size() == 1);
  }
}

TEST_CASE("OpenTelemetry's variables are warned about and ignored") {
  const auto loaded = load({{"OTEL_SDK_DISABLED", "1"},
                            {"OTEL_BSP_MAX_QUEUE_SIZE", "0"},
                            {"OTEL_BSP_SCHEDULE_DELAY", "-1"},
                            {"OTEL_EXPORTER_OTLP_TIMEOUT", "soon"},
                            {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zstd"},
                            {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                            {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=s3cret,x=%0d%0ay"},
                            {"OTEL_RESOURCE_ATTRIBUTES", "good=1,bad"},
                            {"OTEL_TRACES_SAMPLER", "jaeger_remote"},
                            {"OTEL_TRACES_EXPORTER", "otlp,console,carrier-pigeon"},
                            {"OTEL_PROPAGATORS", "b3,baggage"}});
  CHECK(loaded.problems.empty());
  const fg::tracer_config& config = loaded.config;
  CHECK_FALSE(config.sdk_disabled);
  CHECK(config.max_queue_size == fg::tracer_config().max_queue_size);
  CHECK(config.otlp_timeout.count() == 10'000);
  CHECK(config.otlp_compression == "none");
  CHECK(config.otlp_headers.empty());
  CHECK(config.resource_attributes.empty());
  CHECK(config.sampler.empty());
  CHECK((config.traces_exporters == std::vector<std::string>{"otlp", "console"}));
  CHECK(config.propagators == std::vector<std::string>{"baggage"});
  REQUIRE(loaded.warnings.size() == 10);
  std::string all;
  for (auto const& warning : loaded.warnings) all += warning + "\n";
  CHECK(all.find("s3cret") == std::string::npos);
  CHECK(all.find("OTEL_PROPAGATORS=\"b3\" is ignored: allowed is tracecontext, baggage, none in this version\n") !=
        std::string::npos);
  CHECK(all.find("OTEL_TRACES_EXPORTER=\"carrier-pigeon\" is ignored: allowed is one of otlp, jaeger, zipkin, console, "
                 "file, none\n") != std::string::npos);
  CHECK(all.find("OTEL_BSP_SCHEDULE_DELAY=\"-1\" is ignored: allowed is whole milliseconds from 0 to 2147483647\n") !=
        std::string::npos);
  CHECK(all.find("OTEL_SDK_DISABLED=\"1\" is ignored: allowed is true, false\n") != std::string::npos);
}

TEST_CASE("a batch is at most the queue") {
  auto loaded = load({{"OTEL_BSP_MAX_QUEUE_SIZE", "100"}});
  CHECK(loaded.config.max_batch_size == 100);
  CHECK(loaded.warnings.empty());
  loaded = load({{"OTEL_BSP_MAX_QUEUE_SIZE", "100"}, {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "101"}});
  CHECK(loaded.config.max_batch_size == 100);
  CHECK(loaded.warnings.size() == 1);
}

TEST_CASE("redaction rules: every wrong one is a problem, under the variable or the field") {
  CHECK(clean({{"TRACER_REDACT", "password, detect:card=hash"}}).redact == "password, detect:card=hash");
  CHECK(clean({{"TRACER_REDACT_KEY", " 000102030405060708090a0b0c0d0e0F "}}).redact_key ==
        "000102030405060708090a0b0c0d0e0F");
  const auto loaded =
      load({{"TRACER_REDACT", "a=b,detect:cards,ok"}, {"TRACER_REDACT_KEY", "000102030405060708090a0b0c0d0e"}});
  REQUIRE(loaded.problems.size() == 3);
  CHECK(loaded.problems[0].variable == "TRACER_REDACT_KEY");
  CHECK(loaded.problems[0].value == "********");
  CHECK(loaded.problems[1].variable == "TRACER_REDACT");
  CHECK(loaded.problems[1].value == "a=b");
  CHECK(loaded.problems[2].value == "detect:cards");
}

TEST_CASE("OTEL_TRACES_EXPORTER chooses exporters, and the type where nothing else does") {
  using list = std::vector<std::string>;
  const auto exporters = [](const char* given) { return clean({{"OTEL_TRACES_EXPORTER", given}}).traces_exporters; };
  for (const char* const word : {"otlp", "jaeger", "zipkin", "console", "file", "none"}) {
    CAPTURE(word);
    CHECK(exporters(word) == list{word});
    CHECK(clean({{"OTEL_TRACES_EXPORTER", word}}).tracer_type == fg::tracer_type::opentelemetry);
  }
  CHECK(exporters("Jaeger, otlp,OTLP") == list{"jaeger", "otlp"});
  CHECK(clean({{"TRACER_TYPE", "opentelemetry"}, {"OTEL_TRACES_EXPORTER", "zipkin"}}).traces_exporters ==
        list{"zipkin"});
  // The type is said, and is another.
  const fg::tracer_config other = clean({{"TRACER_TYPE", "noop"}, {"OTEL_TRACES_EXPORTER", "zipkin,nonsense"}});
  CHECK(other.tracer_type == fg::tracer_type::noop);
  CHECK(other.traces_exporters == list{"otlp"});

  auto loaded = load({{"OTEL_TRACES_EXPORTER", "logging"}});
  CHECK(loaded.config.tracer_type == fg::tracer_type::agentops);
  CHECK(loaded.warnings == list{"OTEL_TRACES_EXPORTER=\"logging\" is ignored: allowed is one of otlp, jaeger, zipkin, "
                                "console, file, none",
                                "OTEL_TRACES_EXPORTER names no exporter; the type stays agentops"});
  loaded = load({{"OTEL_TRACES_EXPORTER", "none,console"}});
  CHECK(loaded.config.traces_exporters == list{"console"});
  CHECK(loaded.warnings.size() == 1);
}

TEST_CASE("Jaeger, Zipkin, files, proxies") {
  const fg::tracer_config config = clean({{"JAEGER_USER", "ann"},
                                          {"OTEL_EXPORTER_JAEGER_PASSWORD", "p"},
                                          {"JAEGER_AUTH_TOKEN", "t"},
                                          {"JAEGER_HEADERS", "x-a=1%2C2"},
                                          {"OTEL_EXPORTER_JAEGER_TIMEOUT", "7"},
                                          {"OTEL_EXPORTER_JAEGER_ENDPOINT", "http://j:1/api/traces"},
                                          {"ZIPKIN_HEADERS", "x-b=2"},
                                          {"OTEL_EXPORTER_ZIPKIN_TIMEOUT", "8"},
                                          {"TRACER_FILE", "there/t.jsonl"},
                                          {"TRACER_CA_FILE", "/ca.pem"},
                                          {"http_proxy", "http://plain:3128"},
                                          {"HTTPS_PROXY", "http://u:s3cret@safe:3128"},
                                          {"no_proxy", "localhost"},
                                          {"TRACER_CONCURRENT_REQUESTS", "4"}});
  CHECK(config.jaeger_user == "ann");
  CHECK(config.jaeger_password == "p");
  CHECK(config.jaeger_auth_token == "t");
  CHECK(config.jaeger_headers == fg::tracer_config::pairs{{"x-a", "1,2"}});
  CHECK(config.jaeger_timeout.count() == 7);
  CHECK(config.jaeger_endpoint == "http://j:1/api/traces");
  CHECK(config.zipkin_headers == fg::tracer_config::pairs{{"x-b", "2"}});
  CHECK(config.zipkin_timeout.count() == 8);
  CHECK(config.file == "there/t.jsonl");
  CHECK(config.ca_file == "/ca.pem");
  CHECK(config.http_proxy == "http://plain:3128");
  CHECK(config.https_proxy == "http://u:s3cret@safe:3128");
  CHECK(config.no_proxy == "localhost");
  CHECK(config.concurrent_requests == 4);

  const auto loaded = load({{"JAEGER_ENDPOINT", "udp:h"},
                            {"TRACER_CONCURRENT_REQUESTS", "65"},
                            {"JAEGER_AUTH_TOKEN", "s3\ncret"},
                            {"http_proxy", "socks5://u:s3cret@h"}});
  REQUIRE(loaded.problems.size() == 3);
  REQUIRE(loaded.warnings.size() == 1);
  CHECK(loaded.warnings[0].find("s3cret") == std::string::npos);
  for (auto const& problem : loaded.problems) CHECK(problem.value.find("s3cret") == std::string::npos);
}

TEST_CASE("the sampler's argument belongs to a ratio sampler") {
  CHECK(clean({{"OTEL_TRACES_SAMPLER_ARG", "0.5"}}).sampling_rate == 1.0);
  CHECK(clean({{"OTEL_TRACES_SAMPLER", "always_on"}, {"OTEL_TRACES_SAMPLER_ARG", "0.5"}}).sampling_rate == 1.0);
  CHECK(clean({{"OTEL_TRACES_SAMPLER", "TraceIdRatio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.5"}}).sampling_rate == 0.5);
  const auto loaded = load({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "7"}});
  CHECK(loaded.config.sampling_rate == 1.0);
  CHECK(loaded.warnings.size() == 1);
}

TEST_CASE("the OTLP endpoint: which variable speaks decides about the path") {
  struct row {
    variables from;
    const char *protocol, *url;
  };
  const row rows[] = {
      {{{"OTLP_ENDPOINT", "http://c:4317"}}, "grpc", "http://c:4317"},
      {{{"OTLP_ENDPOINT", "http://c:4318"}}, "http/protobuf", "http://c:4318/v1/traces"},
      {{{"OTLP_ENDPOINT", "http://c:4318/"}}, "http/protobuf", "http://c:4318/v1/traces"},
      {{{"OTLP_ENDPOINT", "http://c:9/p"}}, "http/protobuf", "http://c:9/p"},
      {{{"OTLP_ENDPOINT", "http://c:9/p"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}, "grpc", "http://c:9/p"},
      {{{"OTLP_ENDPOINT", "http://c:9"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
       "http/protobuf",
       "http://c:9/v1/traces"},
      {{{"OTLP_ENDPOINT", "http://c:9/"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
       "http/protobuf",
       "http://c:9/v1/traces"},
      // Said, though it is the default: it stays on its port.
      {{{"OTLP_ENDPOINT", "http://localhost:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}},
       "http/protobuf",
       "http://localhost:4317/v1/traces"},
      {{{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}}, "http/protobuf", "http://localhost:4318/v1/traces"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"}}, "http/protobuf", "http://c:4317/v1/traces"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c/base/"}}, "http/protobuf", "http://c/base/v1/traces"},
      {{{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}, "grpc", "http://c:1"},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1/own"}}, "http/protobuf", "http://c:1/own"},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1"}}, "http/protobuf", "http://c:1/"},
      {{{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1/"}}, "http/protobuf", "http://c:1/"},
      {{}, "grpc", "http://localhost:4317"},
  };
  for (row const& r : rows) {
    for (auto const& [name, value] : r.from) CAPTURE(name + "=" + value);
    CHECK(fg::otlp_target_of(clean(r.from)) == fg::otlp_target{r.protocol, r.url});
  }
}

TEST_CASE("OTEL_RESOURCE_ATTRIBUTES may name the service") {
  const auto config = clean({{"OTEL_RESOURCE_ATTRIBUTES",
                              "service.name=a,service.version=3,deployment.environment.name=production,k=v%20w"}});
  CHECK(config.service_name == "a");
  CHECK(config.service_version == "3");
  CHECK(config.environment == "production");
  CHECK(config.resource_attributes == fg::tracer_config::pairs{{"k", "v w"}});
  CHECK(clean({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}, {"OTEL_SERVICE_NAME", "b"}}).service_name == "b");
}

TEST_CASE("a given key or endpoint means the cloud, unless the local server is asked for") {
  CHECK(fg::uses_local_agentops(clean({})));
  CHECK_FALSE(fg::uses_local_agentops(clean({{"AGENTOPS_API_KEY", "k"}})));
  CHECK_FALSE(fg::uses_local_agentops(clean({{"AGENTOPS_EXPORTER_ENDPOINT", "http://x"}})));
  CHECK(fg::uses_local_agentops(clean({{"AGENTOPS_API_KEY", "k"}, {"AGENTOPS_MANAGED", "true"}})));
  CHECK_FALSE(fg::uses_local_agentops(clean({{"AGENTOPS_MANAGED", "false"}})));
}

TEST_CASE("the name of a registered tracer is a type") {
  const auto loaded = load({{"TRACER_TYPE", "Mine"}}, {"mine"});
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.registered_type == "mine");
}
