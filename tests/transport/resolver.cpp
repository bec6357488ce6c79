#include <fulgurite/transport/resolver.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace fulgurite::detail;
using namespace std::chrono_literals;

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
  lookup late("localhost");
  // It may be there already; if not, it says so.
  const resolved found = late.wait(std::chrono::steady_clock::now() - 1s);
  CHECK((!found.addresses.empty() || found.error == "the name server did not answer in time"));
  lookup cancelled("localhost");
  cancelled.cancel();
  const resolved none = cancelled.wait(std::chrono::steady_clock::now() + 1h);
  CHECK((!none.addresses.empty() || none.error == "interrupted"));
}
