#include "cause.hpp"

#include <cstddef>

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
    {"a web page answers", cause::web_page},
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

std::string_view without_address(std::string_view reason) {
  constexpr std::string_view token = "no token from ", answered = "answered ";
  std::string_view rest = reason.starts_with(token) ? reason.substr(token.size()) : reason;
  const std::size_t space = rest.find(' ');
  if (space == std::string_view::npos || rest.substr(0, space).find("://") == std::string_view::npos) return reason;
  rest.remove_prefix(space + 1);
  return rest.starts_with(answered) ? rest.substr(answered.size()) : rest;
}

cause cause_of(std::string_view reason) {
  reason = without_address(reason);
  for (clue const& each : beginnings)
    if (reason.starts_with(each.text) && reason.find(", not gRPC") == std::string_view::npos) return each.means;
  const std::string_view own = reason.substr(0, 200);
  for (clue const& each : words)
    if (own.find(each.text) != std::string_view::npos) return each.means;
  return cause::other;
}

}  // namespace fulgurite_server
