#include "server.hpp"

#include "inflate.hpp"

#include <fulgurite/text/json_text.hpp>
#include <fulgurite/text/printable.hpp>

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace fulgurite_server {
namespace {

using httplib::Request;
using httplib::Response;

constexpr const char* protobuf_type = "application/x-protobuf";
constexpr const char* json_type = "application/json";
// One for each connection, which holds it while it is kept open.
constexpr std::size_t threads = 64;
constexpr int backlog = 128;
constexpr std::uint64_t max_drained_size = std::uint64_t{1} << 30;
// What cpp-httplib must not interpret by itself, see `take_over`.
constexpr const char* own_type = "fulgurite-content-type";
constexpr const char* own_encoding = "fulgurite-content-encoding";
constexpr const char* owner_header = "Fulgurite-Owner";
constexpr auto join_timeout = std::chrono::seconds(2);

/// google.rpc.Code
enum class rpc_code {
  invalid_argument = 3,
  not_found = 5,
  permission_denied = 7,
  resource_exhausted = 8,
  unimplemented = 12,
  internal = 13,
  unavailable = 14
};

struct problem {
  int status;
  rpc_code code;
  std::string sentence;
};

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// `application/json; charset=utf-8` -> `application/json`
std::string media_type(std::string const& header) {
  std::string type = header.substr(0, header.find(';'));
  type.erase(std::find_if_not(type.rbegin(), type.rend(), [](char c) { return c == ' ' || c == '\t'; }).base(),
             type.end());
  return lower(type);
}

void refuse(Response& response, problem const& why, bool as_protobuf) {
  response.status = why.status;
  if (why.status == 503) response.set_header("Retry-After", "1");
  std::string body;
  if (as_protobuf) {
    put_varint(body, 1U << 3);
    put_varint(body, static_cast<std::uint64_t>(why.code));
    put_bytes(body, 2, why.sentence);
    response.set_content(body, protobuf_type);
  } else {
    body = fmt::format(R"({{"code":{},"message":)", static_cast<int>(why.code));
    fulgurite::detail::append_json_string(body, why.sentence);
    response.set_content(body + "}", json_type);
  }
}

/// The answer is sent, then the connection is closed: a part of the request was not read, and cpp-httplib would take it
/// for the next request.
void close_after(Response& response) {
  std::string body = std::move(response.body);
  if (body.empty()) body = "\n";
  const std::string type = response.get_header_value("Content-Type");
  response.body.clear();
  response.headers.erase("Content-Type");
  response.headers.erase("Content-Length");
  response.set_header("Connection", "close");
  const std::size_t size = body.size();
  response.set_content_provider(size, type.empty() ? "text/plain" : type.c_str(),
                                [body = std::move(body)](std::size_t at, std::size_t, httplib::DataSink& sink) {
                                  sink.write(body.data() + at, body.size() - at);
                                  return false;
                                });
}

/// Names of this machine only: a page in a browser can make its own name point here (DNS rebinding), and read traces.
bool is_loopback_name(std::string const& host) {
  std::string name = lower(host);
  if (!name.empty() && name.front() == '[')
    name = name.substr(0, name.find(']') + 1);
  else
    name = name.substr(0, name.find(':'));
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" || name.ends_with(".localhost");
}

problem of_store(store_error const& error) {
  return {error.temporary ? 503 : 500, error.temporary ? rpc_code::unavailable : rpc_code::internal, error.what()};
}

}  // namespace

struct server::routes {
  routes(std::filesystem::path where, join_function may_join)
      : directory(std::move(where)), writer(directory), join(std::move(may_join)) {
    set_up();
  }

  void set_up() {
    http.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    http.set_tcp_nodelay(true);
    http.set_keep_alive_max_count(1'000'000);
    http.set_payload_max_length(max_request_size);
    // Its default is SO_REUSEPORT, with which two servers share a port without noticing.
    http.set_socket_options([this](auto socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listening = socket;
    });
    // Who is told to go on with its body gets an answer, even if the server is just ending.
    http.set_expect_100_continue_handler([this](Request const&, Response&) {
      take_on();
      return 100;
    });
    http.set_pre_routing_handler([this](Request const& request, Response& response) {
      // The request is not const, only our view of it: cpp-httplib has no other place to intervene before it reads.
      return begin(const_cast<Request&>(request), response);
    });
    http.set_logger([this](Request const&, Response const&) { end(); });
    http.set_error_handler([](Request const&, Response& response) {
      // Refused by cpp-httplib itself: a bad request line, a header too long.
      if (!response.body.empty() || response.content_length_ > 0) return;
      refuse(response, {response.status, rpc_code::invalid_argument, "this is not a request that HTTP/1.1 allows"},
             false);
    });
    http.set_exception_handler([](Request const&, Response& response, std::exception_ptr caught) {
      try {
        std::rethrow_exception(caught);
      } catch (store_error const& error) {
        refuse(response, of_store(error), false);
      } catch (std::bad_alloc const&) {
        refuse(response, {503, rpc_code::unavailable, "the server is out of memory"}, false);
      } catch (std::exception const& error) {
        refuse(response, {500, rpc_code::internal, error.what()}, false);
      }
      close_after(response);
    });
    // Also for paths that do not exist: the body must be read, and only up to the limit.
    http.Post("[\\s\\S]*", [this](Request const& request, Response& response, httplib::ContentReader const& reader) {
      post(request, response, reader);
    });
    http.Get("[\\s\\S]*", [this](Request const& request, Response& response) { get(request, response); });
  }

  /// cpp-httplib would unpack without a limit and fail on forms that are not expected; so it does not see these two.
  static void take_over(Request& request, const char* name, const char* own) {
    request.headers.erase(own);
    const std::string value = request.get_header_value(name);
    request.headers.erase(name);
    if (!value.empty()) request.set_header(own, value);
  }

  /// From here on to end() the server does not end.
  void take_on() {
    if (std::exchange(answering, true)) return;
    const std::lock_guard lock(mutex);
    ++active;
  }

  httplib::Server::HandlerResponse begin(Request& request, Response& response) {
    take_on();
    request.ranges.clear();  // nothing here is served in parts
    take_over(request, "Content-Type", own_type);
    take_over(request, "Content-Encoding", own_encoding);
    const bool has_body = request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
    std::optional<problem> why;
    if (!is_loopback_name(request.get_header_value("Host")))
      why = {403, rpc_code::permission_denied, "this server answers only to localhost and 127.0.0.1"};
    else if (request.method != "GET" && request.method != "HEAD" && request.method != "POST")
      why = {405, rpc_code::unimplemented, fmt::format("there is no {} here", request.method)};
    else if (request.method != "POST" && has_body && request.get_header_value("Content-Length") != "0")
      why = {400, rpc_code::invalid_argument, fmt::format("a {} has no body", request.method)};
    if (!why) return httplib::Server::HandlerResponse::Unhandled;
    refuse(response, *why, false);
    if (why->status == 405) response.set_header("Allow", "GET, HEAD, POST");
    close_after(response);
    return httplib::Server::HandlerResponse::Handled;
  }

  /// Requests that cpp-httplib refused by itself were never begun.
  void end() {
    if (!std::exchange(answering, false)) return;
    const std::lock_guard lock(mutex);
    --active;
    idle.notify_all();
  }

  /// The body; a problem if it cannot be had whole. It is read to its end in any case.
  static std::optional<problem> read_body(Request const& request, httplib::ContentReader const& reader,
                                          std::string& body, bool& broken) {
    const std::string length = request.get_header_value("Content-Length");
    if (length.empty() && !request.has_header("Transfer-Encoding")) return {};
    const problem too_large = {413, rpc_code::resource_exhausted,
                               fmt::format("a request has at most {} bytes", max_request_size)};
    if (length.find_first_not_of("0123456789") != std::string::npos) {
      broken = true;
      return problem{400, rpc_code::invalid_argument, "Content-Length is not a number"};
    }
    std::uint64_t announced = 0;
    if (!length.empty() &&
        (std::from_chars(length.data(), length.data() + length.size(), announced).ec != std::errc() ||
         announced > max_request_size)) {
      broken = true;
      // A client that is still sending does not see the answer, so a little too much is read and thrown away.
      if (announced > max_request_size && announced < max_drained_size)
        reader([](const char*, std::size_t) { return true; });
      return too_large;
    }
    bool over = false;
    const bool whole = reader([&](const char* data, std::size_t size) {
      over = over || size > max_request_size - body.size();
      if (!over) body.append(data, size);
      return true;
    });
    if (!whole) {
      broken = true;
      return problem{400, rpc_code::invalid_argument, "the body ends early"};
    }
    if (over) return too_large;
    return {};
  }

  void post(Request const& request, Response& response, httplib::ContentReader const& reader) {
    const bool as_protobuf = media_type(request.get_header_value(own_type)) == protobuf_type;
    std::string body;
    bool broken = false;
    std::optional<problem> why = read_body(request, reader, body, broken);
    try {
      if (!why) why = answer_post(request, response, std::move(body));
    } catch (store_error const& error) {
      why = of_store(error);
      std::fprintf(stderr, "fulgurite: %s\n", error.what());
    } catch (std::bad_alloc const&) {
      why = {503, rpc_code::unavailable, "the server is out of memory"};
    }
    if (why) refuse(response, *why, as_protobuf);
    if (broken) close_after(response);
  }

  std::optional<problem> answer_post(Request const& request, Response& response, std::string body) {
    if (request.path == "/v3/auth/token") {
      const std::string owner = request.get_header_value(owner_header);
      pid_t process = 0;
      const auto [end, error] = std::from_chars(owner.data(), owner.data() + owner.size(), process);
      const bool is_process = error == std::errc() && end == owner.data() + owner.size() && process > 0;
      if (is_process && !join(process))
        return problem{503, rpc_code::unavailable, "this server ends with the program that started it"};
      response.set_content(R"({"token":"dummy","project_id":"dummy"})", json_type);
      return {};
    }
    if (request.path == "/v1/traces" || request.path == "/traces")
      return take_traces(request, response, std::move(body));
    return no_such(request.path);
  }

  std::optional<problem> take_traces(Request const& request, Response& response, std::string body) {
    const std::string type = request.get_header_value(own_type);
    if (media_type(type) != protobuf_type)
      return problem{415, rpc_code::invalid_argument,
                     fmt::format("spans are taken as {}, not as {}", protobuf_type,
                                 type.empty() ? "something unnamed" : fulgurite::printable(type, 80))};
    const std::string encoding = lower(request.get_header_value(own_encoding));
    if (encoding == "gzip") {
      std::string unpacked;
      switch (gunzip(body, max_request_size, unpacked)) {
        case inflate_result::done:
          break;
        case inflate_result::damaged:
          return problem{400, rpc_code::invalid_argument, "the body is not whole gzip data"};
        case inflate_result::too_large:
          return problem{413, rpc_code::resource_exhausted,
                         fmt::format("a request has at most {} bytes, unpacked too", max_request_size)};
      }
      body = std::move(unpacked);
    } else if (!encoding.empty() && encoding != "identity") {
      return problem{415, rpc_code::invalid_argument,
                     fmt::format("a body is taken plain or as gzip, not as {}", fulgurite::printable(encoding, 80))};
    }
    store_writer::added added;
    try {
      added = writer.add(read_request(body));
    } catch (malformed const& error) {
      return problem{400, rpc_code::invalid_argument,
                     fmt::format("not an ExportTraceServiceRequest: {}", error.what())};
    }
    std::string answer;
    if (added.conflicting > 0) {
      std::string partial;
      put_varint(partial, 1U << 3);
      put_varint(partial, added.conflicting);
      put_bytes(partial, 2, "other spans with the same trace and span id are stored already");
      put_bytes(answer, 1, partial);
    }
    response.set_content(answer, protobuf_type);
    return {};
  }

  void get(Request const& request, Response& response) {
    if (const std::optional<problem> why = answer_get(request, response)) refuse(response, *why, false);
  }

  std::optional<problem> answer_get(Request const& request, Response& response) {
    constexpr std::string_view traces = "/api/v1/traces";
    if (request.path == "/health") {
      response.set_content(R"({"status":"ok"})", json_type);
      return {};
    }
    if (request.path == traces) return list(request, response);
    if (request.path.starts_with(traces) && request.path[traces.size()] == '/')
      return show(request, response, request.path.substr(traces.size() + 1));
    if (request.path == "/v1/traces" || request.path == "/traces" || request.path == "/v3/auth/token") {
      response.set_header("Allow", "POST");
      return problem{405, rpc_code::unimplemented, fmt::format("{} takes POST", request.path)};
    }
    return no_such(request.path);
  }

  std::optional<problem> list(Request const& request, Response& response) {
    std::size_t limit = 100;
    if (request.has_param("limit")) {
      const std::string text = request.get_param_value("limit");
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
      if (error != std::errc() || end != text.data() + text.size())
        return problem{400, rpc_code::invalid_argument, "limit is a number of traces, 0 for all"};
    }
    std::string body = R"({"traces":[)";
    const char* separator = "";
    for (trace_summary const& trace : store_reader(directory).newest(limit)) {
      body += std::exchange(separator, ",");
      body += to_json(trace);
    }
    response.set_content(body + "]}", json_type);
    return {};
  }

  std::optional<problem> show(Request const& request, Response& response, std::string const& wanted) {
    const store_reader reader(directory);
    const found_trace found = find_trace(reader, wanted);
    if (found.why == found_trace::missing) return problem{404, rpc_code::not_found, found.sentence};
    if (!found.id) return problem{400, rpc_code::invalid_argument, found.sentence};
    std::string data = to_protobuf(reader.trace(*found.id));
    if (media_type(request.get_header_value("Accept")) == protobuf_type)
      response.set_content(data, protobuf_type);
    else
      response.set_content(to_json(data), json_type);
    return {};
  }

  static problem no_such(std::string const& path) {
    return {404, rpc_code::not_found, fmt::format("there is nothing at {}", fulgurite::printable(path, 200))};
  }

  std::filesystem::path directory;
  store_writer writer;
  join_function join;
  httplib::Server http;
  int listening = -1;

  std::mutex mutex;
  std::condition_variable idle;
  std::size_t active = 0;
  static thread_local bool answering;
};

thread_local bool server::routes::answering = false;

bool join_server(std::string const& url, pid_t owner) {
  httplib::Client client(url);
  client.set_connection_timeout(join_timeout);
  client.set_read_timeout(join_timeout);
  const httplib::Result answer =
      client.Post("/v3/auth/token", httplib::Headers{{owner_header, std::to_string(owner)}}, "{}", json_type);
  return answer && answer->status == 200;
}

server::server(std::filesystem::path const& directory, join_function join)
    : routes_(std::make_unique<routes>(directory, std::move(join))) {}
server::~server() = default;

int server::bind(int port) {
  const int bound = port == 0 ? routes_->http.bind_to_any_port("127.0.0.1")
                              : (routes_->http.bind_to_port("127.0.0.1", port) ? port : -1);
  if (bound <= 0)
    throw std::runtime_error(port == 0 ? std::string("no port of 127.0.0.1 could be had")
                                       : fmt::format("port {} of 127.0.0.1 is taken or not allowed; --port 0 takes any "
                                                     "free one",
                                                     port));
  ::listen(routes_->listening, backlog);  // cpp-httplib asks for five
  return bound;
}

void server::run() { routes_->http.listen_after_bind(); }

bool server::stop(std::chrono::milliseconds grace) {
  routes_->http.stop();
  std::unique_lock lock(routes_->mutex);
  return routes_->idle.wait_for(lock, grace, [this] { return routes_->active == 0; });
}

std::string to_json(trace_summary const& trace) {
  std::string out = fmt::format(R"({{"traceId":"{}","name":)", trace.trace_id.to_hex());
  fulgurite::detail::append_json_string(out, trace.name);
  out += R"(,"serviceName":)";
  fulgurite::detail::append_json_string(out, trace.service);
  return out + fmt::format(R"(,"startTimeUnixNano":"{}","endTimeUnixNano":"{}","spanCount":{},"errorCount":{}}})",
                           trace.start_time, trace.end_time, trace.spans, trace.errors);
}

}  // namespace fulgurite_server
