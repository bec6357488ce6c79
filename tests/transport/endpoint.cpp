#include <fulgurite/transport/endpoint.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using fulgurite::detail::http_endpoint;
using fulgurite::detail::parse_endpoint;

TEST_CASE("what an endpoint is made of") {
  struct expected {
    const char* url;
    bool tls;
    const char* host;
    unsigned port;
    const char* path;
    const char* text;
  };
  for (expected const& test :
       {expected{"http://localhost:4318/v1/traces", false, "localhost", 4318, "/v1/traces",
                 "http://localhost:4318/v1/traces"},
        expected{"HTTPS://Collector.example.org", true, "Collector.example.org", 443, "/",
                 "https://Collector.example.org:443/"},
        expected{"http://h", false, "h", 80, "/", "http://h:80/"},
        expected{"http://h/", false, "h", 80, "/", "http://h:80/"},
        expected{"http://[::1]:9411/x", false, "::1", 9411, "/x", "http://[::1]:9411/x"},
        expected{"https://[2001:db8::a]", true, "2001:db8::a", 443, "/", "https://[2001:db8::a]:443/"},
        expected{"http://10.0.0.1:65535/a//b/../c?k=v&t=a%20b", false, "10.0.0.1", 65535, "/a//b/../c?k=v&t=a%20b",
                 "http://10.0.0.1:65535/a//b/../c"},
        expected{"http://h?k=secret", false, "h", 80, "/?k=secret", "http://h:80/"}}) {
    CAPTURE(test.url);
    http_endpoint made;
    CHECK(parse_endpoint(test.url, made) == "");
    CHECK(made.tls == test.tls);
    CHECK(made.host == test.host);
    CHECK(made.port == test.port);
    CHECK(made.path == test.path);
    CHECK(made.to_text() == test.text);
  }
}

TEST_CASE("what is wrong is said, without repeating it") {
  struct expected {
    const char* url;
    const char* part;
  };
  for (expected const& test : {expected{"", "empty"},
                               expected{"localhost:4318", "must begin with http:// or https://"},
                               expected{"grpc://h", "must begin with"},
                               expected{"http:/h", "must begin with"},
                               expected{"http://", "no host"},
                               expected{"http:///path", "no host"},
                               expected{"http://:80/", "no host"},
                               expected{"http://h:", "port"},
                               expected{"http://h:0", "port"},
                               expected{"http://h:65536", "port"},
                               expected{"http://h:99999999999999999999", "port"},
                               expected{"http://h:8o", "port"},
                               expected{"http://u:secret@h/", "user name or password"},
                               expected{"http://::1/", "brackets"},
                               expected{"http://[::1", "closing bracket"},
                               expected{"http://[h]/", "no IPv6"},
                               expected{"http://[::1]80/", "between"},
                               expected{"http://h/a b", "space"},
                               expected{"http://h/\r\nX: secret", "space"},
                               expected{"http://h\xc3\xbc/", "ASCII"},
                               expected{"http://h/#x", "fragment"},
                               expected{"http://h<x>/", "host name"}}) {
    CAPTURE(test.url);
    http_endpoint made;
    made.host = "untouched";
    const std::string said = parse_endpoint(test.url, made);
    CHECK(said.find(test.part) != std::string::npos);
    CHECK(said.find("secret") == std::string::npos);
    CHECK(made.host == "untouched");
  }
}
