// AWS Signature Version 4: the headers that show a service who sent a request, and that nobody changed it on its way.
//
// Pure functions over OpenSSL's SHA-256 and HMAC: no clock, no environment. The text that is signed comes from
// exporter/aws/sigv4_canonical.hpp, credentials from exporter/aws/credentials.hpp; exporter/aws/sigv4_signer.hpp joins
// them with a clock. Rules: AWS General Reference, "Create a signed AWS API request". Signatures in the query
// (presigned addresses) are not made: who exports spans needs none.
#pragma once

#include <fulgurite/exporter/aws/sigv4_canonical.hpp>
#include <fulgurite/text/hex.hpp>
#include <fulgurite/text/utc_time.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Who signs. None of it is ever logged or part of a message.
struct aws_credentials {
  std::string access_key_id = {}, secret_access_key = {};
  /// Of temporary credentials; else empty.
  std::string session_token = {};

  bool empty() const noexcept { return access_key_id.empty() || secret_access_key.empty(); }
  friend bool operator==(aws_credentials const&, aws_credentials const&) = default;
};

/// What a signature is for.
struct sigv4_scope {
  std::string_view region, service;
};

/// What is signed.
struct sigv4_request {
  std::string_view method;
  /// The path with its query, exactly as it will be sent.
  std::string_view target;
  /// All of these but those of `is_never_signed`; `Host` must be among them.
  std::span<const sigv4_header> headers = {};
  /// As it will be sent: after compression.
  std::span<const std::byte> body = {};
};

struct sigv4_options {
  sigv4_path_rules path = {};
  /// Adds `X-Amz-Content-Sha256`, which the service may compare before it has read the body.
  bool add_content_hash = true;
};

using sha256_value = std::array<unsigned char, 32>;

/// False only where OpenSSL has no SHA-256, or no memory.
inline bool sha256(std::span<const std::byte> octets, sha256_value& out) noexcept {
  unsigned size = 0;
  return EVP_Digest(octets.data(), octets.size(), out.data(), &size, EVP_sha256(), nullptr) == 1 && size == out.size();
}

/// HMAC-SHA-256 (RFC 2104). False as above. `out` may be where `key` lies.
inline bool hmac_sha256(std::span<const unsigned char> key, std::string_view text, sha256_value& out) noexcept {
  sha256_value made;
  std::size_t size = 0;
  const bool done = EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(),
                              reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data(),
                              made.size(), &size) != nullptr &&
                    size == made.size();
  if (done) out = made;
  OPENSSL_cleanse(made.data(), made.size());
  return done;
}

inline std::string to_lower_hex(sha256_value const& value) {
  std::string out;
  for (const unsigned char octet : value) append_hex_octet(out, octet);
  return out;
}

/// `20150830/us-east-1/xray/aws4_request`. `date_time`: of `to_basic_utc`.
inline std::string credential_scope(std::string_view date_time, sigv4_scope scope) {
  std::string out(date_time.substr(0, 8));
  out.append("/").append(scope.region).append("/").append(scope.service).append("/aws4_request");
  return out;
}

/// Step 2: what is signed. Nothing as above.
inline std::optional<std::string> string_to_sign(std::string_view canonical, std::string_view date_time,
                                                 sigv4_scope scope) {
  sha256_value hash;
  if (!sha256(std::as_bytes(std::span(canonical)), hash)) return std::nullopt;
  std::string out = "AWS4-HMAC-SHA256\n";
  out.append(date_time).append("\n").append(credential_scope(date_time, scope)).append("\n");
  return out.append(to_lower_hex(hash));
}

/// Step 3, first half: the key of one day, region and service. False as above.
inline bool signing_key(std::string_view secret_access_key, std::string_view date_time, sigv4_scope scope,
                        sha256_value& out) {
  std::string first = "AWS4";
  first += secret_access_key;
  const bool done =
      hmac_sha256({reinterpret_cast<const unsigned char*>(first.data()), first.size()}, date_time.substr(0, 8), out) &&
      hmac_sha256(out, scope.region, out) && hmac_sha256(out, scope.service, out) &&
      hmac_sha256(out, "aws4_request", out);
  OPENSSL_cleanse(first.data(), first.size());
  return done;
}

/// The headers to add to a request: `X-Amz-Date`, `X-Amz-Security-Token` where there is a token,
/// `X-Amz-Content-Sha256`, `Authorization`. `now` is seconds since the Unix epoch. Empty only where OpenSSL has no
/// SHA-256, or no memory.
inline std::vector<sigv4_header> sigv4_headers(sigv4_request const& request, aws_credentials const& credentials,
                                               sigv4_scope scope, std::int64_t now, sigv4_options options = {}) {
  sha256_value value;
  if (!sha256(request.body, value)) return {};
  const std::string payload_hash = to_lower_hex(value), date_time = to_basic_utc(now);
  std::vector<sigv4_header> added{{"X-Amz-Date", date_time}};
  if (!credentials.session_token.empty()) added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  if (options.add_content_hash) added.emplace_back("X-Amz-Content-Sha256", payload_hash);

  std::vector<sigv4_header> all(request.headers.begin(), request.headers.end());
  all.insert(all.end(), added.begin(), added.end());
  const canonical_header_lines lines = canonical_headers(all);
  const std::optional<std::string> text = string_to_sign(
      canonical_request(request.method, request.target, lines, payload_hash, options.path), date_time, scope);
  const bool done =
      text && signing_key(credentials.secret_access_key, date_time, scope, value) && hmac_sha256(value, *text, value);
  if (!done) {
    OPENSSL_cleanse(value.data(), value.size());
    return {};
  }
  std::string authorization = "AWS4-HMAC-SHA256 Credential=" + credentials.access_key_id;
  authorization.append("/").append(credential_scope(date_time, scope)).append(", SignedHeaders=").append(lines.names);
  authorization.append(", Signature=").append(to_lower_hex(value));
  added.emplace_back("Authorization", std::move(authorization));
  return added;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
