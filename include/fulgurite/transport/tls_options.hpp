// Whom a connection trusts, and who it says it is: the same for every transport that speaks TLS.
#pragma once

#include <string>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct tls_options {
  /// PEM files; empty: the system's certificates, no client certificate.
  std::string ca_file = {}, client_certificate = {}, client_key = {};
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
