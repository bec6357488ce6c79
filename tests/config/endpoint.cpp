#include <fulgurite/config/endpoint.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fg = fulgurite;

TEST_CASE("an address comes apart") {
  const auto parts = fg::detail::split_endpoint("https://me:pw@collector.example:4318/a/b?key=1#x");
  REQUIRE(parts);
  CHECK(parts->scheme == "https");
  CHECK(parts->user == "me:pw");
  CHECK(parts->host == "collector.example");
  CHECK(parts->port == 4318);
  CHECK(parts->path == "/a/b");
  CHECK(parts->query == "?key=1#x");
  const auto six = fg::detail::split_endpoint("http://[::1]:80");
  REQUIRE(six);
  CHECK(six->host == "::1");
  CHECK(six->port == 80);
  CHECK(fg::detail::split_endpoint("http://host")->port == 80);
  CHECK(fg::detail::split_endpoint("https://host")->port == 443);
}

TEST_CASE("a scheme's letters may be of any case") {
  const auto agent = fg::detail::split_endpoint("UDP://agent");
  REQUIRE(agent);
  CHECK(fg::detail::is_udp(*agent));
  CHECK(agent->port == 6831);
  CHECK(fg::detail::split_endpoint("HTTPS://host")->port == 443);
}

TEST_CASE("what is no address") {
  for (const char* text : {"", "host", "host:4317", "://host", "http://", "http://:80", "http://host:0",
                           "http://host:65536", "http://host:", "http://host:80x", "http://ho st", "http://host/\n",
                           "http://[::1", "http://[::1]x", "http:/host", "http://?x"}) {
    CAPTURE(text);
    CHECK_FALSE(fg::detail::split_endpoint(text));
  }
  CHECK(fg::detail::is_http_endpoint("https://host:1/x"));
  CHECK_FALSE(fg::detail::is_http_endpoint("udp://host:6831"));
  CHECK_FALSE(fg::detail::is_http_endpoint("http://me:pw@host"));
}

TEST_CASE("user, password and query of an address are not shown") {
  using fg::detail::without_secrets;
  CHECK(without_secrets("http://me:pw@host:1/p?token=abc") == "http://********@host:1/p?********");
  CHECK(without_secrets("http://host/p@q") == "http://host/p@q");
  CHECK(without_secrets("http://a@b@host") == "http://********@host");
  CHECK(without_secrets("me:pw@host") == "********@host");
  CHECK(without_secrets("http://host") == "http://host");
  // A password may hold anything, and an address be wrong in any way.
  CHECK(without_secrets("http://me:p/w@host:1/x") == "http://********@host:1/x");
  CHECK(without_secrets("http:/me:pw@host") == "http********@host");
  CHECK(without_secrets("http://me:p?w@host") == "http://********@host");
  CHECK(without_secrets("http://host/p#token=abc") == "http://host/p#********");
}

TEST_CASE("plain http to another host can be read on its way") {
  using fg::detail::is_plain_and_remote;
  CHECK(is_plain_and_remote("http://collector:4318"));
  CHECK(is_plain_and_remote("http://10.0.0.1"));
  CHECK_FALSE(is_plain_and_remote("https://collector:4318"));
  CHECK_FALSE(is_plain_and_remote("http://localhost:4318"));
  CHECK_FALSE(is_plain_and_remote("http://127.0.0.1:4318"));
  CHECK_FALSE(is_plain_and_remote("http://[::1]:4318"));
}

TEST_CASE("the protocol and the address of an OTLP endpoint") {
  struct row {
    const char *endpoint, *said, *protocol, *url;
  };
  constexpr row rows[] = {
      {"http://localhost:4317", "", "grpc", "http://localhost:4317"},
      {"http://collector", "", "grpc", "http://collector"},
      {"https://collector:9000", "", "grpc", "https://collector:9000"},
      {"http://collector:9000/", "", "grpc", "http://collector:9000/"},
      {"http://collector:4318", "", "http/protobuf", "http://collector:4318/v1/traces"},
      {"http://collector:4318/", "", "http/protobuf", "http://collector:4318/v1/traces"},
      {"http://collector:4318/x", "", "http/protobuf", "http://collector:4318/x"},
      {"http://collector/otlp", "", "http/protobuf", "http://collector/otlp"},
      {"http://collector:4317/v1/traces", "", "http/protobuf", "http://collector:4317/v1/traces"},
      {"http://collector:4318", "grpc", "grpc", "http://collector:4318"},
      {"http://collector:4318/x", "grpc", "grpc", "http://collector:4318/x"},
      {"http://collector:9000", "http/protobuf", "http/protobuf", "http://collector:9000/v1/traces"},
      {"http://collector:9000/", "http/protobuf", "http/protobuf", "http://collector:9000/"},
      {"http://collector:9000/y?z=1", "http/json", "http/json", "http://collector:9000/y?z=1"},
      // The default follows the protocol.
      {"http://localhost:4317", "http/protobuf", "http/protobuf", "http://localhost:4318/v1/traces"},
      {"http://localhost:4317", "grpc", "grpc", "http://localhost:4317"},
      {"", "", "grpc", "http://localhost:4317"},
  };
  for (row const& r : rows) {
    CAPTURE(r.endpoint);
    CAPTURE(r.said);
    CHECK(fg::otlp_target_of({.otlp_endpoint = r.endpoint, .otlp_protocol = r.said}) ==
          fg::otlp_target{r.protocol, r.url});
  }
}

TEST_CASE("v1/traces is appended with exactly one slash") {
  using fg::detail::with_traces_path;
  CHECK(with_traces_path("http://h:1") == "http://h:1/v1/traces");
  CHECK(with_traces_path("http://h:1/") == "http://h:1/v1/traces");
  CHECK(with_traces_path("http://h:1/base") == "http://h:1/base/v1/traces");
  CHECK(with_traces_path("http://h:1/base//") == "http://h:1/base/v1/traces");
  CHECK(with_traces_path("http://h:1/b?k=1") == "http://h:1/b/v1/traces?k=1");
}
