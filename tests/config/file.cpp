#include <fulgurite/config/file.hpp>
#include <fulgurite/config/load.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

namespace fg = fulgurite;

namespace {
/// A file that is gone when the test is over.
class temporary_file {
 public:
  explicit temporary_file(std::string_view text)
      : path_(std::filesystem::temp_directory_path() / ("fulgurite-config-" + std::to_string(getpid()) + ".json")) {
    std::ofstream(path_) << text;
  }
  temporary_file(temporary_file const&) = delete;
  temporary_file& operator=(temporary_file const&) = delete;
  ~temporary_file() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

fg::loaded_config load(std::string const& path, std::map<std::string, std::string> variables = {},
                       std::vector<std::string> const& registered = {}) {
  variables["TRACER_CONFIG_FILE"] = path;
  return fg::load_config(
      [&](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      registered);
}
}  // namespace

TEST_CASE("a file sets every kind of field") {
  const temporary_file file(R"({
    "tracer_type": "Opentelemetry", "service_name": "from file", "sampling_rate": 0.5, "instrument_managed": false,
    "agentops_managed": true, "otlp_protocol": "HTTP/protobuf", "otlp_headers": {"authorization": "Bearer x"},
    "otlp_timeout": 1500, "max_queue_size": 10000, "max_batch_size": 10, "propagators": ["tracecontext"],
    "resource_attributes": {"k": "v", "service.version": "9"}, "environment": "", "spool": "here",
    "spool_max_bytes": "8GiB" })");
  const auto loaded = load(file.path());
  CHECK(loaded.problems.empty());
  CHECK(loaded.warnings.empty());
  const fg::tracer_config& config = loaded.config;
  CHECK(config.tracer_type == fg::tracer_type::opentelemetry);
  CHECK(config.service_name == "from file");
  CHECK(config.spool == "here");
  CHECK(config.spool_max_bytes == fg::byte_count{8589934592});
  CHECK(config.service_version == "9");
  CHECK(config.environment == "development");
  CHECK(config.sampling_rate == 0.5);
  CHECK_FALSE(config.instrument_managed);
  CHECK(config.agentops_managed.said());
  CHECK(config.otlp_protocol == "http/protobuf");
  CHECK(config.otlp_headers == fg::tracer_config::pairs{{"authorization", "Bearer x"}});
  CHECK(config.otlp_timeout.count() == 1500);
  CHECK(config.max_queue_size == 10000);
  CHECK(config.max_batch_size == 10);
  CHECK(config.propagators == std::vector<std::string>{"tracecontext"});
  CHECK(config.resource_attributes == fg::tracer_config::pairs{{"k", "v"}});
}

TEST_CASE("the environment wins over a file") {
  const temporary_file file(R"({"service_name": "file", "sampling_rate": 0.5, "tracer_type": "noop",
                                "service_version": "file", "otlp_endpoint": "http://file:4318"})");
  auto config = load(file.path(), {{"TRACER_SERVICE_NAME", "own"}, {"OTEL_SERVICE_NAME", "otel"}}).config;
  CHECK(config.service_name == "own");
  CHECK(config.sampling_rate == 0.5);
  CHECK(config.tracer_type == fg::tracer_type::noop);
  config = load(file.path(), {{"OTEL_SERVICE_NAME", "otel"},
                              {"OTEL_RESOURCE_ATTRIBUTES", "service.version=attribute"},
                              {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel:1"},
                              {"OTEL_TRACES_EXPORTER", "otlp"}})
               .config;
  CHECK(config.service_name == "otel");
  CHECK(config.service_version == "attribute");
  CHECK(fg::otlp_target_of(config).url == "http://otel:1/v1/traces");
  CHECK(config.tracer_type == fg::tracer_type::noop);
  CHECK(fg::otlp_target_of(load(file.path()).config).url == "http://file:4318/v1/traces");
}

TEST_CASE("every problem of a file, by the field's name, beside the environment's") {
  const temporary_file file(R"({"sampling_rate": "much", "sampling_rat": 1, "agentops_api_key": 12345,
    "max_queue_size": -1, "propagators": "b3", "otlp_headers": {"a": 1}, "agentops_daemon": "true",
    "zipkin_endpoint": "http://me:pw@", "otlp_timeout": 1.5, "max_queue_size": 3, "tracer_type": "x"})");
  const auto loaded = load(file.path(), {{"TRACER_SAMPLING_RATE", "-1"}}, {"mine"});
  const std::string in = " (in " + file.path() + ")\n";
  const std::string text = std::string(fg::config_error(loaded.problems).what()) + "\n";
  CHECK(loaded.problems.size() == 12);
  CHECK(text.find("  sampling_rate=\"much\": allowed is a number from 0 to 1, without quotes" + in) !=
        std::string::npos);
  CHECK(text.find("  sampling_rat=1: allowed is the name of a field, and this is none: tracer_type, service_name, ") !=
        std::string::npos);
  CHECK(text.find("  agentops_api_key=\"********\": allowed is a text in quotes" + in) != std::string::npos);
  CHECK(text.find("  max_queue_size=-1: allowed is a whole number from 1 to 2147483647" + in) != std::string::npos);
  CHECK(text.find("  propagators=\"b3\": allowed is an array of texts of tracecontext, baggage, none" + in) !=
        std::string::npos);
  CHECK(
      text.find(
          "  otlp_headers=\"********\": allowed is an object of texts: valid header names, and values without control "
          "characters" +
          in) != std::string::npos);
  CHECK(text.find("  agentops_daemon=\"true\": allowed is true or false, without quotes" + in) != std::string::npos);
  CHECK(text.find("  zipkin_endpoint=\"http://********@\": allowed is an address") != std::string::npos);
  CHECK(text.find("  otlp_timeout=1.5: allowed is whole milliseconds from 1 to 2147483647, 0 for no limit" + in) !=
        std::string::npos);
  CHECK(text.find("  max_queue_size=3: allowed is each field once, and this one is given before" + in) !=
        std::string::npos);
  CHECK(text.find("  tracer_type=\"x\": allowed is agentops, opentelemetry, jaeger, zipkin, noop, mine" + in) !=
        std::string::npos);
  CHECK(text.find("  TRACER_SAMPLING_RATE=\"-1\": allowed is a number from 0 to 1\n") != std::string::npos);
  CHECK(text.find("12345") == std::string::npos);
}

