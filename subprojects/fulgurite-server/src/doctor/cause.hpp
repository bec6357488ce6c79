// What kind of failure an exporter's words are about: check_health and the log give words only.
#pragma once

#include <string_view>

namespace fulgurite_server {

enum class cause {
  refused,          ///< nobody listens
  no_name,          ///< the host's name is unknown
  silent,           ///< no answer in time
  certificate,      ///< the server's certificate was not accepted
  tls,              ///< no TLS could be spoken
  credentials,      ///< missing or wrong
  forbidden,        ///< right, but not enough
  path,             ///< nothing takes spans there
  web_page,         ///< a server of pages answers
  redirect,         ///< it is elsewhere
  format,           ///< another content type is wanted
  bad_request,      ///< the backend does not understand it
  not_grpc,         ///< something else than gRPC is spoken
  closed,           ///< the connection was closed instead of an answer
  proxy,            ///< the proxy does not let it through
  busy,             ///< the backend cannot now
  not_on_path,      ///< the local server's command is not found
  aws_credentials,  ///< none were found
  other
};

/// Of `ADDRESS answered HTTP 401`, `ADDRESS: why` and `no token from ADDRESS: HTTP 401` what stands behind.
std::string_view without_address(std::string_view reason);

/// From the reason of a health report, or of a delivery. An address before it does not matter.
cause cause_of(std::string_view reason);

}  // namespace fulgurite_server
