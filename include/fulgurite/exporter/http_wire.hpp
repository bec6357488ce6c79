// One request over HTTP, and what its answer means: the wire of every exporter that speaks HTTP (exporter/batch_channel
// .hpp).
//
// What the protocols have in common is here: which statuses are worth another attempt (OTLP's list, which is right for
// Zipkin and Jaeger too), `Retry-After`, the words of an error. What differs is the *dialect*, a class of static
// members:
//
//   static constexpr std::string_view content_type
//   static constexpr std::string_view probe          a body that asks for nothing, for check_health
//   static void read(http_answer const&, attempt&)   of a request that was taken: what was rejected after all
#pragma once

#include <fulgurite/delivery/retry.hpp>
#include <fulgurite/exporter/batch_channel.hpp>
#include <fulgurite/exporter/http_options.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/text/ascii.hpp>
#include <fulgurite/transport/http.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Signs requests, or whatever else must be done to each attempt at one. From any thread.
class request_signer {
 public:
  virtual ~request_signer() = default;
  /// Called for every attempt with the body as it goes over the wire: changes the headers. Says what is wrong, and then
  /// nothing is sent; else an empty text.
  virtual std::string prepare(http_endpoint const& to, http_headers& headers, std::span<const std::byte> body,
                              std::chrono::steady_clock::time_point deadline) = 0;
  /// Called with every answer. Of one that is no success: true when the next attempt, at once, will do better.
  virtual bool learn(http_answer const& answer) = 0;
  /// Makes a `prepare` that waits for something give up.
  virtual void interrupt() noexcept {}
  /// One for the child of a fork, in which another thread may have been at work here. Takes no lock.
  virtual std::shared_ptr<request_signer> for_child() const = 0;
};

struct http_wire_options {
  http_endpoint endpoint = {};
  http_headers headers = {};
  tls_options tls = {};
  http_proxy proxy = {};
  std::shared_ptr<request_signer> signer = nullptr;
};

/// Spans by OTLP in protobuf (opentelemetry-proto, docs/specification.md, OTLP/HTTP).
struct otlp_protobuf_dialect {
  static constexpr std::string_view content_type = "application/x-protobuf";
  static constexpr std::string_view probe = {};  // an empty ExportTraceServiceRequest

  static void read(http_answer const& answer, attempt& to) {
    if (answer.content_type.find("json") != std::string::npos) return;
    otlp_response response = parse_otlp_response(answer.body);
    to.rejected = response.rejected;
    to.message = std::move(response.message);
  }
};

template <class Dialect>
class http_wire {
 public:
  using options = http_wire_options;
  using time_point = std::chrono::steady_clock::time_point;

  explicit http_wire(options to) : options_(std::move(to)), client_(options_.endpoint, options_.tls, options_.proxy) {
    is_exit_safe_ = prepare_httplib();
    headers_ = options_.headers;
    const auto add = [this](const char* name, std::string value) {
      const auto same = [name](auto const& header) { return equal_ignoring_case(header.first, name); };
      if (std::none_of(headers_.begin(), headers_.end(), same)) headers_.emplace_back(name, std::move(value));
    };
    add("User-Agent", user_agent());
    add("Content-Type", std::string(Dialect::content_type));
  }

  options settings_for_child() const {
    options to = options_;
    if (to.signer) to.signer = to.signer->for_child();
    return to;
  }
  std::string address() const { return options_.endpoint.to_text(); }
  std::string_view content_type() const noexcept { return Dialect::content_type; }

  attempt post(spooled_request const& request, time_point deadline) {
    http_headers const* headers = &headers_;
    http_headers changed;
    if (!request.content_encoding.empty() || request.content_type != Dialect::content_type || options_.signer) {
      changed = headers_;
      for (auto& [name, value] : changed)
        if (request.content_type != Dialect::content_type && equal_ignoring_case(name, "Content-Type"))
          value = request.content_type;
      if (!request.content_encoding.empty()) changed.emplace_back("Content-Encoding", request.content_encoding);
      if (options_.signer)
        if (std::string problem = options_.signer->prepare(options_.endpoint, changed, request.body, deadline);
            !problem.empty())
          return {.reason = address() + ": " + problem, .kind = failure_kind::access, .later = true};
      headers = &changed;
    }
    const http_answer answer = client_.send({"POST", options_.endpoint.path, *headers, request.body}, deadline);
    attempt made = judge(answer);
    const bool better = options_.signer && options_.signer->learn(answer);
    if (made.result == attempt::outcome::delivered) {
      Dialect::read(answer, made);
      // A sign-in page, or a reverse proxy's own.
      if (equal_ignoring_case(std::string_view(answer.content_type).substr(0, 9), "text/html"))
        made.doubt = address() + " answered with a web page: is this where spans are taken?";
      made.message = without_header_values(std::move(made.message), options_.headers);
    } else if (better) {
      made.result = attempt::outcome::retry;
      made.at_once = true;
    }
    return made;
  }