TEST_CASE("a value of the wrong type is shown as the file has it, with what is allowed there") {
  const temporary_file file(R"({"service_name": 7, "environment": true, "otlp_endpoint": null, "tracer_type": 3,
    "otlp_compression": ["gzip"], "max_queue_size": "7", "sampling_rate": "0.5", "instrument_managed": 1,
    "propagators": {"a": 1}})");
  const auto loaded = load(file.path());
  const std::string in = " (in " + file.path() + ")\n";
  const std::string text = std::string(fg::config_error(loaded.problems).what()) + "\n";
  CHECK(loaded.problems.size() == 9);
  for (const char* line :
       {"service_name=7: allowed is a text in quotes", "environment=true: allowed is a text in quotes",
        "otlp_endpoint=null: allowed is a text in quotes: an address http://host[:port][/path] or https://..., without "
        "user and password",
        "tracer_type=3: allowed is a text in quotes: agentops, opentelemetry, jaeger, zipkin, "
        "noop",
        "otlp_compression=[\"gzip\"]: allowed is a text in quotes: gzip, none",
        "max_queue_size=\"7\": allowed is a whole number from 1 to 2147483647, without quotes",
        "sampling_rate=\"0.5\": allowed is a number from 0 to 1, without quotes",
        "instrument_managed=1: allowed is true or false",
        "propagators={\"a\":1}: allowed is an array of texts of tracecontext, baggage, none"}) {
    CAPTURE(line);
    CHECK(text.find("  " + std::string(line) + in) != std::string::npos);
  }
}

