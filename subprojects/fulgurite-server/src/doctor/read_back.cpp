#include "read_back.hpp"

#include "http.hpp"

#include <fulgurite/config/endpoint.hpp>
#include <fulgurite/exporter/agentops/local_server.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

namespace fulgurite_server {
namespace {

namespace detail = fulgurite::detail;
using fulgurite::deadline;

constexpr const char* local_path = "/api/v1/traces/";
constexpr const char* jaeger_path = "/api/traces/";
constexpr const char* zipkin_path = "/api/v2/trace/";

/// One address that may know the span.
struct question {
  std::string url = {};
  /// Whose interface it is, in words.
  std::string whose = {};
  detail::http_headers headers = {};
};

std::string without_trailing_slashes(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

detail::http_answer get(question const& ask, destination const& to, deadline until) {
  detail::http_headers headers = ask.headers;
  headers.emplace_back("Accept", "application/json");
  return ask_http(to, "GET", ask.url, std::move(headers), {}, until);
}

/// The identifier as any of the interfaces may write it: some leave leading zeros out.
bool holds(std::string_view body, test_span const& span) {
  const std::string hex = span.span.to_hex();
  const std::string_view short_hex = std::string_view(hex).substr(std::min(hex.find_first_not_of('0'), hex.size() - 1));
  return body.find(short_hex) != std::string_view::npos;
}

/// Asks round and round: a backend that has taken a span may need a moment to show it.
read_back_result ask(std::vector<question> const& questions, destination const& to, test_span const& span, bool certain,
                     deadline until) {
  std::string last;
  const auto start = std::chrono::steady_clock::now();
  for (;;) {
    bool answered = false;
    for (question const& each : questions) {
      const detail::http_answer answer = get(each, to, until);
      if (answer.status == 200 && holds(answer.body, span))
        return {read_back_result::found, "read back from " + detail::without_secrets(each.url), {}};
      answered = answered || answer.status != 0;
      last = answer.status == 0 ? answer.error : fmt::format("HTTP {}", answer.status);
      // It may be there and ask for a password: then the guess was good, and there is nothing more to do.
      if (answer.status == 401 || answer.status == 403)
        return {certain ? read_back_result::missing : read_back_result::cannot_tell,
                fmt::format("{} wants credentials (HTTP {})", detail::without_secrets(each.url), answer.status),
                {}};
    }
    const auto now = std::chrono::steady_clock::now();
    const std::string where =
        fmt::format("{} of {}", questions.size() == 1 ? questions.front().whose : "the interface",
                    detail::without_secrets(questions.front().url.substr(0, questions.front().url.find("/api/"))));
    if (!answered && (!certain || now - start > std::chrono::milliseconds(500)))
      return {
          certain ? read_back_result::missing : read_back_result::cannot_tell, where + " cannot be asked: " + last, {}};
    if (now + std::chrono::milliseconds(150) >= until)
      return {certain ? read_back_result::missing : read_back_result::cannot_tell,
              fmt::format("{} does not show the span ({})", where, last),
              {}};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

read_back_result read_file(destination const& to, test_span const& span) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(to.url, error))
    return {read_back_result::cannot_tell, "not read back: " + to.url + " is no regular file", {}};
  std::ifstream in(to.url, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(in.tellg());
  // Others may have written behind it.
  const std::streamoff tail = std::min<std::streamoff>(size, std::streamoff{1} << 20);
  std::string text(static_cast<std::size_t>(std::max<std::streamoff>(tail, 0)), '\0');
  in.seekg(size - tail);
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in && holds(text, span)) return {read_back_result::found, "read back from the end of " + to.url, {}};
  return {read_back_result::missing, "the span is not at the end of " + to.url, {}};
}

std::string host_in_url(detail::endpoint_parts const& parts) {
  return parts.host.find(':') == std::string_view::npos ? std::string(parts.host) : fmt::format("[{}]", parts.host);
}

constexpr const char* say_where = "`--read-back URL` names Jaeger's or Zipkin's interface, if there is one.";

read_back_result of_otlp(destination const& to, detail::endpoint_parts const& parts, test_span const& span,
                         deadline until) {
  const std::string id = span.trace.to_hex();
  if (!is_near(parts.host))
    return {read_back_result::cannot_tell,
            "OTLP has no way to ask for a span: look for trace " + id + " there",
            {say_where}};
  std::vector<question> questions;
  if (to.kind == backend::otlp_http)
    questions.push_back({fmt::format("{}://{}:{}{}{}", parts.scheme, host_in_url(parts), parts.port, local_path, id),
                         "the local server's interface", to.config.otlp_headers});
  questions.push_back({fmt::format("http://{}:16686{}{}", host_in_url(parts), jaeger_path, id), "Jaeger's interface"});
  for (question const& each : questions) {
    // One that answers with anything else is not of this kind, and will not become so.
    const bool jaeger = each.whose.starts_with("Jaeger");
    const detail::http_answer answer =
        get(each, to, std::min(until, std::chrono::steady_clock::now() + std::chrono::milliseconds(1000)));
    if (answer.status == 200 && holds(answer.body, span))
      return {read_back_result::found, "read back from " + each.url, {}};
    if (!jaeger || answer.status == 0) continue;
    read_back_result later = ask({each}, to, span, false, until);
    if (later.what == read_back_result::found) return later;
    return {read_back_result::cannot_tell, later.sentence + ", which may be another's", {say_where}};
  }
  return {read_back_result::cannot_tell,
          "not read back: OTLP has no way to ask, and no Jaeger answers on port 16686",
          {say_where, "Elsewhere look for trace " + id + "."}};
}

read_back_result of_zipkin(destination const& to, test_span const& span, deadline until) {
  constexpr std::string_view spans = "/api/v2/spans";
  if (!to.url.ends_with(spans))
    return {
        read_back_result::cannot_tell, "not read back: the address does not end in " + std::string(spans), {say_where}};
  const std::string base = to.url.substr(0, to.url.size() - spans.size());
  const question services{base + "/api/v2/services", "Zipkin's interface", to.config.zipkin_headers};
  if (const detail::http_answer answer = get(services, to, until); answer.status != 200)
    return {read_back_result::cannot_tell,
            fmt::format("not read back: {} takes Zipkin's spans and shows none ({})", detail::without_secrets(base),
                        answer.status == 0 ? answer.error : fmt::format("HTTP {}", answer.status)),
            {say_where}};
  return ask({{base + zipkin_path + span.trace.to_hex(), "Zipkin's interface", to.config.zipkin_headers}}, to, span,
             true, until);
}

read_back_result of_jaeger(destination const& to, detail::endpoint_parts const& parts, test_span const& span,
                           deadline until) {
  const std::string_view scheme = fulgurite::detail::equal_ignoring_case(parts.scheme, "https") ? "https" : "http";
  read_back_result guess =
      ask({{fmt::format("{}://{}:16686{}{}", scheme, host_in_url(parts), jaeger_path, span.trace.to_hex()),
            "Jaeger's interface"}},
          to, span, false, until);
  if (guess.what == read_back_result::cannot_tell) guess.more.emplace_back(say_where);
  return guess;
}

read_back_result of_local_server(destination const& to, test_span const& span, deadline until) {
  const std::string url = detail::announced_server(to.url);
  if (url.empty()) return {read_back_result::missing, "the local server does not say where it listens", {}};
  return ask({{url + local_path + span.trace.to_hex(), "the local server"}}, to, span, true, until);
}

}  // namespace

bool is_near(std::string_view host) {
  const std::string text(host);
  in6_addr six{};
  in_addr four{};
  if (inet_pton(AF_INET6, text.c_str(), &six) == 1)
    return IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) || (six.s6_addr[0] & 0xfe) == 0xfc;
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) {
    const std::uint32_t address = ntohl(four.s_addr);
    return address >> 24 == 127 || address >> 24 == 10 || address >> 20 == (172U << 4 | 1) ||
           address >> 16 == (192U << 8 | 168) || address >> 16 == (169U << 8 | 254);
  }
  return host.find('.') == std::string_view::npos || host.ends_with(".localhost") || host.ends_with(".local") ||
         host.ends_with(".internal");
}