  health_report check(time_point deadline) const {
    health_report report{.reachable = false, .endpoint = address(), .reason = {}, .latency = {}};
    http_client client(options_.endpoint, options_.tls, options_.proxy);
    http_headers headers = headers_;
    const auto body = std::as_bytes(std::span(Dialect::probe));
    if (options_.signer)
      if (report.reason = options_.signer->prepare(options_.endpoint, headers, body, deadline); !report.reason.empty())
        return report;
    const time_point start = std::chrono::steady_clock::now();
    const http_answer answer = client.send({"POST", options_.endpoint.path, headers, body}, deadline);
    report.latency = std::chrono::steady_clock::now() - start;
    report.reachable = answer.status >= 200 && answer.status < 300;
    report.reason = answer.status == 0 ? answer.error : words(answer);
    return report;
  }

  /// Its libraries have made what they make once.
  bool is_exit_safe() const noexcept { return is_exit_safe_; }
  void close() noexcept { client_.close(); }
  void interrupt() noexcept {
    client_.interrupt();
    if (options_.signer) options_.signer->interrupt();
  }

 private:
  /// The status, what it usually means here, and what the backend says itself.
  std::string words(http_answer const& answer) const {
    std::string text = "HTTP " + std::to_string(answer.status);
    if (answer.status >= 200 && answer.status < 300) return text;
    if (const char* const hint = meaning(answer.status)) text.append(" (").append(hint).append(")");
    const std::string said =
        without_header_values(parse_error_body(answer.body, answer.content_type), options_.headers);
    return said.empty() ? text : text + ": " + said;
  }
  static const char* meaning(int status) noexcept {
    if (status >= 300 && status < 400) return "a redirect, which is not followed: give the address that it leads to";
    switch (status) {
      case 401:
        return "the credentials are missing or wrong";
      case 403:
        return "the credentials do not allow it";
      case 404:
      case 405:
        return "nothing takes spans at this path";
      case 407:
        return "the proxy wants credentials";
      case 415:
        return "another format is expected at this address";
      default:
        return nullptr;
    }
  }

  attempt judge(http_answer const& answer) const {
    using outcome = attempt::outcome;
    using failure = http_answer::failure;
    if (answer.status >= 200 && answer.status < 300) return {outcome::delivered};
    if (answer.status != 0) {
      std::string reason = address() + " answered " + words(answer);
      const failure_kind kind = kind_of(answer.status);
      if (is_retryable_status(answer.status))
        return {.result = outcome::retry,
                .reason = std::move(reason),
                .kind = kind,
                .retry_after = parse_retry_after(answer.retry_after, std::time(nullptr)),
                .later = true};
      // What speaks of the key, the address or a proxy, and not of the batch, may come through when that is put right:
      // a wrong key must not empty a spool.
      const bool later =
          kind == failure_kind::access || kind == failure_kind::address || kind == failure_kind::timed_out;
      return {.result = outcome::refused, .reason = std::move(reason), .kind = kind, .later = later};
    }
    std::string reason = address() + ": " + answer.error;
    const failure_kind kind = kind_of(answer.why);
    if (answer.why == failure::refused || answer.why == failure::disconnected)
      return {.result = outcome::retry,
              .reason = std::move(reason),
              .kind = kind,
              .at_once = answer.reused && answer.why == failure::disconnected,
              .later = true};
    return {.result = outcome::refused,
            .reason = std::move(reason),
            .kind = kind,
            .later = answer.why != failure::too_large};
  }

  static constexpr failure_kind kind_of(int status) noexcept {
    if (is_retryable_status(status)) return failure_kind::unavailable;
    if (status == 401 || status == 403) return failure_kind::access;
    if (status == 408) return failure_kind::timed_out;
    if (status == 413) return failure_kind::too_large;
    if (status < 400 || status == 404 || status == 405 || status == 407 || status == 415) return failure_kind::address;
    return failure_kind::refused;
  }
  static constexpr failure_kind kind_of(http_answer::failure why) noexcept {
    using failure = http_answer::failure;
    switch (why) {
      case failure::none:
        break;
      case failure::refused:
        return failure_kind::unreachable;
      case failure::timed_out:
        return failure_kind::timed_out;
      case failure::interrupted:
        return failure_kind::given_up;
      case failure::disconnected:
        return failure_kind::disconnected;
      case failure::tls:
        return failure_kind::tls;
      case failure::too_large:
        return failure_kind::too_large;
    }
    return failure_kind::other;
  }

  options options_;
  http_headers headers_;
  http_client client_;
  bool is_exit_safe_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
