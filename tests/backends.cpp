// A program with backends. Variables of the environment are set for a test and put back after it.
#include <fulgurite/backends.hpp>
#include <fulgurite/exporter/memory.hpp>

#include "scripted_server.hpp"
#include "spool_folder.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;

namespace {

using variables = std::map<std::string, std::string>;

/// Sets variables, unsets every other that is read, and restores all of them.
class environment_for_test {
 public:
  explicit environment_for_test(variables const& given) {
    fg::detail::for_each_config_field([&](auto const& field) {
      for (const char* name : {field.variable, field.standard, field.standard_general})
        if (name) change(name, nullptr);
    });
    change("TRACER_CONFIG_FILE", nullptr);
    change("OTEL_TRACES_SAMPLER_ARG", nullptr);
    for (auto const& [name, value] : given) change(name, value.c_str());
  }
  environment_for_test(environment_for_test const&) = delete;
  environment_for_test& operator=(environment_for_test const&) = delete;
  ~environment_for_test() {
    for (auto const& [name, value] : before_) set(name, value ? value->c_str() : nullptr);
  }

 private:
  void change(std::string const& name, const char* value) {
    const char* held = std::getenv(name.c_str());
    before_.try_emplace(name, held ? std::optional<std::string>(held) : std::nullopt);
    set(name, value);
  }
  static void set(std::string const& name, const char* value) {
    if (value)
      setenv(name.c_str(), value, 1);
    else
      unsetenv(name.c_str());
  }
  std::map<std::string, std::optional<std::string>> before_;
};

/// The library's log while it lives.
class log_for_test {
 public:
  log_for_test() {
    fg::set_log_handler([this](fg::log_level, std::string_view text) {
      const std::lock_guard lock(mutex_);
      text_ += std::string(text) + "\n";
    });
  }
  ~log_for_test() { fg::set_log_handler({}); }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::string text_;
};

std::string error_of(variables const& given) {
  const environment_for_test set(given);
  try {
    fg::get_tracer_from_env();
  } catch (fg::config_error const& error) {
    return error.what();
  }
  return "";
}

fg::any_tracer from(variables const& given) {
  const environment_for_test set(given);
  return fg::get_tracer_from_env();
}

fg::memory_exporter registered_memory;
fg::tracer_config registered_config;
const bool registered = [] {
  fg::tracer_factory::register_tracer("Memory", [](fg::tracer_config const& config) {
    registered_config = config;
    return fg::any_tracer(fg::resource{.service_name = config.service_name}, fg::always_on_sampler{}, registered_memory,
                          fg::w3c_propagator{}, fg::batch_processor{});
  });
  return true;
}();

// Backends are there before main, whatever file comes first.
const bool found_before_main = fg::detail::find_backends() != nullptr;

}  // namespace

TEST_CASE("backends are found before main") { CHECK(found_before_main); }

// First in this file: the global tracer is made once.
TEST_CASE("a wrong configuration leaves the global tracer off, with the whole error in the log") {
  const environment_for_test set(variables{{"TRACER_TYPE", "jeager"}, {"TRACER_SAMPLING_RATE", "2"}});
  log_for_test log;
  CHECK_FALSE(fg::global_tracer().is_on());
  CHECK(log.text() ==
        "tracing stays off: the tracer's configuration has 2 problems\n"
        "  TRACER_TYPE=\"jeager\": allowed is agentops, opentelemetry, jaeger, zipkin, "
        "noop, memory\n"
        "  TRACER_SAMPLING_RATE=\"2\": allowed is a number from 0 to 1\n");
}

TEST_CASE("a configuration with problems of both kinds lists them all") {
  CHECK(
      error_of({{"AGENTOPS_MANAGED", "false"}, {"TRACER_SAMPLING_RATE", "x"}, {"AGENTOPS_DAEMON", "maybe"}}) ==
      "the tracer's configuration has 3 problems\n"
      "  TRACER_SAMPLING_RATE=\"x\": allowed is a number from 0 to 1\n"
      "  AGENTOPS_DAEMON=\"maybe\": allowed is true, false, 1, 0, yes, no, on, off\n"
      "  AGENTOPS_API_KEY=\"\": allowed is the key of AgentOps' cloud, or AGENTOPS_MANAGED=true for the local server");
}

