#include "doctor/settings.hpp"

#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/config/load.hpp>

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

using namespace fulgurite_server;
using fulgurite::loaded_config;

namespace {

using environment = std::map<std::string, std::string>;

variables reading(environment const& from) {
  return [&from](const char* name) -> const char* {
    const auto found = from.find(name);
    return found == from.end() ? nullptr : found->second.c_str();
  };
}

std::vector<setting_row> rows_of(environment const& from) {
  const variables read = reading(from);
  return setting_rows(fulgurite::load_config(read), read);
}

setting_row row_of(environment const& from, std::string_view name) {
  const std::vector<setting_row> rows = rows_of(from);
  const auto found = std::ranges::find(rows, name, &setting_row::name);
  REQUIRE(found != rows.end());
  return *found;
}

std::string plain(std::string_view text) { return std::string(text); }

struct directory {
  directory() {
    std::string name = (std::filesystem::temp_directory_path() / "fulgurite-settings-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~directory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a setting's origin is the variable's very name") {
  const auto origin = [](environment const& from, std::string_view name) { return row_of(from, name).origin; };
  CHECK(origin({{"TRACER_SERVICE_NAME", "a"}}, "service_name") == "TRACER_SERVICE_NAME");
  CHECK(origin({{"OTEL_SERVICE_NAME", "a"}}, "service_name") == "OTEL_SERVICE_NAME");
  CHECK(origin({{"OTEL_RESOURCE_ATTRIBUTES", "service.name=a"}}, "service_name") == "OTEL_RESOURCE_ATTRIBUTES");
  CHECK(origin({{"OTEL_RESOURCE_ATTRIBUTES", "service.version=2"}}, "service_version") == "OTEL_RESOURCE_ATTRIBUTES");
  CHECK(origin({{"OTEL_SERVICE_NAME", "a"}, {"OTEL_RESOURCE_ATTRIBUTES", "service.name=b"}}, "service_name") ==
        "OTEL_SERVICE_NAME");
  CHECK(origin({{"OTEL_TRACES_EXPORTER", "otlp"}}, "tracer_type") == "OTEL_TRACES_EXPORTER");
  CHECK(origin({{"OTEL_TRACES_EXPORTER", "otlp"}}, "traces_exporters") == "OTEL_TRACES_EXPORTER");
  CHECK(origin({{"OTEL_TRACES_SAMPLER", "traceidratio"}, {"OTEL_TRACES_SAMPLER_ARG", "0.5"}}, "sampling_rate") ==
        "OTEL_TRACES_SAMPLER_ARG");
  CHECK(origin({{"OTEL_TRACES_SAMPLER", "traceidratio"}}, "sampling_rate") == "OTEL_TRACES_SAMPLER");
  const environment otlp{{"TRACER_TYPE", "opentelemetry"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"}};
  CHECK(origin(otlp, "otlp_endpoint") == "OTEL_EXPORTER_OTLP_ENDPOINT");
  CHECK(row_of(otlp, "otlp_endpoint").value == "http://a/v1/traces");
  CHECK(origin(otlp, "otlp_protocol") == "follows from the others");
  CHECK(origin({{"TRACER_TYPE", "opentelemetry"}, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://a/"}},
               "otlp_endpoint") == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  CHECK(origin({}, "spool") == "default (TRACER_SPOOL)");
  CHECK(origin({}, "otlp_timeout") == "default (OTEL_EXPORTER_OTLP_TIMEOUT)");
  CHECK(origin({{"TRACER_SPOOL", ""}}, "spool") == "default (TRACER_SPOOL)");  // empty is unset
}

TEST_CASE("a file is named, and the environment wins") {
  const directory place;
  const std::string file = (place.path / "tracing.json").string();
  std::ofstream(file) << R"({"service_name": "a", "sampling_rate": 0.5, "jaeger_password": "hunter22"})";
  const environment from{{"TRACER_CONFIG_FILE", file}, {"TRACER_SAMPLING_RATE", "0.25"}};
  CHECK(row_of(from, "service_name").origin == "service_name in " + file);
  CHECK(row_of(from, "sampling_rate").origin == "TRACER_SAMPLING_RATE");
  CHECK(row_of(from, "sampling_rate").value == "0.25");
  CHECK(row_of(from, "jaeger_password").value == "********");
}

TEST_CASE("each setting is given by each of its variables, and every one has a row") {
  std::size_t fields = 0;
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    ++fields;
    CHECK(!row_of({}, field.name).given);
    const variables none = reading(environment{});
    CHECK(!place_of({}, none, field.name).name.empty());
  });
  CHECK(rows_of({}).size() == fields);
}

TEST_CASE("secrets do not get out") {
  const environment from{{"TRACER_TYPE", "opentelemetry"},
                         {"AGENTOPS_API_KEY", "planted-1"},
                         {"JAEGER_USER", "joe"},
                         {"JAEGER_PASSWORD", "planted-2"},
                         {"JAEGER_AUTH_TOKEN", "planted-3"},
                         {"JAEGER_HEADERS", "a=planted-4"},
                         {"ZIPKIN_HEADERS", "b=planted-5"},
                         {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20planted-6,x=planted-7"},
                         {"OTLP_ENDPOINT", "https://a/v1/traces?key=planted-8"},
                         {"http_proxy", "http://joe:planted-9@proxy:3128"},
                         {"TRACER_REDACT_KEY", "0123456789abcdef0123456789abcdef"}};
  std::string all;
  for (setting_row const& row : rows_of(from)) all += row.name + row.value + row.origin;
  all += to_text(rows_of(from), plain);
  CHECK(all.find("planted") == std::string::npos);
  CHECK(all.find("0123456789abcdef") == std::string::npos);
  // It is seen that they were given, and where to.
  CHECK(row_of(from, "otlp_headers").value == "authorization=********,x=********");
  CHECK(row_of(from, "otlp_endpoint").value == "https://a/v1/traces?********");
  CHECK(row_of(from, "http_proxy").value == "http://********@proxy:3128");
  CHECK(row_of(from, "agentops_api_key").value == "********");

  SUBCASE("what a backend repeats of them is hidden, too") {
    const variables read = reading(from);
    const loaded_config loaded = fulgurite::load_config(read);
    std::string said = "refused: Basic am9lOnBsYW50ZWQtMg== ";  // joe:planted-2
    for (auto const& [name, value] : from) said += value + " ";
    said += "Bearer planted-6 am9lOnBsYW50ZWQtOQ== joe:planted-9";
    const std::string shown = without_secrets_of(loaded.config, read, said);
    CHECK(shown.find("planted") == std::string::npos);
    CHECK(shown.find("am9l") == std::string::npos);
    CHECK(shown.starts_with("refused: Basic ********"));
  }
  SUBCASE("AWS's are not settings, and secrets all the same") {
    const environment aws{{"AWS_SECRET_ACCESS_KEY", "planted-10"}, {"AWS_SESSION_TOKEN", "planted-11"}};
    CHECK(without_secrets_of({}, reading(aws), "planted-10 or planted-11?") == "******** or ********?");
  }
}

TEST_CASE("what was given and has a problem is not shown as if it counted") {
  const environment from{{"TRACER_SAMPLING_RATE", "7"}};
  const std::vector<setting_row> rows = rows_of(from);
  CHECK(std::ranges::find(rows, "sampling_rate", &setting_row::name) == rows.end());
}

TEST_CASE("what has no effect with the backend says so") {
  const auto effect = [](environment const& from, std::string_view name) {
    return row_of(from, name).origin.find("no effect") == std::string::npos;
  };
  CHECK(!effect({{"OTLP_ENDPOINT", "http://a"}}, "otlp_endpoint"));
  CHECK(effect({{"OTLP_ENDPOINT", "http://a"}, {"TRACER_TYPE", "opentelemetry"}}, "otlp_endpoint"));
  CHECK(!effect({{"OTLP_ENDPOINT", "http://a"}, {"OTEL_TRACES_EXPORTER", "zipkin"}}, "otlp_endpoint"));
  CHECK(effect({{"ZIPKIN_ENDPOINT", "http://a"}, {"OTEL_TRACES_EXPORTER", "console,zipkin"}}, "zipkin_endpoint"));
  CHECK(!effect({{"TRACER_FILE", "a"}, {"TRACER_TYPE", "jaeger"}}, "file"));
  CHECK(effect({{"AGENTOPS_API_KEY", "a"}}, "agentops_api_key"));
}

TEST_CASE("a value cannot move the cursor") {
  CHECK(row_of({{"TRACER_SERVICE_NAME", "a\x1b[2Jb\n"}}, "service_name").value == "a\\x1b[2Jb\\n");
}

TEST_CASE("names that nothing reads") {
  using names = std::vector<std::string>;
  CHECK(unread_variables({"TRACER_TPYE", "TRACER_TYPE", "TRACER_CONFIG_FILE", "OTLP_HEADERS", "AGENTOPS_API_KEY",
                          "PATH", "OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"}) ==
        names{"OTLP_HEADERS", "TRACER_TPYE"});
}

TEST_CASE("lines are aligned") {
  const std::vector<setting_row> rows{{"a", "1", "A", true}, {"long_name", "Grüße", "B", true}, {"c", "", "C", false}};
  CHECK(to_text(rows, [](std::string_view text) { return "<" + std::string(text) + ">"; }) ==
        "  a          1      <A>\n"
        "  long_name  Grüße  <B>\n"
        "  c          -      <C>\n");
}
