// The token that AgentOps gives for a key: what is asked, and what an answer says.
//
//   POST /v3/auth/token   {"api_key": KEY}   ->   200 {"token": TOKEN, ...}
//
// Neither key nor token is ever part of a sentence.
#pragma once

#include <fulgurite/delivery/retry.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/text/flat_json.hpp>
#include <fulgurite/text/json_text.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/http_message.hpp>

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr const char* agentops_token_path = "/v3/auth/token";

/// The request's body.
inline std::string agentops_token_request(std::string_view key) {
  std::string body = "{\"api_key\":";
  append_json_string(body, key);
  body += '}';
  return body;
}

/// A token, or why there is none.
struct agentops_token {
  std::string text = {}, problem = {};
  /// The key is not taken, and asking again will not help.
  bool refused = false;
  /// Asking again may help, after what AgentOps asked for.
  bool again = false;
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;
};

/// Reads the answer of `from` to a request with `key`.
inline agentops_token read_agentops_token(http_answer const& answer, http_endpoint const& from, std::string_view key) {
  agentops_token token;
  if (answer.status == 200) token.text = json_text_member(answer.body, "token");
  token.refused = answer.status >= 400 && answer.status < 500 && answer.status != 429;
  token.again = is_retryable_status(answer.status) || answer.why == http_answer::failure::refused ||
                answer.why == http_answer::failure::disconnected;
  if (token.again) token.retry_after = parse_retry_after(answer.retry_after, std::time(nullptr));
  if (!token.text.empty() && is_valid_header("Authorization", token.text)) return token;
  token.text.clear();
  token.problem = "no token from " + from.to_text() + ": ";
  if (answer.status == 0)
    token.problem += answer.error;
  else if (answer.status / 100 == 2)
    token.problem += "its answer is none, and is not shown: it may hold a token";
  else
    token.problem += "HTTP " + std::to_string(answer.status) + " " + without_texts(for_log(answer.body), {key});
  return token;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