TEST_CASE("what a backend cannot do is said by name") {
  const std::string one = "the tracer's configuration has 1 problem\n  ";
  CHECK(error_of({{"AGENTOPS_MANAGED", "false"}}) == one +
                                                         "AGENTOPS_API_KEY=\"\": allowed is the key of AgentOps' "
                                                         "cloud, or AGENTOPS_MANAGED=true for the local server");
  CHECK(error_of({{"AGENTOPS_API_ENDPOINT", "https://agentops.example"}}).find("AGENTOPS_API_KEY=\"\"") !=
        std::string::npos);
  const std::string xray = "http/protobuf, or an endpoint with the path /v1/traces: that is how X-Ray takes spans";
  CHECK(error_of({{"TRACER_TYPE", "opentelemetry"},
                  {"OTLP_ENDPOINT", "https://xray.eu-west-1.amazonaws.com"},
                  {"AWS_REGION", "eu-west-1"}}) == one + "OTEL_EXPORTER_OTLP_PROTOCOL=\"grpc\": allowed is " + xray);
  CHECK(error_of({{"TRACER_TYPE", "opentelemetry"},
                  {"OTLP_ENDPOINT", "https://xray.eu-west-1.amazonaws.com/v1/traces"},
                  {"AWS_REGION", "eu-west-1"}})
            .empty());
  CHECK(error_of({{"TRACER_TYPE", "jaeger"}, {"JAEGER_USER", "a:b"}}) ==
        one + "JAEGER_USER=\"********\": allowed is a name without a colon (RFC 7617)");
  CHECK_THROWS_WITH_AS(
      fg::create_tracer({.tracer_type = fg::tracer_type::opentelemetry, .traces_exporters = {"none", "console"}}),
      (one + "OTEL_TRACES_EXPORTER=\"none,console\": allowed is none alone, or others").c_str(), fg::config_error);
}

TEST_CASE("a wrong setting is one problem, not also what its default lacks") {
  const std::string one = "the tracer's configuration has 1 problem\n  ";
  const std::string address =
      "OTLP_ENDPOINT=\"http://h:99999\": allowed is an address http://host[:port][/path] or https://..., without user "
      "and password";
  CHECK(error_of({{"TRACER_TYPE", "opentelemetry"}, {"OTLP_ENDPOINT", "http://h:99999"}}) == one + address);
  CHECK_THROWS_WITH_AS(
      fg::create_tracer({.tracer_type = fg::tracer_type::opentelemetry, .otlp_endpoint = "http://h:99999"}),
      (one + address).c_str(), fg::config_error);
  CHECK(error_of({{"TRACER_TYPE", "jeager"}, {"AGENTOPS_MANAGED", "false"}}).starts_with(one + "TRACER_TYPE="));
}

TEST_CASE("a client's certificate and its key come together") {
  const variables given{{"TRACER_TYPE", "opentelemetry"}, {"OTLP_ENDPOINT", "https://127.0.0.1:4318"}};
  auto half = given;
  half["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = "/proc/self/exe";
  CHECK(error_of(half) ==
        "the tracer's configuration has 1 problem\n  OTEL_EXPORTER_OTLP_CLIENT_KEY=\"\": allowed is a PEM file with "
        "the private key of the client's certificate, which may be the same file");
  half = given;
  half["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"] = "/proc/self/exe";
  CHECK(error_of(half) ==
        "the tracer's configuration has 1 problem\n  OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=\"\": allowed is a PEM "
        "file with the certificate of the client's key, which may be the same file");
  half["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = "/proc/self/exe";
  CHECK(error_of(half).empty());
}

TEST_CASE("what the backend lacks names the file that asked for it") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("fulgurite-backends-" + std::to_string(getpid()) + ".json")).string();
  const auto asked = [&](std::string const& text) {
    std::ofstream(path) << text;
    return error_of({{"TRACER_CONFIG_FILE", path}});
  };
  const std::string one = "the tracer's configuration has 1 problem\n  ", in = " (in " + path + ")";
  CHECK(asked(R"({"registered_type": "other"})") ==
        one + "registered_type=\"other\": allowed is the name of a registered tracer: memory" + in);
  CHECK(asked(R"({"tracer_type": "jaeger", "jaeger_user": "a:b"})") ==
        one + "jaeger_user=\"********\": allowed is a name without a colon (RFC 7617)" + in);
  std::filesystem::remove(path);
}

