#include "http.hpp"

#include <fulgurite/transport/http.hpp>
#include <fulgurite/transport/proxy.hpp>

#include <span>
#include <utility>

namespace fulgurite_server {

namespace detail = fulgurite::detail;

detail::http_answer ask_http(destination const& to, const char* method, std::string const& url,
                             detail::http_headers headers, std::string const& body, fulgurite::deadline until) {
  detail::http_endpoint at;
  detail::http_proxy proxy;
  detail::http_answer answer;
  if (answer.error = detail::parse_endpoint(url, at); !answer.error.empty()) return answer;
  if (answer.error = detail::parse_proxy(proxy_to(to, url), proxy); !answer.error.empty()) return answer;
  const bool own_trust = to.word == "otlp" && !to.config.otlp_certificate.empty();
  const std::string path = at.path;
  detail::http_client client(std::move(at), {own_trust ? to.config.otlp_certificate : to.config.ca_file, {}, {}},
                             std::move(proxy));
  return client.send({method, path, headers, std::as_bytes(std::span(body))}, until);
}

bool is_web_page(destination const& to, fulgurite::deadline until) {
  if (to.kind != backend::otlp_http && to.kind != backend::zipkin && to.kind != backend::jaeger_http) return false;
  empty_request nothing = empty_request_to(to);
  const detail::http_answer answer = ask_http(to, "POST", to.url, std::move(nothing.headers), nothing.body, until);
  return answer.status >= 200 && answer.status < 300 && answer.content_type.starts_with("text/html");
}

}  // namespace fulgurite_server
