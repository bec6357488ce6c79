#include <fulgurite/config/print.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace fg = fulgurite;

TEST_CASE("a printed configuration hides its secrets") {
  fg::tracer_config config;
  config.agentops_api_key = "s3cret";
  config.otlp_headers = {{"authorization", "Bearer s3cret"}, {"x-tenant", "s3cret"}};
  config.otlp_endpoint = "https://me:s3cret@collector:4318/x?key=s3cret";
  config.service_name = "shop";
  const std::string text = fg::to_text(config);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find("agentops_api_key = ********\n") != std::string::npos);
  CHECK(text.find("otlp_headers = authorization=********,x-tenant=********\n") != std::string::npos);
  CHECK(text.find("otlp_endpoint = https://********@collector:4318/x?********\n") != std::string::npos);
  CHECK(text.starts_with("tracer_type = agentops\nservice_name = shop\nservice_version = 1.0.0\n"));
  CHECK(fmt::format("{}", config) == text);
  CHECK(fg::to_text({}).find("agentops_api_key = \n") != std::string::npos);
}

TEST_CASE("the table agrees with the defaults, and no name stands in it twice") {
  const fg::tracer_config defaults;
  std::set<std::string> names, variables;
  fg::detail::for_each_config_field([&](auto const& field) {
    CAPTURE(field.name);
    CHECK(field.shown(defaults.*field.member) == field.fallback);
    CHECK(field.is_valid(defaults.*field.member));
    CHECK(names.insert(field.name).second);
    for (const char* variable : {field.variable, field.standard, field.standard_general})
      if (variable) CHECK(variables.insert(variable).second);
    CHECK(std::string(field.meaning).ends_with("."));
  });
  CHECK(names.size() > 30);
}

// Writes the file instead of comparing when FULGURITE_UPDATE_DOCS is set.
TEST_CASE("docs/CONFIGURATION.md holds the table") {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../docs/CONFIGURATION.md";
  const std::string begin =
      "<!-- table: printed by configuration_reference(), compared by tests/config/print.cpp -->\n";
  const std::string end = "<!-- end of table -->\n";
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  const std::string text = content.str();
  const std::size_t first = text.find(begin), last = text.find(end);
  REQUIRE_MESSAGE((first != text.npos && last != text.npos), "run this test in the folder it was compiled from");
  const std::size_t table = first + begin.size();
  if (std::getenv("FULGURITE_UPDATE_DOCS"))
    std::ofstream(path) << text.substr(0, table) + fg::configuration_reference() + text.substr(last);
  else
    CHECK_MESSAGE(text.substr(table, last - table) == fg::configuration_reference(),
                  "docs/CONFIGURATION.md is stale: run this test with FULGURITE_UPDATE_DOCS=1");
}