TEST_CASE("each type that is there") {
  CHECK(from({}).is_on());
  CHECK(from({{"AGENTOPS_API_KEY", "k"}, {"AGENTOPS_MANAGED", "true"}}).is_on());
  CHECK(from({{"AGENTOPS_API_KEY", "k"}}).is_on());
  CHECK_FALSE(from({{"TRACER_TYPE", "noop"}}).is_on());
  const fg::any_tracer otlp = from({{"TRACER_TYPE", "opentelemetry"}, {"OTLP_ENDPOINT", "http://127.0.0.1:4318"}});
  CHECK(otlp.is_on());
  for (const char* const type : {"jaeger", "zipkin", "opentelemetry"}) CHECK(from({{"TRACER_TYPE", type}}).is_on());
  CHECK(from({{"TRACER_TYPE", "jaeger"}, {"JAEGER_ENDPOINT", "udp://127.0.0.1:6832"}}).is_on());
  for (const char* const word : {"console", "none", "jaeger,zipkin,otlp,console"})
    CHECK(from({{"OTEL_TRACES_EXPORTER", word}}).is_on());
  CHECK(fg::create_tracer().is_on());
  CHECK_FALSE(fg::create_tracer({.tracer_type = fg::tracer_type::noop}).is_on());
}

TEST_CASE("create_tracer lists what is wrong with a configuration made in code, and does not read the environment") {
  const environment_for_test set(variables{{"TRACER_TYPE", "nonsense"}});
  CHECK_FALSE(fg::create_tracer({.tracer_type = fg::tracer_type::noop}).is_on());
  try {
    fg::create_tracer({.tracer_type = fg::tracer_type::jaeger, .sampling_rate = -1, .jaeger_user = "a:b"});
    FAIL("no error");
  } catch (fg::config_error const& error) {
    REQUIRE(error.problems().size() == 2);
    CHECK(error.problems()[0].variable == "TRACER_SAMPLING_RATE");
    CHECK(error.problems()[1].variable == "JAEGER_USER");
  }
}

