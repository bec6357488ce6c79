#include <fulgurite/transport/resolver.hpp>

#include "slow_name.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::slow_host;
using fulgurite_test::slow_name;

TEST_CASE("addresses are recognised") {
  for (const char* address : {"127.0.0.1", "::1", "2001:db8::1"}) CHECK(is_numeric_host(address));
  for (const char* name : {"localhost", "example.org", "", "1.2.3.4.5"}) CHECK_FALSE(is_numeric_host(name));
}

TEST_CASE("localhost is found") {
  lookup names("localhost");
  const resolved found = names.wait(std::chrono::steady_clock::now() + 10s);
  CHECK(found.error.empty());
  const auto is_loopback = [](std::string const& a) { return a == "127.0.0.1" || a == "::1"; };
  CHECK(std::any_of(found.addresses.begin(), found.addresses.end(), is_loopback));
}

TEST_CASE("nobody waits longer than he may") {
  const slow_name silent;
  lookup late(slow_host);
  const resolved found = late.wait(std::chrono::steady_clock::now() + 1ms);
  CHECK(found.addresses.empty());
  CHECK(found.error == "the name server did not answer in time");
  lookup cancelled(slow_host);
  cancelled.cancel();
  const resolved none = cancelled.wait(std::chrono::steady_clock::now() + 1h);
  CHECK(none.addresses.empty());
  CHECK(none.error == "interrupted");
}
