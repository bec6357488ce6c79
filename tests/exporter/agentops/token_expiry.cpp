#include <fulgurite/exporter/agentops/token_expiry.hpp>

#include <doctest/doctest.h>

using fulgurite::detail::token_expiry;

TEST_CASE("a JSON Web Token says when it runs out") {
  // The example of RFC 7519, 3.1: {"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}
  CHECK(token_expiry("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                     "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == 1300819380);
}

TEST_CASE("what is no such token says nothing") {
  for (const char* const other :
       {"", "dummy", "a.b", "a.b.c", "..", "a.e30.c", "a.eyJleHAiOiJ4In0.c", "a.!!!.c", "a.eyJleHAiOi01fQ.c"}) {
    CAPTURE(other);
    CHECK_FALSE(token_expiry(other));
  }
}