TEST_CASE("sampling, propagation and the resource come from the configuration") {
  fg::any_tracer none = from({{"OTEL_TRACES_EXPORTER", "none"},
                              {"TRACER_SAMPLING_RATE", "0"},
                              {"OTEL_PROPAGATORS", "tracecontext"},
                              {"OTEL_RESOURCE_ATTRIBUTES", "team=sand"}});
  {
    auto span = none.trace_context("x");
    CHECK_FALSE(span.is_recording());
    std::map<std::string, std::string> carrier;
    const auto bag = fg::with_baggage({{"k", "v"}});
    none.inject(carrier);
    CHECK(carrier.contains("traceparent"));
    CHECK_FALSE(carrier.contains("baggage"));
  }
  // A sampled parent is followed.
  const std::map<std::string, std::string> incoming{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  const fg::context parent = none.extract(incoming);
  {
    CHECK(none.trace_context("x", {.parent = parent}).is_recording());
  }

  fg::any_tracer all = from(
      {{"OTEL_TRACES_EXPORTER", "none"}, {"TRACER_SERVICE_NAME", "shop"}, {"OTEL_RESOURCE_ATTRIBUTES", "team=sand"}});
  {
    auto span = all.trace_context("root");
  }
  const auto last = all.get_last_trace();
  REQUIRE(last.size() == 1);
  CHECK(last[0].resource->service_name == "shop");
  CHECK(last[0].resource->environment == "development");
  CHECK(last[0].resource->attributes == std::vector<fg::attribute>{{"team", fg::attribute_value("sand")}});
}

TEST_CASE("OTEL_SDK_DISABLED records nothing and still passes contexts on") {
  fg::any_tracer off = from({{"OTEL_SDK_DISABLED", "true"}, {"TRACER_TYPE", "jaeger"}});
  auto span = off.trace_context("x");
  CHECK_FALSE(span.is_recording());
  const std::map<std::string, std::string> incoming{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  CHECK(off.extract(incoming).span().is_valid());
}

TEST_CASE("a registered tracer is chosen by its name, everywhere") {
  fg::any_tracer tracer = from({{"TRACER_TYPE", "MEMORY"}, {"TRACER_SERVICE_NAME", "mine"}});
  CHECK(registered_config.service_name == "mine");
  {
    auto span = tracer.trace_context("kept");
  }
  CHECK(tracer.force_flush());
  REQUIRE(registered_memory.spans().size() == 1);
  CHECK(registered_memory.spans()[0].name == "kept");
  CHECK(fg::create_tracer({.registered_type = "memory"}).is_on());
  CHECK_THROWS_WITH_AS(fg::create_tracer({.registered_type = "other"}),
                       "the tracer's configuration has 1 problem\n  TRACER_TYPE=\"other\": allowed is agentops, "
                       "opentelemetry, jaeger, zipkin, noop, memory",
                       fg::config_error);
}

/// Answers every request with 200 and remembers what it was asked.
class listener {
 public:
  explicit listener(std::string answer)
      : answer_(std::move(answer)), server_({[this](fulgurite_test::connection& to) {
          for (;;) {
            fulgurite_test::connection::request request = to.read_request();
            if (request.head.empty()) return;
            {
              const std::lock_guard lock(mutex_);
              requests_.push_back(std::move(request));
            }
            if (!to.answer("200 OK", answer_)) return;
          }
        }}) {}
  std::string url(std::string_view path) const { return server_.url(path); }
  std::vector<fulgurite_test::connection::request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::string answer_;
  std::mutex mutex_;
  std::vector<fulgurite_test::connection::request> requests_;
  fulgurite_test::scripted_server server_;
};

TEST_CASE("what the configuration says of OTLP reaches the wire") {
  listener collector("");
  {
    fg::any_tracer tracer = from({{"TRACER_TYPE", "opentelemetry"},
                                  {"OTLP_ENDPOINT", collector.url("")},
                                  {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"},
                                  {"OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=sand%20box"},
                                  {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                                  {"TRACER_SERVICE_NAME", "wired"}});
    {
      auto span = tracer.trace_context("seen from outside");
    }
    CHECK(tracer.force_flush());
  }
  const auto requests = collector.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].head.starts_with("POST /v1/traces HTTP/1.1\r\n"));
  CHECK(requests[0].header("x-tenant") == "sand box");
  CHECK(requests[0].header("content-encoding").empty());
  CHECK(requests[0].body.find("wired") != std::string::npos);
  CHECK(requests[0].body.find("seen from outside") != std::string::npos);
}

TEST_CASE("a key and endpoints of AgentOps mean its cloud") {
  listener cloud(R"({"token":"t0ken","project_id":"p"})");
  {
    fg::any_tracer tracer = from({{"AGENTOPS_API_KEY", "the-key"},
                                  {"AGENTOPS_API_ENDPOINT", cloud.url("")},
                                  {"AGENTOPS_EXPORTER_ENDPOINT", cloud.url("/spans")}});
    {
      auto span = tracer.trace_context("in the cloud");
    }
    tracer.force_flush();
  }
  const auto requests = cloud.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].head.starts_with("POST /v3/auth/token HTTP/1.1\r\n"));
  CHECK(requests[0].body == R"({"api_key":"the-key"})");
  CHECK(requests[1].head.starts_with("POST /spans HTTP/1.1\r\n"));
  CHECK(requests[1].header("authorization") == "Bearer t0ken");
}

