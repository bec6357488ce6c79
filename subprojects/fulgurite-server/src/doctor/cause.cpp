#include "cause.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace fulgurite_server {
namespace {

struct clue {
  std::string_view text;
  cause means;
};

/// What an answer begins with; whatever the backend says comes behind it and counts for nothing.
constexpr clue beginnings[] = {
    {"HTTP 401", cause::credentials},
    {"HTTP 403", cause::forbidden},
    {"HTTP 404", cause::path},
    {"HTTP 405", cause::path},
    {"HTTP 407", cause::proxy},
    {"HTTP 415", cause::format},
    {"HTTP 408", cause::busy},
    {"HTTP 429", cause::busy},
    {"HTTP 3", cause::redirect},
    {"HTTP 4", cause::bad_request},
    {"HTTP 5", cause::busy},
    {"UNAUTHENTICATED", cause::credentials},
    {"PERMISSION_DENIED", cause::forbidden},
    {"UNIMPLEMENTED", cause::path},
    {"UNAVAILABLE", cause::busy},
    {"RESOURCE_EXHAUSTED", cause::busy},
    {"DEADLINE_EXCEEDED", cause::silent},
};

/// Our own words for what went wrong before an answer.
constexpr clue words[] = {
    {"the proxy", cause::proxy},
    {"is not in PATH", cause::not_on_path},
    {"name could not be resolved", cause::no_name},
    {"cannot find the host", cause::no_name},
    {"connection refused", cause::refused},
    {"nobody listens", cause::refused},
    {"nothing listens", cause::refused},
    {"no answer within", cause::silent},
    {"nobody answers", cause::silent},
    {"did not answer in time", cause::silent},
    {"perhaps gRPC is not spoken", cause::not_grpc},
    {"not HTTP/2, as gRPC does", cause::not_grpc},
    {", not gRPC", cause::not_grpc},
    {"certificate", cause::certificate},
    {"TLS handshake failed", cause::tls},
    {"the connection was closed", cause::closed},
    {"redentials", cause::aws_credentials},
};

}  // namespace

cause cause_of(std::string_view reason) {
  // `ADDRESS answered HTTP 401`, `no token from ADDRESS: HTTP 401`
  for (const std::string_view before : {" answered ", ": "}) {
    const std::size_t at = reason.find(before);
    if (at == std::string_view::npos || reason.substr(0, at).find("://") == std::string_view::npos) continue;
    const std::string_view rest = reason.substr(at + before.size());
    if (const cause found = cause_of(rest); found != cause::other) return found;
  }
  for (clue const& each : beginnings)
    if (reason.starts_with(each.text) && reason.find(", not gRPC") == std::string_view::npos) return each.means;
  const std::string_view own = reason.substr(0, 200);
  for (clue const& each : words)
    if (own.find(each.text) != std::string_view::npos) return each.means;
  return cause::other;
}

}  // namespace fulgurite_server
