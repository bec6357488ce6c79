#include <fulgurite/config/descriptors.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

namespace fg = fulgurite;

TEST_CASE("every setting has a name, a sentence and, if it has variables, some that no other has") {
  std::set<std::string> names, variables;
  int settings = 0;
  fg::detail::for_each_config_field([&](auto const& field) {
    ++settings;
    INFO("setting: ", field.name);
    CHECK(std::strlen(field.name) > 0);
    CHECK(names.insert(field.name).second);
    const std::string meaning = field.meaning;
    CHECK(meaning.ends_with('.'));
    CHECK(std::strlen(field.allowed) > 0);
    CHECK(std::strlen(field.best_name()) > 0);
    for (const char* variable : {field.variable, field.standard}) {
      if (!variable) continue;
      CHECK(variables.insert(variable).second);
      CHECK(std::string(variable).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") ==
            std::string::npos);
    }
  });
  CHECK(settings > 20);
  CHECK(variables.contains("TRACER_TYPE"));
}
