// Who was called: the remote endpoint of a Zipkin span, found among the span's attributes.
//
// Only clients and producers have one; Zipkin draws its dependencies from it. The attributes are asked in the order of
// OpenTelemetry's trace/sdk_exporters/zipkin.md, "OTLP -> Zipkin"; one that is no text, or an empty one, does not
// count. A text that is an IP address becomes `ipv4` or `ipv6`, any other the service's name, which is what the
// dependencies are drawn between. The port comes from the attribute that belongs to the one chosen.
#pragma once

#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/record/growing_bytes.hpp>
#include <fulgurite/record/value_view.hpp>

#include <arpa/inet.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// A text that is an IP address, or not.
struct ip_text {
  enum class family : std::uint8_t { none, v4, v6 };

  family of = family::none;
  /// As it is sent: without a zone, and dotted where it is an IPv4 address in IPv6 form (RFC 4291, 2.5.5.2).
  char text[INET6_ADDRSTRLEN] = {};

  /// What `inet_pton` takes: four decimal numbers without leading zeros, or RFC 4291, 2.2; after the latter `%zone`.
  explicit ip_text(std::string_view given) noexcept {
    const std::size_t zone = given.find('%');
    const std::string_view address = given.substr(0, zone);
    if (address.size() < 2 || address.size() >= sizeof text || address.find('\0') != std::string_view::npos) return;
    std::memcpy(text, address.data(), address.size());
    unsigned char octets[16];
    if (address.find(':') == std::string_view::npos) {
      if (zone == std::string_view::npos && inet_pton(AF_INET, text, octets) == 1) of = family::v4;
    } else if (inet_pton(AF_INET6, text, octets) == 1) {
      of = family::v6;
      constexpr unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
      if (std::memcmp(octets, mapped, sizeof mapped) == 0 &&
          inet_ntop(AF_INET, octets + sizeof mapped, text, sizeof text))
        of = family::v4;
    }
  }
};

/// The best remote endpoint of the attributes seen so far.
class zipkin_remote_endpoint {
 public:
  /// What a key means here; 0 nothing. Below `first_port` it is the attribute's rank.
  using role = std::uint8_t;
  static constexpr role first_port = 16;

  [[gnu::always_inline]] static role role_of(std::string_view key) noexcept {
    if (key.size() < 7 || (key[0] != 'p' && key[0] != 's' && key[0] != 'n' && key[0] != 'd')) return 0;
    return known_role(key);
  }

  /// Takes an attribute that has a role. Its text is borrowed.
  template <class Value>
  void note(role as, Value const& value) noexcept {
    if (as == 0) return;
    if (as >= first_port)
      ports_[as - first_port] = port_of(value);
    else if (value.type() == value_type::string && (chosen_ == 0 || as <= chosen_)) {
      const std::string_view text = value.text();
      if (text.empty()) return;
      chosen_ = as;
      text_ = text;
    }
  }

  bool found() const noexcept { return chosen_ != 0; }
  /// Writes the span's member. There is slack before, and after.
  char* write(growing_bytes& memory, char* out) const {
    out = write_literal(text_room(memory, out, 128), ",\"remoteEndpoint\":{\"");
    const ip_text ip(text_);
    if (ip.of == ip_text::family::none) {
      out = write_literal(out, "serviceName\":\"");
      out = write_json_text<json_place::alone>(memory, out, text_);
    } else {
      out = write_raw(out, ip.of == ip_text::family::v4 ? "ipv4\":\"" : "ipv6\":\"");
      out = write_raw(out, ip.text);
    }
    *out++ = '"';
    if (const std::uint16_t port = port_of_chosen(); port != 0)
      out = write_number(write_literal(text_room(memory, out, 64), ",\"port\":"), port);
    *out++ = '}';
    return text_room(memory, out, json_slack);
  }

 private:
  struct known {
    std::string_view key;
    role as;
  };
  static constexpr known all[] = {{"peer.service", 1},
                                  {"server.address", 2},
                                  {"net.peer.name", 3},
                                  {"network.peer.address", 4},
                                  {"server.socket.domain", 5},
                                  {"server.socket.address", 6},
                                  {"net.sock.peer.name", 7},
                                  {"net.sock.peer.addr", 8},
                                  {"peer.hostname", 9},
                                  {"peer.address", 10},
                                  {"db.name", 11},
                                  {"network.peer.port", first_port},
                                  {"server.socket.port", first_port + 1},
                                  {"net.sock.peer.port", first_port + 2}};

  [[gnu::noinline]] static role known_role(std::string_view key) noexcept {
    for (known const& one : all)
      if (one.key == key) return one.as;
    return 0;
  }

  /// 0 where the value is no port.
  template <class Value>
  static std::uint16_t port_of(Value const& value) noexcept {
    std::int64_t number = 0;
    if (value.type() == value_type::integer || value.type() == value_type::unsigned_integer)
      number = value.integer();
    else if (value.type() == value_type::string) {
      const std::string_view text = value.text();
      const char* const end = text.data() + text.size();
      const std::from_chars_result read = std::from_chars(text.data(), end, number);
      if (read.ec != std::errc() || read.ptr != end) number = 0;
    }
    return number > 0 && number < 65536 ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
  }
  std::uint16_t port_of_chosen() const noexcept {
    switch (chosen_) {
      case 4:
        return ports_[0];
      case 6:
        return ports_[1];
      case 8:
        return ports_[2];
      default:
        return 0;
    }
  }

  role chosen_ = 0;
  std::uint16_t ports_[3] = {};
  std::string_view text_;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
