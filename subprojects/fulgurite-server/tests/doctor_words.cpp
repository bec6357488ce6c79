// What the doctor makes of an exporter's words, which hosts it asks unasked, and how a report is laid out.
#include "doctor/cause.hpp"
#include "doctor/page.hpp"
#include "doctor/read_back.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace fulgurite_server;

TEST_CASE("the cause of a failure is read from its words") {
  const auto check = [](std::string_view words, cause expected) {
    CAPTURE(words);
    CHECK(cause_of(words) == expected);
  };
  check("connection refused: nothing listens there", cause::refused);
  check("nobody listens there", cause::refused);
  check("the host's name could not be resolved: Name or service not known", cause::no_name);
  check("cannot find the host: Name or service not known", cause::no_name);
  check("no answer within the time limit", cause::silent);
  check("HTTP 401 (the credentials are missing or wrong)", cause::credentials);
  check("http://a:1/v1/traces answered HTTP 401 (the credentials are missing or wrong): no", cause::credentials);
  check("no token from https://a:443/v3/auth/token: HTTP 401 no", cause::credentials);
  check("UNAUTHENTICATED (the credentials are missing or wrong): HTTP 404", cause::credentials);
  check("HTTP 403 (the credentials do not allow it)", cause::forbidden);
  check("HTTP 404 (nothing takes spans at this path): 404 page not found", cause::path);
  check("HTTP 302 (a redirect, which is not followed: give the address that it leads to)", cause::redirect);
  check("HTTP 415 (another format is expected at this address)", cause::format);
  check("HTTP 400: Client sent an HTTP request to an HTTPS server.", cause::bad_request);
  check("HTTP 503", cause::busy);
  check("UNIMPLEMENTED (nothing takes OTLP traces by gRPC at this address): HTTP 404 with text/html, not gRPC",
        cause::not_grpc);
  check("the other side speaks HTTP/1.1 and not HTTP/2, as gRPC does", cause::not_grpc);
  check("the connection failed; perhaps gRPC is not spoken at this port: Empty reply from server", cause::not_grpc);
  check("the connection was closed before a whole answer came", cause::closed);
  check("the server's certificate was not accepted: self-signed certificate", cause::certificate);
  check("the TLS handshake failed", cause::tls);
  check("the proxy: connection refused: nothing listens there", cause::proxy);
  check("the local server's command `fulgurite` is not in PATH", cause::not_on_path);
  check("something new", cause::other);
  // What a backend says is no clue to anything.
  check("HTTP 500: connection refused", cause::busy);
  check("HTTP 404: http://x answered HTTP 401", cause::path);
}

TEST_CASE("only near hosts are asked at a port that was guessed") {
  for (const char* host : {"localhost", "127.0.0.1", "::1", "jaeger", "10.1.2.3", "192.168.0.9", "172.16.0.1",
                           "172.31.255.1", "fd12::1", "fe80::1", "box.local", "host.docker.internal"}) {
    CAPTURE(host);
    CHECK(is_near(host));
  }
  for (const char* host : {"api.honeycomb.io", "8.8.8.8", "172.15.0.1", "172.32.0.1", "2001:db8::1", "fda.example",
                           "10.example.com.evil"}) {
    CAPTURE(host);
    CHECK(!is_near(host));
  }
}

TEST_CASE("sentences are broken at spaces where there is a width, and only there") {
  CHECK(wrapped("one two three", 2, 0) == "one two three");
  CHECK(wrapped("aaaaaaaaaa bbbbbbbbbb cccccccccc", 4, 26) == "aaaaaaaaaa bbbbbbbbbb\n    cccccccccc");
  CHECK(wrapped("http://an-address-that-is-longer-than-the-line/ is kept whole", 0, 30) ==
        "http://an-address-that-is-longer-than-the-line/\nis kept whole");
}

TEST_CASE("colours are there when they are wanted") {
  const page grey{}, bright{.coloured = true};
  CHECK(grey.line(mark::ok, "it is") == "  ok       it is\n");
  CHECK(grey.line(mark::failed, "it is not") == "  failed   it is not\n");
  CHECK(grey.line(mark::skipped, "it may be") == "  skipped  it may be\n");
  CHECK(grey.below("because") == "           because\n");
  CHECK(grey.heading("Settings", "none") == "Settings  none\n");
  CHECK(bright.line(mark::failed, "it is not") == "  \x1b[31mfailed\x1b[0m   it is not\n");
}
