#include "commands.hpp"

#include "server.hpp"
#include "store.hpp"

#include <fulgurite/encoder/text_tree.hpp>
#include <fulgurite/encoder/text_value.hpp>
#include <fulgurite/platform/terminal.hpp>
#include <fulgurite/text/printable.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <fmt/format.h>
#include <httplib.h>
#include <netdb.h>
#include <poll.h>
#include <simdjson.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

namespace fulgurite_server {
namespace {

constexpr int connect_timeout_s = 5, read_timeout_s = 30;

/// The sentence of an error answer.
std::string message_of(std::string const& body) {
  simdjson::dom::parser parser;
  const simdjson::padded_string json(body);
  std::string_view message;
  if (parser.parse(json)["message"].get_string().get(message) != simdjson::SUCCESS) return {};
  return fulgurite::printable(message, 400);
}

/// Why no connection could be made: asked again, the system says what the library has one word for.
std::string connect_error(std::string const& host, int port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found))
    return fmt::format("the host's name could not be resolved: {}", gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    const int probe = ::socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0) continue;
    error = ::connect(probe, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd wait{probe, POLLOUT, 0};
      socklen_t size = sizeof error;
      if (::poll(&wait, 1, 100) == 1) ::getsockopt(probe, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    ::close(probe);
  }
  if (error == ECONNREFUSED) return "connection refused: nothing listens there";
  if (error == 0 || error == EINPROGRESS) return "no connection could be made";
  return fmt::format("no connection could be made: {}", std::strerror(error));
}

/// Why there was no answer, in words. `took` is how long it was waited for.
std::string reason_of(httplib::Error error, std::string const& url, std::chrono::steady_clock::duration took) {
  fulgurite::detail::http_endpoint at;
  switch (error) {
    case httplib::Error::Connection:
      if (!fulgurite::detail::parse_endpoint(url, at).empty()) return "no connection could be made";
      return connect_error(at.host, at.port);
    case httplib::Error::ConnectionTimeout:
      return fmt::format("no connection within {} s", connect_timeout_s);
    case httplib::Error::Read:
      if (took >= std::chrono::seconds(read_timeout_s)) return fmt::format("no answer within {} s", read_timeout_s);
      return "the connection was closed before a whole answer came";
    case httplib::Error::Write:
      return "the connection was closed while the request was sent";
    case httplib::Error::SSLConnection:
      return "the TLS handshake failed";
    case httplib::Error::SSLLoadingCerts:
      return "the trusted certificates could not be read";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate was not accepted";
    case httplib::Error::Compression:
      return "the answer could not be decompressed";
    default:
      return httplib::to_string(error);
  }
}

/// Nothing when the server says 404; `why` then holds its sentence.
std::optional<std::string> get(std::string const& url, std::string const& path, const char* accept, std::string& why) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos)
    throw usage_error(fmt::format("\"{}\" is no URL; http://127.0.0.1:PORT is one", url));
  fulgurite::detail::http_endpoint parsed;
  if (const std::string problem = fulgurite::detail::parse_endpoint(url, parsed); !problem.empty())
    throw usage_error(fmt::format("\"{}\" is no URL that can be called: {}", fulgurite::printable(url), problem));
  const std::size_t slash = url.find('/', scheme + 3);
  std::string prefix = slash == std::string::npos ? std::string() : url.substr(slash);
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  httplib::Client client(url.substr(0, slash));
  if (!client.is_valid()) throw usage_error(fmt::format("\"{}\" is no URL that can be called", url));
  client.set_connection_timeout(connect_timeout_s);
  client.set_read_timeout(read_timeout_s);
  const auto start = std::chrono::steady_clock::now();
  const httplib::Result result = client.Get((prefix + path).c_str(), httplib::Headers{{"Accept", accept}});
  if (!result)
    throw std::runtime_error(fmt::format("{} does not answer: {}", url,
                                         reason_of(result.error(), url, std::chrono::steady_clock::now() - start)));
  if (result->status == 200) return result->body;
  const std::string sentence = message_of(result->body);
  why = sentence.empty() ? fmt::format("{} answered with status {}", url, result->status) : sentence;
  if (result->status == 404) return {};
  throw std::runtime_error(why);
}

