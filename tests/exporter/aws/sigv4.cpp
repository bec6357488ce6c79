// The values are those of AWS's documentation and of botocore 1.44.8; tests/integration/sigv4_reference.py has AWS's
// whole suite.
#include <fulgurite/exporter/aws/sigv4.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using namespace fulgurite::detail;

namespace {

constexpr std::int64_t then = 1'440'938'160;  // 2015-08-30T12:36:00Z
const aws_credentials example{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
constexpr std::string_view body = "\x1f\x8b body of spans";

std::string header(std::vector<sigv4_header> const& headers, std::string_view name) {
  for (auto const& [there, value] : headers)
    if (there == name) return value;
  return {};
}

}  // namespace

TEST_CASE("SHA-256 and its HMAC") {
  sha256_value value;
  REQUIRE(sha256({}, value));
  CHECK(to_lower_hex(value) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 4231, test case 2.
  const std::string key = "Jefe";
  REQUIRE(hmac_sha256({reinterpret_cast<const unsigned char*>(key.data()), key.size()}, "what do ya want for nothing?",
                      value));
  CHECK(to_lower_hex(value) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("the key of a day (AWS General Reference, deriving a signing key)") {
  sha256_value key;
  REQUIRE(signing_key(example.secret_access_key, "20120215T000000Z", {"us-east-1", "iam"}, key));
  CHECK(to_lower_hex(key) == "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d");
}

TEST_CASE("what is signed") {
  CHECK(string_to_sign("", "20150830T123600Z", {"us-east-1", "service"}) ==
        "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a request of AWS's documentation: IAM, ListUsers") {
  const std::vector<sigv4_header> headers{{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"},
                                          {"Host", "iam.amazonaws.com"}};
  const auto added = sigv4_headers({"GET", "/?Action=ListUsers&Version=2010-05-08", headers}, example,
                                   {"us-east-1", "iam"}, then, {.add_content_hash = false});
  CHECK(added ==
        std::vector<sigv4_header>{{"X-Amz-Date", "20150830T123600Z"},
                                  {"Authorization",
                                   "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
                                   "SignedHeaders=content-type;host;x-amz-date, "
                                   "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"}});
}

TEST_CASE("a request to X-Ray with temporary credentials, as botocore signs it") {
  const std::vector<sigv4_header> headers{{"User-Agent", "not signed"},
                                          {"Content-Type", "application/x-protobuf"},
                                          {"Content-Encoding", "gzip"},
                                          {"Host", "xray.eu-west-1.amazonaws.com"}};
  aws_credentials temporary = example;
  temporary.session_token = "a/token==";
  const auto added = sigv4_headers({"POST", "/v1/traces", headers, std::as_bytes(std::span(body))}, temporary,
                                   {"eu-west-1", "xray"}, then);
  CHECK(header(added, "X-Amz-Security-Token") == "a/token==");
  CHECK(header(added, "X-Amz-Content-Sha256") == "cf1ba775728dc6eadcdda36744b7e75a550b7a996845b0f01b07e698ff8d5bf7");
  CHECK(header(added, "Authorization") ==
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/xray/aws4_request, "
        "SignedHeaders=content-encoding;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "
        "Signature=30649f1831bfbba5af7f6cc89151849cd19a7fadadbfcee01a10d559c83e3ebc");
}

TEST_CASE("a path that is encoded, a query, a port, as botocore signs it") {
  const std::vector<sigv4_header> headers{{"Content-Type", "application/x-protobuf"}, {"Host", "127.0.0.1:21000"}};
  const auto added = sigv4_headers({"POST", "/a%20b//c/../v1?x=1&b=%2F", headers, std::as_bytes(std::span(body))},
                                   example, {"eu-west-1", "xray"}, then, {.add_content_hash = false});
  CHECK(header(added, "Authorization").ends_with("a6676b8836db289cd9082eef12e9ee2b219d11e44376a00c671f50b82feb2c60"));
}
