#include <fulgurite/platform/version.hpp>

#include <doctest/doctest.h>

#include <string>

TEST_CASE("the version is the package's") { CHECK(std::string(fulgurite::library_version) == FULGURITE_VERSION); }
