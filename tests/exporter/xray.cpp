#include <fulgurite/exporter/xray.hpp>

#include "../record_builder.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace fulgurite::detail;

TEST_CASE("X-Ray's hosts and their regions") {
  CHECK(xray_region("xray.eu-west-1.amazonaws.com") == "eu-west-1");
  CHECK(xray_region("XRay.US-East-1.AmazonAWS.com") == "US-East-1");
  CHECK(xray_region("xray.cn-north-1.amazonaws.com.cn") == "cn-north-1");
  CHECK(xray_region("xray-fips.us-gov-west-1.amazonaws.com") == "us-gov-west-1");
  CHECK(xray_region("xray.us-east-2.api.aws") == "us-east-2");
  for (const char* other : {"", "xray.", "xray.amazonaws.com", "xray..amazonaws.com", "eu-west-1.amazonaws.com",
                            "xray.a.b.amazonaws.com", "xray.eu-west-1.amazonaws.com.example.org",
                            "xray.eu-west-1.example.org", "logs.eu-west-1.amazonaws.com", "127.0.0.1", "localhost"}) {
    CAPTURE(other);
    CHECK(xray_region(other).empty());
  }
}

TEST_CASE("the host's own region comes before the one that is set") {
  CHECK(xray_signing_region("xray.EU-west-1.amazonaws.com", "us-east-1") == "eu-west-1");
  CHECK(xray_signing_region("vpce-1.xray.us-east-1.vpce.amazonaws.com", "us-east-1") == "us-east-1");
  CHECK(xray_signing_region("127.0.0.1", "").empty());
}

TEST_CASE("requests are signed, and of no more spans than the service takes") {
  // What the sources are is tested in tests/exporter/aws/credentials.cpp.
  ::setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 1);
  std::vector<std::string> authorizations, hashes;
  fulgurite_test::scripted_server server({[&](fulgurite_test::connection& c) {
    for (auto got = c.read_request(); !got.head.empty(); got = c.read_request()) {
      authorizations.push_back(got.header("authorization"));
      hashes.push_back(got.header("x-amz-content-sha256"));
      c.answer("200 OK");
    }
  }});
  {
    fulgurite::xray_exporter out(fulgurite::otlp_http_options{.endpoint = server.url()}, "eu-west-1");
    fulgurite_test::record_builder spans;
    std::vector<fulgurite::span_data> made(10'001);
    for (auto& span : made) {
      span.name = "s";
      spans.add(span);
    }
    const fulgurite::batch_outcome outcome = out.export_spans(spans.batch());
    CHECK(outcome.exported == 10'001);
    CHECK(outcome.spans() == 10'001);
  }
  REQUIRE(authorizations.size() == 2);
  CHECK(hashes[0] != hashes[1]);
  for (std::string const& each : authorizations) {
    CHECK(each.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"));
    CHECK(each.find("/eu-west-1/xray/aws4_request") != std::string::npos);
  }
  ::unsetenv("AWS_ACCESS_KEY_ID");
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
}