TEST_CASE("limits of spans come from OpenTelemetry's variables, the one for spans before the one for all signals") {
  fg::any_tracer tracer = from({{"OTEL_TRACES_EXPORTER", "none"},
                                {"OTEL_ATTRIBUTE_COUNT_LIMIT", "1"},
                                {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2"},
                                {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3"},
                                {"OTEL_SPAN_EVENT_COUNT_LIMIT", "1"},
                                {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "0"}});
  {
    auto span = tracer.trace_context("x");
    for (const char* key : {"a", "b", "c"}) span.set_attribute(key, "12345");
    for (int i = 0; i < 3; ++i) span.add_event("event", {{"k", 1}});
  }
  const auto last = tracer.get_last_trace();
  REQUIRE(last.size() == 1);
  CHECK(last[0].attributes == std::vector<fg::attribute>{{"a", "123"}, {"b", "123"}});
  CHECK(last[0].dropped_attributes_count == 1);
  REQUIRE(last[0].events.size() == 1);
  CHECK(last[0].events[0].attributes.empty());
  CHECK(last[0].dropped_events_count == 2);
}

TEST_CASE("with TRACER_SPOOL what could not be delivered comes with the next run") {
  const fulgurite_test::spool_folder folder;
  log_for_test log;
  const std::string nobody = "http://127.0.0.1:1/v1/traces";
  const auto run = [&](std::string const& url, const char* size) {
    fg::any_tracer tracer = from({{"TRACER_TYPE", "opentelemetry"},
                                  {"OTLP_ENDPOINT", url.c_str()},
                                  {"OTEL_EXPORTER_OTLP_COMPRESSION", "none"},
                                  {"TRACER_SPOOL", folder.path().c_str()},
                                  {"TRACER_SPOOL_MAX_BYTES", size}});
    {
      auto span = tracer.trace_context("kept over the end");
    }
    tracer.force_flush();
    return tracer.stats();
  };
  CHECK(run(nobody, "8KiB").spooled == 1);
  CHECK(run(nobody, "8KiB").queued == 1);
  CHECK(folder.batches().size() == 2);
  CHECK(run(nobody, "8KiB").failed == 1);  // full
  CHECK(error_of({{"TRACER_SPOOL_MAX_BYTES", "much"}})
            .find("TRACER_SPOOL_MAX_BYTES=\"much\": allowed is a whole number of bytes from 1 to 9223372036854775807, "
                  "alone or with KiB") != std::string::npos);
  fg::tracer_config config;
  config.spool = folder.path();
  config.agentops_managed = false;
  config.agentops_api_key = "k";
  config.agentops_api_endpoint = "http://127.0.0.1:1";
  fg::any_tracer agentops = fg::create_tracer(config);
  {
    auto span = agentops.trace_context("kept too");
  }
  CHECK_FALSE(agentops.force_flush());
  CHECK(agentops.stats().spooled == 1);
}

TEST_CASE("how long the end waits comes from the configuration") {
  fulgurite_test::scripted_server hanging({[](fulgurite_test::connection& to) { to.wait_for_end(); }});
  log_for_test log;
  const auto start = std::chrono::steady_clock::now();
  {
    fg::any_tracer tracer = from({{"TRACER_TYPE", "opentelemetry"},
                                  {"OTLP_ENDPOINT", hanging.url("/v1/traces")},
                                  {"OTEL_EXPORTER_OTLP_TIMEOUT", "0"},
                                  {"TRACER_SHUTDOWN_TIMEOUT", "50"}});
    {
      auto span = tracer.trace_context("x");
    }
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
  CHECK(error_of({{"TRACER_SHUTDOWN_TIMEOUT", "-1"}})
            .find("TRACER_SHUTDOWN_TIMEOUT=\"-1\": allowed is whole milliseconds") != std::string::npos);
}

TEST_CASE("ignored variables and an unencrypted way out of production are warned about") {
  log_for_test log;
  from({{"TRACER_TYPE", "opentelemetry"},
        {"TRACER_ENVIRONMENT", "production"},
        {"OTLP_ENDPOINT", "http://collector.example:4318/v1/traces?key=s3cret"},
        {"OTEL_BSP_MAX_QUEUE_SIZE", "many"}});
  CHECK(log.text().find(
            "OTEL_BSP_MAX_QUEUE_SIZE=\"many\" is ignored: allowed is a whole number from 1 to 2147483647\n") !=
        std::string::npos);
  CHECK(log.text().find(
            "spans leave a production environment unencrypted: http://collector.example:4318/v1/traces?********\n") !=
        std::string::npos);
  CHECK(log.text().find("s3cret") == std::string::npos);
  log_for_test other;
  from({{"TRACER_TYPE", "opentelemetry"},
        {"TRACER_ENVIRONMENT", "production"},
        {"OTLP_ENDPOINT", "http://localhost:4318"}});
  CHECK(other.text().empty());
}
