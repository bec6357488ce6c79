#include <fulgurite/exporter/agentops/token.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace fulgurite::detail;

namespace {

agentops_token read(int status, std::string body, std::string error = {}) {
  http_answer answer;
  answer.status = status;
  answer.body = std::move(body);
  answer.error = std::move(error);
  return read_agentops_token(answer, {true, "api.example", 443, agentops_token_path}, "the-key");
}

}  // namespace

TEST_CASE("the key goes out as JSON") { CHECK(agentops_token_request("a\"b") == "{\"api_key\":\"a\\\"b\"}"); }

TEST_CASE("a token is read") {
  const agentops_token token = read(200, "{\"token\":\"abc\",\"project_id\":\"p\"}");
  CHECK(token.text == "abc");
  CHECK(token.problem.empty());
  CHECK_FALSE(token.refused);
}

TEST_CASE("what is no token is not used, and not shown") {
  for (const char* body : {"", "[]", "{\"token\":\"\"}", "{\"token\":\"secret\\r\\nX: y\"}", "{\"key\":\"secret\"}"}) {
    const agentops_token token = read(200, body);
    CHECK(token.text.empty());
    CHECK(token.problem.find("it may hold a token") != std::string::npos);
    CHECK(token.problem.find("secret") == std::string::npos);
  }
}

TEST_CASE("a refusal is told from a failure, and quotes no key") {
  CHECK(read(401, "no").refused);
  CHECK(read(403, "the-key is unknown").problem.find("the-key") == std::string::npos);
  CHECK_FALSE(read(429, "later").refused);
  CHECK_FALSE(read(503, "down").refused);
  CHECK_FALSE(read(0, "", "no answer").refused);
  for (const int status : {429, 502, 503, 504}) CHECK(read(status, "").again);
  for (const int status : {400, 401, 403, 404, 500, 200}) CHECK_FALSE(read(status, "").again);
  CHECK_FALSE(read(0, "", "no answer within the time limit").again);
  CHECK(read(0, "", "no answer").problem == "no token from https://api.example:443/v3/auth/token: no answer");
}
