#include <fulgurite/transport/proxy.hpp>

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace fulgurite::detail;

namespace {

http_endpoint endpoint(const char* url) {
  http_endpoint made;
  REQUIRE(parse_endpoint(url, made).empty());
  return made;
}

std::string from(std::map<std::string, std::string> const& variables, const char* url) {
  return proxy_from_environment(endpoint(url), [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace

TEST_CASE("a proxy's address") {
  http_proxy proxy;
  CHECK(parse_proxy("http://ann:p%40ss@proxy.example:3128", proxy).empty());
  CHECK(proxy.host == "proxy.example");
  CHECK(proxy.port == 3128);
  CHECK(proxy.user == "ann");
  CHECK(proxy.password == "p@ss");
  CHECK(parse_proxy("10.0.0.1:8080/", proxy).empty());
  CHECK(proxy.host == "10.0.0.1");
  CHECK(proxy.port == 8080);
  CHECK(proxy.user.empty());
  CHECK(parse_proxy("", proxy).empty());
  CHECK_FALSE(proxy.is_used());
}

TEST_CASE("what is no proxy's address: the sentence does not repeat it, and there is no proxy then") {
  for (const char* const wrong : {"socks5://secret:secret@host:1", "http://secret@:80", "http://secret@host:port",
                                  "http://secret@host/path", "http://secret@ho st"}) {
    CAPTURE(wrong);
    http_proxy proxy{.host = "before", .port = 1};
    const std::string problem = parse_proxy(wrong, proxy);
    CHECK_FALSE(problem.empty());
    CHECK(problem.find("secret") == std::string::npos);
    CHECK_FALSE(proxy.is_used());
  }
}

TEST_CASE("the scheme decides which variable speaks, and HTTP_PROXY never does") {
  CHECK(from({{"http_proxy", "http://a:1"}, {"https_proxy", "http://b:2"}}, "http://x.example/") == "http://a:1");
  CHECK(from({{"http_proxy", "http://a:1"}, {"https_proxy", "http://b:2"}}, "https://x.example/") == "http://b:2");
  CHECK(from({{"HTTPS_PROXY", "http://b:2"}}, "https://x.example/") == "http://b:2");
  CHECK(from({{"HTTP_PROXY", "http://a:1"}}, "http://x.example/").empty());
  CHECK(from({{"http_proxy", ""}}, "http://x.example/").empty());
}

TEST_CASE("no_proxy: names with what is below them, addresses, ports, everything") {
  const auto without = [](const char* list, const char* url) { return is_without_proxy(list, endpoint(url)); };
  CHECK(without("localhost, 127.0.0.1", "http://localhost:4318/"));
  CHECK(without("localhost, 127.0.0.1", "http://127.0.0.1:4318/"));
  CHECK(without("example.org", "http://a.b.Example.org/"));
  CHECK(without(".example.org", "http://a.example.org/"));
  CHECK(without("example.org:80", "http://example.org/"));
  CHECK(without("*", "http://anything/"));
  CHECK_FALSE(without("example.org:81", "http://example.org/"));
  CHECK_FALSE(without("example.org", "http://notexample.org/"));
  CHECK_FALSE(without("example.org.uk", "http://example.org/"));
  CHECK_FALSE(without("", "http://example.org/"));
  CHECK_FALSE(without(",,", "http://example.org/"));
}
