#include <fulgurite/exporter/xray.hpp>

#include <doctest/doctest.h>

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

TEST_CASE("what fits into a request") {
  CHECK(fit_into_xray(100, 200'100, 0) == xray_fit::fits);
  CHECK(fit_into_xray(100, 200'101, 0) == xray_fit::too_large);
  CHECK(fit_into_xray(100, 200'101, 7) == xray_fit::too_large);
  CHECK(fit_into_xray(4'999'000, 5'000'000, 9'999) == xray_fit::fits);
  CHECK(fit_into_xray(4'999'000, 5'000'001, 9'999) == xray_fit::next_request);
  CHECK(fit_into_xray(1'000, 1'100, 10'000) == xray_fit::next_request);
  // Not even alone, because of the resource before it.
  CHECK(fit_into_xray(4'999'000, 5'000'001, 0) == xray_fit::too_large);
}
