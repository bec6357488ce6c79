#include <fulgurite/record/resource.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string text_of(std::vector<fg::attribute> const& all, std::string_view key) {
  std::string text;
  int count = 0;
  for (fg::attribute const& one : all)
    if (one.key == key) {
      text = std::get<std::string>(one.value.as_variant());
      ++count;
    }
  return count == 1 ? text : count == 0 ? "(absent)" : "(twice)";
}

}  // namespace

TEST_CASE("the service and the SDK are named as the semantic conventions say") {
  const auto all = all_attributes(fg::resource{.service_name = "checkout",
                                               .service_version = "1.2",
                                               .environment = "staging",
                                               .attributes = {{"host.name", "a"}}});
  CHECK(text_of(all, "service.name") == "checkout");
  CHECK(text_of(all, "service.version") == "1.2");
  CHECK(text_of(all, "deployment.environment.name") == "staging");
  CHECK(text_of(all, "host.name") == "a");
  CHECK(text_of(all, "telemetry.sdk.name") == "fulgurite");
  CHECK(text_of(all, "telemetry.sdk.language") == "cpp");
  CHECK(text_of(all, "telemetry.sdk.version") == fg::library_version);
}

TEST_CASE("what is not given is not sent, but a service always has a name") {
  const auto all = all_attributes(fg::resource{});
  CHECK(text_of(all, "service.name") == "unknown_service");
  CHECK(text_of(all, "service.version") == "(absent)");
  CHECK(text_of(all, "deployment.environment.name") == "(absent)");
}

TEST_CASE("a key stands once; the given attribute wins over the member") {
  const auto all = all_attributes(fg::resource{
      .service_name = "member", .attributes = {{"service.name", "given"}, {"telemetry.sdk.name", "another"}}});
  CHECK(text_of(all, "service.name") == "given");
  CHECK(text_of(all, "telemetry.sdk.name") == "another");
}

TEST_CASE("resources and scopes compare by value") {
  const fg::resource a{.service_name = "a", .attributes = {{"k", 1}}};
  fg::resource b = a;
  CHECK(a == b);
  b.attributes[0].value = 2;
  CHECK_FALSE(a == b);
  CHECK(fg::instrumentation_scope{.name = "s"} == fg::instrumentation_scope{.name = "s"});
  CHECK_FALSE(fg::instrumentation_scope{.name = "s"} == fg::instrumentation_scope{.name = "s", .version = "1"});
}
