// Signature Version 4 between standard input and output, for sigv4_reference.py.
//
// sign: a line in, `method=HEX target=HEX id=HEX secret=HEX token=HEX region=HEX service=HEX time=SECONDS body=HEX
// normalize=0|1 hash=0|1 h:NAME=HEX ...`; a line out, the canonical request, the string to sign, and the headers that
// are to be added, `NAME=HEX` each, the three parts separated by tabs.
//
// send URL REGION: a line in, `TAMPER NOW HEX`, what to do to the request after it was signed, this machine's time, and
// the body before compression; a line out, the status of each attempt.
//
// credentials: a line in, the time; a line out, `id secret token` or `- problem`, in hexadecimal.
//
// Credentials of the last two come from the environment.
#include <fulgurite/exporter/aws/sigv4_signer.hpp>
#include <fulgurite/transport/gzip.hpp>

#include "hex.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace d = fulgurite::detail;

using fulgurite_test::from_hex;
using fulgurite_test::to_hex;

namespace {

void sign(std::string const& line) {
  std::map<std::string, std::string> fields;
  std::vector<d::sigv4_header> headers;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name.starts_with("h:"))
      headers.emplace_back(name.substr(2), from_hex(value));
    else
      fields[name] = std::move(value);
  }
  const auto text = [&](const char* name) { return from_hex(fields[name]); };
  const std::string method = text("method"), target = text("target"), region = text("region"),
                    service = text("service"), body = text("body");
  const d::sigv4_scope scope{region, service};
  const d::sigv4_options options{.path = {.normalize = fields["normalize"] == "1"},
                                 .add_content_hash = fields["hash"] == "1"};
  const std::vector<d::sigv4_header> added =
      d::sigv4_headers({method, target, headers, std::as_bytes(std::span(body))},
                       {text("id"), text("secret"), text("token")}, scope, std::stoll(fields["time"]), options);

  // The same once more in steps, which the suite has, too.
  headers.insert(headers.end(), added.begin(), added.end());
  d::sha256_value hash;
  d::sha256(std::as_bytes(std::span(body)), hash);
  const std::string canonical =
      d::canonical_request(method, target, d::canonical_headers(headers), d::to_lower_hex(hash), options.path);
  std::cout << to_hex(canonical) << '\t'
            << to_hex(d::string_to_sign(canonical, d::to_basic_utc(std::stoll(fields["time"])), scope).value_or(""))
            << '\t';
  for (auto const& [name, value] : added) std::cout << name << '=' << to_hex(value) << ' ';
  std::cout << '\n';
}

/// What somebody on the way might do. The names are those of sigv4_reference.py.
void tamper(std::string const& how, std::string& target, std::string& body, d::http_headers& headers) {
  std::string new_hash;
  if (how == "body" || how == "body-and-hash") body[body.size() / 2] ^= 1;
  if (how == "body-and-hash") {
    d::sha256_value hash;
    d::sha256(std::as_bytes(std::span(body)), hash);
    new_hash = d::to_lower_hex(hash);
  }
  if (how == "path") target += "/more";
  if (how == "query") target += target.find('?') == std::string::npos ? "?a=b" : "&a=b";
  for (auto& [name, value] : headers) {
    if (how == "header" && name == "Content-Type") value = "application/json";
    if (how == "date" && name == "X-Amz-Date") value[14] = value[14] == '0' ? '1' : '0';
    if (!new_hash.empty() && name == "X-Amz-Content-Sha256") value = new_hash;
    if (how == "hash" && name == "X-Amz-Content-Sha256") value[0] = value[0] == '0' ? '1' : '0';
    if (how == "host" && name == "Host") value = "elsewhere.example.org";
    if (how == "token" && name == "X-Amz-Security-Token") value += "x";
    if (how == "signature" && name == "Authorization") value.back() = value.back() == '0' ? '1' : '0';
    if (how == "user-agent" && name == "User-Agent") value = "a proxy's";
  }
}

/// As the exporter's channel does it: compress, sign every attempt, learn from each answer.
int send(std::string const& url, std::string const& region) {
  d::http_endpoint to;
  if (const std::string problem = d::parse_endpoint(url, to); !problem.empty()) return std::cerr << problem << '\n', 2;
  d::sigv4_signer signer({d::aws_sources_from_environment(), region});
  d::http_client client(to);
  d::gzip_compressor gzip;
  const d::http_headers given{
      {"User-Agent", "fulgurite"}, {"Content-Type", "application/x-protobuf"}, {"Content-Encoding", "gzip"}};
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string how, hex, body;
    std::int64_t now = 0;
    words >> how >> now >> hex;
    const std::string plain = from_hex(hex);
    if (!gzip.compress(std::as_bytes(std::span(plain)), body)) return 2;
    for (bool again = true; again;) {
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
      std::string target = to.path, sent = body;
      d::signed_headers made = signer.sign("POST", to, target, given, std::as_bytes(std::span(body)), now, deadline);
      if (!made.problem.empty()) {
        std::cout << made.problem;
        break;
      }
      tamper(how, target, sent, made.headers);
      const d::http_answer answer =
          client.send({"POST", target, made.headers, std::as_bytes(std::span(sent))}, deadline);
      std::cout << answer.status << ' ' << answer.error;
      again = signer.answered(answer.status, answer.date, now);
    }
    std::cout << std::endl;
  }
  return 0;
}

int credentials() {
  d::aws_credential_provider provider(d::aws_sources_from_environment());
  std::int64_t now = 0;
  while (std::cin >> now) {
    const auto found = provider.get(now, std::chrono::steady_clock::now() + std::chrono::seconds(30));
    if (found.problem.empty())
      std::cout << to_hex(found.credentials.access_key_id) << ' ' << to_hex(found.credentials.secret_access_key) << ' '
                << to_hex(found.credentials.session_token) << std::endl;
    else
      std::cout << "- " << to_hex(found.problem) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "send" && count == 4) return send(arguments[2], arguments[3]);
  if (what == "credentials") return credentials();
  if (what != "sign") return std::cerr << "sign, send URL REGION, or credentials\n", 2;
  std::string line;
  while (std::getline(std::cin, line)) sign(line);
}
