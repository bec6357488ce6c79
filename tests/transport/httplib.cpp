#include <fulgurite/transport/httplib.hpp>

#include "../file_watch.hpp"

#include <doctest/doctest.h>

#include <openssl/ssl.h>
#include <cstddef>
#include <functional>
#include <string>

using namespace fulgurite::detail;

namespace {

// How the library looked and looks, in what this header asks of it.
struct old_client {
  void set_url_encode(bool on) { encodes = on; }
  bool encodes = true;
};
struct new_client {
  void set_path_encode(bool on) { encodes = on; }
  void set_header_writer(std::function<ssize_t(httplib::Stream&, httplib::Headers&)> made) { writer = std::move(made); }
  bool encodes = true;
  std::function<ssize_t(httplib::Stream&, httplib::Headers&)> writer;
};
enum class old_error { SSLServerVerification };
enum class new_error { SSLServerVerification, SSLServerHostnameVerification };

}  // namespace

TEST_CASE("the path is kept by either name") {
  old_client before;
  new_client now;
  keep_path(before);
  keep_path(now);
  CHECK_FALSE(before.encodes);
  CHECK_FALSE(now.encodes);
}

TEST_CASE("a certificate for another host") {
  CHECK_FALSE(is_wrong_host(old_error::SSLServerVerification));
  CHECK_FALSE(is_wrong_host(new_error::SSLServerVerification));
  CHECK(is_wrong_host(new_error::SSLServerHostnameVerification));
}

TEST_CASE("the length of a body is known when it is written, not before") {
  httplib::Request request;
  request.content_length_ = 5000;
  old_client before;
  announce_length(before, request);
  CHECK(request.content_length_ == 5000);
  new_client now;
  announce_length(now, request);
  CHECK(request.content_length_ == 0);
  CHECK(request.get_header_value("Content-Length") == "5000");
  CHECK(now.writer);
}

TEST_CASE("the library reads an answer in memory, so that what it makes once is made before the first request") {
  const fulgurite_test::default_certificates certificates;
  const fulgurite_test::file_watch watch(certificates.path());
  CHECK(prepare_httplib());
  CHECK(prepare_httplib());  // again, for the next exporter
  // Certificates cost thirty milliseconds: they are read with the first connection.
  CHECK_FALSE(watch.was_opened());
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_default_verify_paths(context);
  SSL_CTX_free(context);
  CHECK(watch.was_opened());
}
