#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/encoder/zipkin_endpoint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

/// The member of a client's span with these attributes.
std::string endpoint(std::vector<fg::attribute> const& attributes) {
  fg::detail::zipkin_remote_endpoint remote;
  for (fg::attribute const& a : attributes)
    remote.note(fg::detail::zipkin_remote_endpoint::role_of(a.key), fg::detail::owned_value_view(a.value));
  fg::detail::growing_bytes memory;
  char* const out = fg::detail::text_room(memory, nullptr, fg::detail::json_slack);
  if (!remote.found()) return {};
  const char* const end = remote.write(memory, out);
  return {static_cast<const char*>(fg::detail::text_begin(memory)), end};
}
std::string with(std::string_view content) { return ",\"remoteEndpoint\":{" + std::string(content) + "}"; }

}  // namespace

TEST_CASE("no attribute that names a peer") {
  CHECK(endpoint({}).empty());
  CHECK(
      endpoint({{"server.port", 80}, {"http.route", "/"}, {"network.peer.port", 80}, {"db.system.name", "x"}}).empty());
}

TEST_CASE("the attributes in the order of the specification") {
  const std::vector<std::string> order{"peer.service",
                                       "server.address",
                                       "net.peer.name",
                                       "network.peer.address",
                                       "server.socket.domain",
                                       "server.socket.address",
                                       "net.sock.peer.name",
                                       "net.sock.peer.addr",
                                       "peer.hostname",
                                       "peer.address",
                                       "db.name"};
  std::vector<fg::attribute> attributes;
  for (std::size_t i = order.size(); i-- > 0;) {
    attributes.push_back({order[i], order[i]});
    CHECK(endpoint(attributes) == with("\"serviceName\":\"" + order[i] + "\""));
    // In the other order of appearance, too.
    std::vector<fg::attribute> reversed(attributes.rbegin(), attributes.rend());
    CHECK(endpoint(reversed) == with("\"serviceName\":\"" + order[i] + "\""));
  }
}

TEST_CASE("what is no text, or empty, does not count") {
  CHECK(endpoint({{"peer.service", 5}, {"server.address", ""}, {"db.name", "orders"}}) ==
        with(R"("serviceName":"orders")"));
  CHECK(endpoint({{"peer.service", {}}}).empty());
}

TEST_CASE("addresses") {
  const auto v4 = [](std::string const& text) { return with("\"ipv4\":\"" + text + "\""); };
  const auto v6 = [](std::string const& text) { return with("\"ipv6\":\"" + text + "\""); };
  const auto name = [](std::string const& text) { return with("\"serviceName\":\"" + text + "\""); };
  const auto of = [](const char* text) { return endpoint({{"server.address", text}}); };
  CHECK(of("10.0.0.1") == v4("10.0.0.1"));
  CHECK(of("255.255.255.255") == v4("255.255.255.255"));
  CHECK(of("::1") == v6("::1"));
  CHECK(of("::") == v6("::"));
  CHECK(of("2001:DB8::8a2e:370:7334") == v6("2001:DB8::8a2e:370:7334"));
  CHECK(of("fe80::1%eth0") == v6("fe80::1"));
  CHECK(of("::ffff:192.0.2.1") == v4("192.0.2.1"));
  CHECK(of("::FFFF:c000:201") == v4("192.0.2.1"));
  CHECK(of("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") == v6("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"));
  // A zone is cut off an IPv6 address only.
  for (const char* text : {"10.0.0.1%eth0", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1.", " 10.0.0.1", "1", "[::1]",
                           ":", ":::", "1:2:3:4:5:6:7:8:9", "::g", "/run/a.sock", "%", "%eth0", "db.example.com",
                           "a-name-that-is-much-longer-than-any-address-can-be-written"})
    CHECK(of(text) == name(text));
  CHECK(endpoint({{"server.address", std::string("::1\0x", 5)}}) == name("::1\\u0000x"));
}

TEST_CASE("the port that belongs to the address") {
  CHECK(endpoint({{"network.peer.port", 443}, {"network.peer.address", "10.0.0.1"}, {"net.sock.peer.port", 1}}) ==
        with(R"("ipv4":"10.0.0.1","port":443)"));
  CHECK(endpoint({{"server.socket.address", "::1"}, {"server.socket.port", "8080"}}) ==
        with(R"("ipv6":"::1","port":8080)"));
  CHECK(endpoint({{"net.sock.peer.addr", "/run/a"}, {"net.sock.peer.port", 65535}}) ==
        with(R"("serviceName":"/run/a","port":65535)"));
  CHECK(endpoint({{"peer.service", "shop"}, {"network.peer.port", 443}}) == with(R"("serviceName":"shop")"));
}

TEST_CASE("what is no port is left out: a server refuses the whole request for it") {
  for (fg::attribute_value const& value :
       {fg::attribute_value(0), fg::attribute_value(-1), fg::attribute_value(65536),
        fg::attribute_value(std::numeric_limits<std::int64_t>::max()), fg::attribute_value("80x"),
        fg::attribute_value(""), fg::attribute_value(80.0), fg::attribute_value("99999999999999999999"),
        fg::attribute_value()})
    CHECK(endpoint({{"network.peer.address", "a"}, {"network.peer.port", value}}) == with(R"("serviceName":"a")"));
}

TEST_CASE("names are escaped") {
  CHECK(endpoint({{"peer.service", "a\"\xff"}}) == with("\"serviceName\":\"a\\\"\xef\xbf\xbd\""));
}