TEST_CASE("what is found when all is read names the file, too") {
  const temporary_file file(R"({"max_batch_size": 101, "redact": "a=b", "otlp_headers": {"a": "s3cret\u0007"},
    "otlp_timeout": 2147483648})");
  const auto loaded = load(file.path(), {{"OTEL_BSP_MAX_QUEUE_SIZE", "100"}});
  const std::string in = " (in " + file.path() + ")\n";
  const std::string text = std::string(fg::config_error(loaded.problems).what()) + "\n";
  CHECK(loaded.problems.size() == 4);
  CHECK(text.find("  max_batch_size=101: allowed is at most the queue's size, 100" + in) != std::string::npos);
  CHECK(text.find("  redact=\"a=b\": allowed is ") != std::string::npos);
  CHECK(loaded.problems.back().allowed.ends_with(" (in " + file.path() + ")"));
  CHECK(text.find("  otlp_headers=\"********\": allowed is an object of texts: valid header names, and values without "
                  "control characters" +
                  in) != std::string::npos);
  CHECK(text.find("  otlp_timeout=2147483648: allowed is whole milliseconds from 1 to 2147483647, 0 for no limit" +
                  in) != std::string::npos);
}

TEST_CASE("an unknown field is shown with its value, unless that may be a secret") {
  const temporary_file file(R"({"servicename": "shop", "agentops_apikey": "s3cret", "otlp_header": {"a": "s3cret"},
    "endpoint": "http://me:s3cret@host/?k=s3cret", "exporter": {"authorization": "s3cret"}, "list": ["s3cret"],
    "service_name": "a", "service_name": "b", "servicename": "x"})");
  const auto loaded = load(file.path());
  const std::string text = std::string(fg::config_error(loaded.problems).what()) + "\n";
  CHECK(loaded.problems.size() == 8);
  for (const char* line :
       {"servicename=\"shop\": ", "servicename=\"x\": ", "agentops_apikey=\"********\": ", "otlp_header=\"********\": ",
        "endpoint=\"http://********@host/?********\": ", "exporter={...}: ", "list=[...]: "}) {
    CAPTURE(line);
    CHECK(text.find("  " + std::string(line) + "allowed is the name of a field, and this is none: tracer_type, ") !=
          std::string::npos);
  }
  CHECK(text.find("  service_name=\"b\": allowed is each field once, and this one is given before (in ") !=
        std::string::npos);
  CHECK(text.find("s3cret") == std::string::npos);
}

TEST_CASE("a file that cannot be read is a problem with a sentence") {
  for (const char* text : {"", "{", "[1]", "{\"a\" 1}", "null", "{} x"}) {
    CAPTURE(text);
    const temporary_file file(text);
    const auto loaded = load(file.path());
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].variable == "TRACER_CONFIG_FILE");
    CHECK(loaded.problems[0].value == file.path());
    CHECK(loaded.problems[0].allowed.size() > std::string("a file with a JSON object of settings; here: ").size());
  }
  CHECK(load("/nonexistent/x.json").problems.size() == 1);
}

TEST_CASE("a pipe, a directory or a device is no configuration file, and nobody waits for it") {
  const auto missing = load("/nowhere/config.json");
  REQUIRE(missing.problems.size() == 1);
  CHECK(missing.problems[0].allowed.ends_with("here: No such file or directory"));
  const temporary_file large("{}");
  std::filesystem::resize_file(large.path(), (std::uintmax_t{1} << 20) + 1);
  CHECK(load(large.path()).problems[0].allowed.ends_with("here: It is larger than 1 MiB."));
  const std::string pipe = temporary_file("").path() + ".pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (std::string const& path : {pipe, std::string("/"), std::string("/dev/zero")}) {
    CAPTURE(path);
    const auto loaded = load(path);
    REQUIRE(loaded.problems.size() == 1);
    CHECK(loaded.problems[0].variable == "TRACER_CONFIG_FILE");
    CHECK(loaded.problems[0].allowed == "a file with a JSON object of settings; here: This is no regular file.");
  }
  std::filesystem::remove(pipe);
}

TEST_CASE("the name of a registered tracer is a type in a file too") {
  const temporary_file file(R"({"tracer_type": "Mine"})");
  auto loaded = load(file.path(), {}, {"mine"});
  CHECK(loaded.problems.empty());
  CHECK(loaded.config.registered_type == "mine");
  loaded = load(file.path(), {{"TRACER_TYPE", "noop"}}, {"mine"});
  CHECK(loaded.config.registered_type.empty());
  CHECK(loaded.config.tracer_type == fg::tracer_type::noop);
}
