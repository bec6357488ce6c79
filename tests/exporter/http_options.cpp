// What becomes of wrong options is tested through the exporters that read them (otlp_http.cpp, otlp_grpc.cpp).
#include <fulgurite/exporter/http_options.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace fulgurite::detail;

namespace {
struct given {
  std::string endpoint = "http://localhost:1/x";
  std::vector<std::pair<std::string, std::string>> headers = {{"a", "b"}};
  std::string ca_file = "ca", client_certificate = "certificate", client_key = "key", proxy = "http://proxy:3128";
};
struct read {
  http_endpoint endpoint;
  http_headers headers;
  tls_options tls;
  http_proxy proxy;
};
}  // namespace

TEST_CASE("options are taken over, or what is wrong with them is said") {
  given options;
  read to;
  CHECK(read_http_options(options, to).empty());
  CHECK(to.endpoint.to_text() == "http://localhost:1/x");
  CHECK(to.headers == http_headers{{"a", "b"}});
  CHECK(to.tls.ca_file == "ca");
  CHECK(to.tls.client_certificate == "certificate");
  CHECK(to.tls.client_key == "key");
  CHECK(to.proxy.host == "proxy");
  const auto problem = [](given wrong) {
    read ignored;
    return read_http_options(wrong, ignored);
  };
  CHECK(problem({.endpoint = "ftp://x"}).find("http://") != std::string::npos);
  CHECK(problem({.headers = {{"a b", ""}}}).find("header") != std::string::npos);
  CHECK(problem({.client_key = ""}).find("has no key") != std::string::npos);
  CHECK(problem({.client_certificate = ""}).find("has no certificate") != std::string::npos);
  CHECK(problem({.proxy = "ftp://x"}).find("proxy") != std::string::npos);
}

TEST_CASE("the product, its version, and what it is to OpenTelemetry") {
  CHECK(user_agent() == std::string("fulgurite/") + fulgurite::library_version + " OTel-OTLP-Exporter-Cpp/" +
                            fulgurite::library_version);
}

TEST_CASE("what frames a message is not the user's to set, and a certificate is read from a file") {
  const auto problem = [](given wrong) {
    read ignored;
    return read_http_options(wrong, ignored);
  };
  for (const char* const own : {"Content-Length", "transfer-encoding", "Connection", "content-encoding"}) {
    CAPTURE(own);
    CHECK(problem({.headers = {{own, "1"}}}).find("cannot be set") != std::string::npos);
  }
  CHECK(problem({.headers = {{"Host", "other"}}}).empty());
  CHECK(problem({.ca_file = "/dev/zero"}) == "/dev/zero is no file: a certificate or key is read from a PEM file");
  CHECK(problem({.ca_file = "there is no such file"}).empty());  // said when it is needed
}
