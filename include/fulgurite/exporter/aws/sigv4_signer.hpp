// Signs an exporter's requests for AWS: credentials, the service's clock, and Signature Version 4 joined.
//
// Each attempt is signed anew, over the body as it is sent. Of the headers those are signed that nobody on the way
// changes: Host, Content-Type, Content-Encoding and all X-Amz-. The service refuses what was signed with a clock that
// is more than five minutes off; its own Date then says by how much, and the clock is corrected here. Whoever sends
// (exporter/otlp_channel.hpp) calls `sign` before every attempt and `answered` after it.
#pragma once

#include <fulgurite/delivery/retry.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/aws/credentials.hpp>
#include <fulgurite/exporter/aws/sigv4.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/transport/endpoint.hpp>
#include <fulgurite/transport/http.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

struct sigv4_signer_options {
  aws_credential_sources sources = {};
  std::string region = {};
  std::string service = "xray";
};

/// A request's headers with its signature, or why there is none.
struct signed_headers {
  /// All that are to be sent, those that were given among them.
  http_headers headers = {};
  /// Empty when the request is signed. Never holds credentials.
  std::string problem = {};
};

/// From any thread. In the child of a fork `for_child()` takes its place.
class sigv4_signer {
 public:
  using time_point = aws_credential_provider::time_point;

  explicit sigv4_signer(sigv4_signer_options options)
      : region_(std::move(options.region)),
        service_(std::move(options.service)),
        provider_(std::move(options.sources)) {}

  /// One with the same sources that holds nothing yet. Takes no lock.
  std::shared_ptr<sigv4_signer> for_child() const {
    return std::make_shared<sigv4_signer>(sigv4_signer_options{provider_.sources(), region_, service_});
  }

  /// Signs a request. `target` is the path with its query and `body` what will be sent, both unchanged afterwards;
  /// `now` is seconds since the Unix epoch by this machine's clock. May ask a credentials endpoint, until the deadline.
  signed_headers sign(std::string_view method, http_endpoint const& to, std::string_view target,
                      http_headers const& headers, std::span<const std::byte> body, std::int64_t now,
                      time_point deadline) {
    if (region_.empty()) return {{}, "AWS's region is not known: set AWS_REGION"};
    now += clock_offset();
    const aws_credential_answer who = provider_.get(now, deadline);
    if (!who.problem.empty()) return {{}, who.problem};

    signed_headers out;
    http_headers to_sign;
    for (auto const& header : headers) {
      if (is_replaced(header.first)) continue;
      out.headers.push_back(header);
      if (is_signed(header.first)) to_sign.push_back(header);
    }
    out.headers.emplace_back("Host", host_header(to));
    to_sign.push_back(out.headers.back());
    http_headers added = sigv4_headers({method, target, to_sign, body}, who.credentials, {region_, service_}, now);
    if (added.empty()) return {{}, "OpenSSL could not compute a signature"};
    for (auto& [name, value] : added) {
      if (!is_valid_header(name, value)) return {{}, "the AWS credentials hold a character that no header may"};
      out.headers.emplace_back(std::move(name), std::move(value));
    }
    return out;
  }

  /// Learns from an answer. `date` is its Date header, `now` as above, at the time the answer came. True when the same
  /// request, signed once more, may be accepted: the clock was corrected, or the credentials will be renewed. It is not
  /// true twice in a row for the same reason.
  bool answered(int status, std::string_view date, std::int64_t now) {
    if (status >= 200 && status < 300) {
      const std::lock_guard lock(mutex_);
      corrected_ = false;
      return false;
    }
    // AWS names both 400 and 403 for a request that is too old.
    if (status != 400 && status != 401 && status != 403) return false;
    if (const std::optional<std::int64_t> theirs = parse_http_date(date); theirs && correct_clock(*theirs - now)) {
      const std::int64_t off = *theirs - now;
      log(log_level::warn,
          "this machine's clock is " + std::to_string(off < 0 ? -off : off) + " s " +
              (off < 0 ? "ahead of" : "behind") + " AWS's, by which requests are signed from now on",
          "aws clock");
      return true;
    }
    return status != 400 && provider_.distrust(now + clock_offset());
  }

  /// What is added to this machine's clock, in seconds.
  std::int64_t clock_offset() const noexcept {
    const std::lock_guard lock(mutex_);
    return offset_;
  }

  /// Makes a `sign` that asks a credentials endpoint give up.
  void interrupt() noexcept { provider_.interrupt(); }

 private:
  static constexpr std::int64_t largest_skew = 300;

  /// False when the offset is right already, or was corrected after the answer before.
  bool correct_clock(std::int64_t offset) noexcept {
    const std::lock_guard lock(mutex_);
    if (corrected_ || (offset - offset_ <= largest_skew && offset_ - offset <= largest_skew)) return false;
    offset_ = offset;
    return corrected_ = true;
  }
  static bool is_replaced(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 5> replaced{"host", "authorization", "x-amz-date", "x-amz-security-token",
                                                       "x-amz-content-sha256"};
    return std::any_of(replaced.begin(), replaced.end(),
                       [&](std::string_view one) { return equal_ignoring_case(one, name); });
  }
  static bool is_signed(std::string_view name) noexcept {
    return equal_ignoring_case(name, "content-type") || equal_ignoring_case(name, "content-encoding") ||
           equal_ignoring_case(name.substr(0, 6), "x-amz-");
  }
  /// As every client sends it: the port only where it is not the scheme's own.
  static std::string host_header(http_endpoint const& to) {
    std::string host = to.bracketed_host();
    std::transform(host.begin(), host.end(), host.begin(), [](char c) { return lower_case(c); });
    if (to.port != (to.tls ? 443 : 80)) host += ":" + std::to_string(to.port);
    return host;
  }

  const std::string region_, service_;
  aws_credential_provider provider_;
  mutable std::mutex mutex_;
  std::int64_t offset_ = 0;
  /// By the last answer.
  bool corrected_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
