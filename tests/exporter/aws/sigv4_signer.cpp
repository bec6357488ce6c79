// Signatures are checked by botocore in tests/integration/sigv4_reference.py; here is what the signer adds to them.
#include <fulgurite/exporter/aws/sigv4_signer.hpp>

#include "../../log_capture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

using namespace fulgurite::detail;
using fulgurite_test::log_capture;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t then = 1'440'938'160;  // 2015-08-30T12:36:00Z
constexpr std::string_view body = "\x1f\x8b body of spans";

sigv4_signer_options example(std::string token = {}) {
  sigv4_signer_options options;
  options.sources.given = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", std::move(token)};
  options.region = "eu-west-1";
  return options;
}
signed_headers sign(sigv4_signer& signer, const char* url, http_headers const& headers, std::int64_t now = then) {
  http_endpoint to;
  REQUIRE(parse_endpoint(url, to).empty());
  return signer.sign("POST", to, to.path, headers, std::as_bytes(std::span(body)), now,
                     std::chrono::steady_clock::now() + 10s);
}
/// All values of a header, each with a bar after it.
std::string all(signed_headers const& of, std::string_view name) {
  std::string values;
  for (auto const& [there, value] : of.headers)
    if (fulgurite::detail::equal_ignoring_case(there, name)) values += value + "|";
  return values;
}

}  // namespace

TEST_CASE("the headers to send") {
  sigv4_signer signer(example("a/token=="));
  const auto made = sign(signer, "https://XRay.eu-west-1.amazonaws.com/v1/traces",
                         {{"User-Agent", "fulgurite"},
                          {"Content-Type", "application/x-protobuf"},
                          {"authorization", "Bearer mine"},
                          {"X-Amz-Date", "yesterday"},
                          {"host", "elsewhere"},
                          {"X-Mine", "1"},
                          {"Content-Encoding", "gzip"}});
  REQUIRE(made.problem.empty());
  CHECK(made.headers.size() == 9);
  CHECK(all(made, "User-Agent") == "fulgurite|");
  CHECK(all(made, "X-Mine") == "1|");
  CHECK(all(made, "Content-Type") == "application/x-protobuf|");
  CHECK(all(made, "Host") == "xray.eu-west-1.amazonaws.com|");
  CHECK(all(made, "X-Amz-Date") == "20150830T123600Z|");
  CHECK(all(made, "X-Amz-Security-Token") == "a/token==|");
  // The same as in tests/exporter/aws/sigv4.cpp: what may be changed on the way is not signed.
  CHECK(all(made, "Authorization") ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/xray/aws4_request, "
        "SignedHeaders=content-encoding;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
        "Signature=30649f1831bfbba5af7f6cc89151849cd19a7fadadbfcee01a10d559c83e3ebc|");
}

TEST_CASE("the host as clients send it") {
  sigv4_signer signer(example());
  const auto host = [&](const char* url) { return all(sign(signer, url, {}), "Host"); };
  CHECK(host("http://Localhost/") == "localhost|");
  CHECK(host("http://localhost:80/") == "localhost|");
  CHECK(host("http://localhost:443/") == "localhost:443|");
  CHECK(host("https://localhost:443/") == "localhost|");
  CHECK(host("https://[::1]:80/") == "[::1]:80|");
}

TEST_CASE("each attempt is signed with its own date") {
  sigv4_signer signer(example());
  const auto one = sign(signer, "http://localhost/", {}), two = sign(signer, "http://localhost/", {}, then + 1);
  CHECK(all(two, "X-Amz-Date") == "20150830T123601Z|");
  CHECK(all(one, "Authorization") != all(two, "Authorization"));
}

TEST_CASE("why there is no signature") {
  sigv4_signer_options options = example();
  options.region.clear();
  sigv4_signer without_region(options);
  CHECK(sign(without_region, "http://localhost/", {}).problem == "AWS's region is not known: set AWS_REGION");
  options = example();
  options.sources = {};
  sigv4_signer without_credentials(options);
  const auto made = sign(without_credentials, "http://localhost/", {});
  CHECK(made.problem.find("there are no AWS credentials") == 0);
  CHECK(made.headers.empty());
  sigv4_signer split(example("token\r\nX-Evil: 1"));
  CHECK(sign(split, "http://localhost/", {}).problem == "the AWS credentials hold a character that no header may");
}

TEST_CASE("a clock that is off is corrected by the service's date, once") {
  const log_capture log;
  sigv4_signer signer(example());
  const std::int64_t slow = then - 3600;
  CHECK_FALSE(signer.answered(200, "Sun, 30 Aug 2015 12:36:00 GMT", slow));
  CHECK_FALSE(signer.answered(503, "Sun, 30 Aug 2015 12:36:00 GMT", slow));
  CHECK_FALSE(signer.answered(403, "", slow));
  CHECK_FALSE(signer.answered(403, "no date", slow));
  CHECK(signer.clock_offset() == 0);
  CHECK(signer.answered(403, "Sun, 30 Aug 2015 12:36:00 GMT", slow));
  CHECK(signer.clock_offset() == 3600);
  CHECK(log.has("this machine's clock is 3600 s behind AWS's"));
  CHECK(all(sign(signer, "http://localhost/", {}, slow), "X-Amz-Date") == "20150830T123600Z|");
  // A server whose dates wander is not followed for ever.
  CHECK_FALSE(signer.answered(403, "Sun, 30 Aug 2015 22:36:00 GMT", slow));
  CHECK(signer.clock_offset() == 3600);
  CHECK_FALSE(signer.answered(200, "", slow));
  CHECK_FALSE(signer.answered(403, "Sun, 30 Aug 2015 12:41:00 GMT", slow));  // 5 minutes are within what is allowed
  CHECK(signer.answered(400, "Sun, 30 Aug 2015 12:30:59 GMT", slow));
  CHECK(signer.clock_offset() == 3600 - 301);
}

TEST_CASE("credentials that are refused are looked for once more") {
  std::string path = std::filesystem::temp_directory_path() / "fulgurite-test-XXXXXX";
  ::close(mkstemp(path.data()));
  const auto write = [&](const char* id) {
    std::ofstream(path) << "[default]\naws_access_key_id=" << id << "\naws_secret_access_key=s";
  };
  write("OLD");
  sigv4_signer_options options;
  options.sources.credentials_file = path;
  options.region = "r";
  sigv4_signer signer(options);
  const auto id = [&](std::int64_t now) {
    const std::string value = all(sign(signer, "http://localhost/", {}, now), "Authorization");
    return value.substr(0, value.find('/'));
  };
  CHECK(id(then) == "AWS4-HMAC-SHA256 Credential=OLD");
  write("NEW");
  CHECK_FALSE(signer.answered(403, "", then + 30));
  CHECK_FALSE(signer.answered(400, "", then + 60));
  CHECK(signer.answered(401, "", then + 60));
  CHECK(id(then + 60) == "AWS4-HMAC-SHA256 Credential=NEW");
  CHECK_FALSE(signer.answered(401, "", then + 60));
  CHECK(signer.for_child()->clock_offset() == 0);
  std::filesystem::remove(path);
  // The child of a fork looks for itself.
  CHECK(sign(*signer.for_child(), "http://localhost/", {}).problem.find("no AWS credentials") != std::string::npos);
  CHECK(sign(signer, "http://localhost/", {}, then + 61).problem.empty());
}
