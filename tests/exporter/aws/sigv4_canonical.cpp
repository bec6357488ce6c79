// Compared with botocore and with AWS's test suite in tests/integration/sigv4_reference.py; here is each rule by
// itself.
#include <fulgurite/exporter/aws/sigv4_canonical.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace fulgurite::detail;

TEST_CASE("the path is normalised and encoded once more") {
  CHECK(canonical_path("") == "/");
  CHECK(canonical_path("/") == "/");
  CHECK(canonical_path("/v1/traces") == "/v1/traces");
  CHECK(canonical_path("//example//") == "/example/");
  CHECK(canonical_path("/./example") == "/example");
  CHECK(canonical_path("/example/..") == "/");
  CHECK(canonical_path("/../../a/./b/../c/") == "/a/c/");
  CHECK(canonical_path("/a%20b") == "/a%2520b");
  CHECK(canonical_path("/a b") == "/a%20b");
  CHECK(canonical_path("/\xe1\x88\xb4") == "/%E1%88%B4");
  CHECK(canonical_path("/-._~!$'()*+,;=:@") == "/-._~%21%24%27%28%29%2A%2B%2C%3B%3D%3A%40");
}

TEST_CASE("what S3 does with the path") {
  const sigv4_path_rules as_it_is{.normalize = false, .encode_again = false};
  CHECK(canonical_path("//a/../b%20c", as_it_is) == "//a/../b%20c");
  CHECK(canonical_path("", as_it_is) == "/");
  CHECK(canonical_path("/a/../b c", {.normalize = false}) == "/a/../b%20c");
}

TEST_CASE("the query is encoded anew and sorted by name, then by value") {
  CHECK(canonical_query("").empty());
  CHECK(canonical_query("a") == "a=");
  CHECK(canonical_query("a=") == "a=");
  CHECK(canonical_query("=a") == "=a");
  CHECK(canonical_query("&a=1&&") == "a=1");
  CHECK(canonical_query("b=2&a=3&a=10&B=1") == "B=1&a=10&a=3&b=2");
  // By name, and not as one text: a minus comes before the equals sign.
  CHECK(canonical_query("Param-3=Value3&Param=Value2&%E1%88%B4=Value1") ==
        "%E1%88%B4=Value1&Param=Value2&Param-3=Value3");
  CHECK(canonical_query("a=b=c") == "a=b%3Dc");
  CHECK(canonical_query("a=%2f%41 +") == "a=%2FA%20%2B");
  CHECK(canonical_query("a=%&b=%4&c=%zz") == "a=%25&b=%254&c=%25zz");
}

TEST_CASE("headers: lower case, sorted, trimmed, joined") {
  const std::vector<sigv4_header> headers{{"X-Amz-Date", "20150830T123600Z"},
                                          {"My-Header1", " value4  \"a   b\"\r\n  c\t"},
                                          {"Host", "example.amazonaws.com"},
                                          {"my-header1", "value1"},
                                          {"Empty", "  "},
                                          {"User-Agent", "x"},
                                          {"AUTHORIZATION", "x"},
                                          {"X-Amzn-Trace-Id", "x"},
                                          {"Connection", "x"},
                                          {"Expect", "x"},
                                          {"Transfer-Encoding", "x"}};
  const canonical_header_lines made = canonical_headers(headers);
  CHECK(made.lines ==
        "empty:\nhost:example.amazonaws.com\nmy-header1:value4 \"a b\" c,value1\nx-amz-date:20150830T123600Z\n");
  CHECK(made.names == "empty;host;my-header1;x-amz-date");
}

TEST_CASE("the whole of it") {
  const canonical_header_lines headers{"host:h\n", "host"};
  CHECK(canonical_request("GET", "/a?b", headers, "00") == "GET\n/a\nb=\nhost:h\n\nhost\n00");
  CHECK(canonical_request("GET", "", headers, "00") == "GET\n/\n\nhost:h\n\nhost\n00");
  CHECK(canonical_request("POST", "/a/../b?c=?&a", headers, "00", {.normalize = false}) ==
        "POST\n/a/../b\na=&c=%3F\nhost:h\n\nhost\n00");
}
