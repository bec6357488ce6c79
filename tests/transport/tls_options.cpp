#include <fulgurite/transport/tls_options.hpp>

#include <doctest/doctest.h>

TEST_CASE("by default the system's certificates are trusted, and no client's is shown") {
  const fulgurite::detail::tls_options by_default;
  CHECK(by_default.ca_file.empty());
  CHECK(by_default.client_certificate.empty());
  CHECK(by_default.client_key.empty());
}