read_back_result read_back(destination const& to, test_span const& span, std::optional<std::string> const& given,
                           deadline until) {
  const std::string id = span.trace.to_hex();
  switch (to.kind) {
    case backend::console:
      return {read_back_result::found, "it stands above", {}};
    case backend::file:
      return read_file(to, span);
    case backend::agentops_local:
      return of_local_server(to, span, until);
    default:
      break;
  }
  if (given) {
    const std::string base = without_trailing_slashes(*given);
    return ask({{base + jaeger_path + id}, {base + zipkin_path + id}, {base + local_path + id}}, to, span, true, until);
  }
  const auto parts = detail::split_endpoint(to.url);
  if (!parts) return {};
  switch (to.kind) {
    case backend::xray:
      return {read_back_result::cannot_tell,
              "not read back: X-Ray wants a request of another kind",
              {fmt::format("In AWS's console: CloudWatch, X-Ray traces, 1-{}-{}.", id.substr(0, 8), id.substr(8))}};
    case backend::agentops_cloud: {
      std::string app = without_trailing_slashes(to.config.agentops_app_url);
      if (app.empty()) app = "https://app.agentops.ai";
      return {read_back_result::cannot_tell,
              "not read back: AgentOps' cloud shows it to people",
              {fmt::format("It is at {}/sessions?trace_id={}.", app, id)}};
    }
    case backend::zipkin:
      return of_zipkin(to, span, until);
    case backend::jaeger_http:
    case backend::jaeger_udp:
      return of_jaeger(to, *parts, span, until);
    default:
      return of_otlp(to, *parts, span, until);
  }
}

}  // namespace fulgurite_server
