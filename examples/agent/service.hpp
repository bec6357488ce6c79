// A service of its own on loopback that gives out whole documents, and the client that asks it.
//
// The client writes its context into the request's headers (inject), the service takes it from there (extract): its
// spans, made on another thread as they would be on another machine, join the trace of the question.
#pragma once

#include "library.hpp"
#include "tracing.hpp"

#include <httplib.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace agent {

class document_service {
 public:
  explicit document_service(library& books) : books_(books) {
    server_.Get(R"(/documents/([^/]+))",
                [this](httplib::Request const& request, httplib::Response& response) { answer(request, response); });
    port_ = server_.bind_to_any_port("127.0.0.1");
    if (port_ < 0) throw std::runtime_error("no free port");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~document_service() {
    server_.stop();
    thread_.join();
  }
  int port() const { return port_; }

 private:
  void answer(httplib::Request const& request, httplib::Response& response) {
    auto span = tracer.trace_context("GET /documents/{title}",
                                     {.kind = fg::span_kind::server, .parent = tracer.extract(request.headers)});
    span.set_attribute("http.request.method", "GET");
    span.set_attribute("http.route", "/documents/{title}");
    span.set_attribute("url.path", request.path);
    span.set_attribute("url.scheme", "http");
    span.set_attribute("client.address", request.remote_addr);
    if (const auto found = books_.document(request.matches[1]); !found.empty())
      response.set_content(found[0].text, "text/plain");
    else
      response.status = 404;
    if (response.status == -1) response.status = 200;
    span.set_attribute("http.response.status_code", response.status);
  }

  library& books_;
  httplib::Server server_;
  int port_ = -1;
  std::thread thread_;
};

/// Asks the service for a document. Throws when it gives none.
inline std::string fetch(int port, std::string const& title) {
  auto span = tracer.trace_context("GET", {.kind = fg::span_kind::client});
  const std::string path = "/documents/" + title;
  span.set_attribute("http.request.method", "GET");
  span.set_attribute("url.full", [&] { return "http://127.0.0.1:" + std::to_string(port) + path; });
  span.set_attribute("server.address", "127.0.0.1");
  span.set_attribute("server.port", port);
  httplib::Headers headers{{"Accept", "text/plain"}};
  tracer.inject(headers);
  const httplib::Result result = httplib::Client("127.0.0.1", port).Get(path, headers);
  if (!result) {
    const std::string reason = httplib::to_string(result.error());
    span.set_attribute("error.type", reason);
    throw std::runtime_error("the service does not answer: " + reason);
  }
  span.set_attribute("http.response.status_code", result->status);
  if (result->status != 200) {
    const std::string status = std::to_string(result->status);
    span.set_attribute("error.type", status);
    throw std::runtime_error("the service answered " + status + " for " + path);
  }
  return result->body;
}

}  // namespace agent