std::vector<trace_summary> read_list(std::string const& body) {
  const auto number = [](simdjson::dom::element from) {
    std::string_view text;
    std::int64_t value = 0;
    if (from.get_string().get(text) == simdjson::SUCCESS)
      std::from_chars(text.data(), text.data() + text.size(), value);
    else if (from.get_int64().get(value) != simdjson::SUCCESS)
      value = 0;
    return value;
  };
  simdjson::dom::parser parser;
  const simdjson::padded_string json(body);
  std::vector<trace_summary> result;
  simdjson::dom::array traces;
  if (parser.parse(json)["traces"].get_array().get(traces) != simdjson::SUCCESS)
    throw std::runtime_error("the server's answer is not a list of traces");
  for (const simdjson::dom::element one : traces) {
    trace_summary& trace = result.emplace_back();
    std::string_view text;
    simdjson::dom::element value;
    if (one["traceId"].get_string().get(text) == simdjson::SUCCESS)
      trace.trace_id = fulgurite::trace_id::from_hex(text);
    if (one["name"].get_string().get(text) == simdjson::SUCCESS) trace.name = text;
    if (one["serviceName"].get_string().get(text) == simdjson::SUCCESS) trace.service = text;
    if (one["startTimeUnixNano"].get(value) == simdjson::SUCCESS) trace.start_time = number(value);
    if (one["endTimeUnixNano"].get(value) == simdjson::SUCCESS) trace.end_time = number(value);
    if (one["spanCount"].get(value) == simdjson::SUCCESS) trace.spans = number(value);
    if (one["errorCount"].get(value) == simdjson::SUCCESS) trace.errors = number(value);
  }
  return result;
}

void print_table(std::vector<trace_summary> const& traces) {
  const bool coloured = fulgurite::detail::shows_colours(stdout);
  const auto paint = [coloured](const char* code, std::string text) {
    return coloured ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
  };
  const auto pad = [](std::string text, std::size_t columns) {
    const std::size_t has = fulgurite::display_width(text);
    return has < columns ? text + std::string(columns - has, ' ') : text;
  };
  for (trace_summary const& trace : traces) {
    std::string line = fmt::format("{}  {}  {}  {:>6}  ", paint("1", trace.trace_id.to_hex()),
                                   fulgurite::format_time(trace.start_time),
                                   pad(fulgurite::format_duration(trace.end_time - trace.start_time), 8), trace.spans);
    line += pad(trace.errors > 0 ? paint("31", fmt::format("{} failed", trace.errors)) : std::string(), 9);
    line += "  " + pad(fulgurite::printable(trace.service, 24), 16) + "  " + fulgurite::printable(trace.name, 80);
    put(line + "\n");
  }
}

[[noreturn]] void output_failed() {
  throw output_error(errno, std::generic_category(), "the output cannot be written");
}

}  // namespace

void put(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_failed();
}

void finish_output() {
  if (std::fflush(stdout) != 0) output_failed();
}

int list_traces(trace_place const& from, std::size_t limit, bool json) {
  // One more than is shown tells whether there are others.
  const std::size_t asked = limit == 0 ? 0 : limit + 1;
  std::vector<trace_summary> traces;
  if (from.url) {
    std::string why;
    const auto body = get(*from.url, fmt::format("/api/v1/traces?limit={}", asked), "application/json", why);
    if (!body) throw std::runtime_error(why);
    traces = read_list(*body);
  } else {
    traces = store_reader(from.data).newest(asked);
  }
  const bool more = limit != 0 && traces.size() > limit;
  if (more) traces.resize(limit);
  if (json)
    for (trace_summary const& trace : traces) put(to_json(trace) + "\n");
  else
    print_table(traces);
  if (traces.empty()) std::fputs("fulgurite: there is no trace yet\n", stderr);
  if (more) std::fprintf(stderr, "fulgurite: there are older traces; --limit 0 shows all\n");
  return 0;
}

int show_trace(trace_place const& from, std::string const& wanted, bool json) {
  std::string data, why;
  if (from.url) {
    for (const char c : wanted)
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
        throw usage_error(fmt::format("\"{}\" is no trace id", fulgurite::printable(wanted, 80)));
    auto body = get(*from.url, "/api/v1/traces/" + wanted, "application/x-protobuf", why);
    if (!body) throw std::runtime_error(why);
    data = std::move(*body);
  } else {
    const store_reader reader(from.data);
    const found_trace found = find_trace(reader, wanted);
    if (found.why == found_trace::not_an_id) throw usage_error(found.sentence);
    if (!found.id) throw std::runtime_error(found.sentence);
    data = to_protobuf(reader.trace(*found.id));
  }
  if (json) {
    put(to_json(data) + "\n");
  } else {
    put(fulgurite::to_text_tree(decode_spans(data), {.colours = fulgurite::detail::shows_colours(stdout),
                                                     .width = fulgurite::detail::columns_of(stdout)}));
  }
  return 0;
}

}  // namespace fulgurite_server
