// What goes wrong in plain HTTP is tested through the exporter (tests/exporter/otlp_http.cpp); here is TLS.
#include <fulgurite/transport/http.hpp>

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

using namespace fulgurite::detail;
using namespace std::chrono_literals;

namespace {

/// A self-signed certificate for one name, and its files.
struct certificate {
  explicit certificate(const char* names) {
    key = EVP_RSA_gen(2048);
    made = X509_new();
    X509_set_version(made, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    X509_gmtime_adj(X509_getm_notBefore(made), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_set_pubkey(made, key);
    X509_NAME* const name = X509_get_subject_name(made);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(names), -1, -1, 0);
    X509_set_issuer_name(made, name);
    for (auto const& [id, value] :
         {std::pair{NID_subject_alt_name, names}, std::pair{NID_basic_constraints, "CA:TRUE"}}) {
      X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value);
      X509_add_ext(made, extension, -1);
      X509_EXTENSION_free(extension);
    }
    X509_sign(made, key, EVP_sha256());
    file = std::filesystem::temp_directory_path() / "fulgurite-test-XXXXXX";
    std::FILE* const out = fdopen(mkstemp(file.data()), "w");
    PEM_write_X509(out, made);
    PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
  }
  ~certificate() {
    ::unlink(file.c_str());
    X509_free(made);
    EVP_PKEY_free(key);
  }
  certificate(certificate const&) = delete;
  certificate& operator=(certificate const&) = delete;

  X509* made;
  EVP_PKEY* key;
  std::string file;
};

/// An HTTPS server that says who the client is.
class tls_server {
 public:
  explicit tls_server(certificate const& own, certificate const* clients = nullptr)
      : server_(own.file.c_str(), own.file.c_str(), clients ? clients->file.c_str() : nullptr) {
    server_.Post("/", [](httplib::Request const& request, httplib::Response& answer) {
      answer.set_content("got " + std::to_string(request.body.size()), "text/plain");
    });
    for (port_ = 21000 + getpid() % 9000; !server_.bind_to_port("127.0.0.1", port_); ++port_) {
    }
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::sleep_for(1ms);
  }
  ~tls_server() {
    server_.stop();
    thread_.join();
  }
  http_endpoint endpoint(const char* host) const { return {true, host, static_cast<std::uint16_t>(port_), "/"}; }

 private:
  httplib::SSLServer server_;
  int port_ = 0;
  std::thread thread_;
};

http_answer ask(http_endpoint const& to, tls_options const& tls) {
  http_client client(to, tls);
  const http_headers headers{{"Content-Type", "application/x-protobuf"}};
  const std::byte body[3]{};
  return client.send({"POST", to.path, headers, body}, std::chrono::steady_clock::now() + 10s);
}

}  // namespace

TEST_CASE("TLS: a certificate must be trusted and be for this host") {
  const certificate own("DNS:localhost,IP:127.0.0.1");
  const certificate other("DNS:elsewhere.example.org");
  {
    const tls_server server(own);
    CHECK(ask(server.endpoint("localhost"), {.ca_file = own.file}).body == "got 3");
    CHECK(ask(server.endpoint("127.0.0.1"), {.ca_file = own.file}).status == 200);
    for (tls_options const& tls : {tls_options{}, tls_options{.ca_file = other.file}}) {
      const http_answer answer = ask(server.endpoint("localhost"), tls);
      CHECK(answer.status == 0);
      CHECK(answer.why == http_answer::failure::tls);
      CHECK(answer.error.find("certificate was not accepted") != std::string::npos);
    }
    const http_answer missing = ask(server.endpoint("localhost"), {.ca_file = "/nowhere/ca.pem"});
    CHECK(missing.why == http_answer::failure::tls);
    CHECK(missing.error.find("could not be read from /nowhere/ca.pem") != std::string::npos);
  }
  const tls_server server(other);
  CHECK(ask(server.endpoint("localhost"), {.ca_file = other.file}).why == http_answer::failure::tls);
}

TEST_CASE("TLS: a client certificate is sent, and a wrong file is said") {
  const certificate own("DNS:localhost,IP:127.0.0.1");
  const certificate client("DNS:client");
  const tls_server server(own, &client);
  CHECK(ask(server.endpoint("localhost"), {own.file, client.file, client.file}).status == 200);
  CHECK(ask(server.endpoint("localhost"), {own.file}).status == 0);
  const http_answer missing = ask(server.endpoint("localhost"), {own.file, "/nowhere/a.pem", "/nowhere/b.pem"});
  CHECK(missing.why == http_answer::failure::tls);
  CHECK(missing.error.find("client certificate") != std::string::npos);
}

TEST_CASE("plain HTTP to a TLS port, and TLS to a silent one, fail in time") {
  const certificate own("DNS:localhost,IP:127.0.0.1");
  const tls_server server(own);
  http_endpoint plain = server.endpoint("127.0.0.1");
  plain.tls = false;
  CHECK(ask(plain, {}).status == 0);
}

// Debian's cpp-httplib is compiled without MSG_NOSIGNAL.
TEST_CASE("SIGPIPE stays away from this thread, and nothing else changes") {
  struct sigaction original{};
  struct sigaction deadly{};
  deadly.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &deadly, &original);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  ::close(ends[0]);
  sigset_t blocked, pending;
  {
    const sigpipe_blocked quiet;
    CHECK(::write(ends[1], "x", 1) == -1);
    CHECK(errno == EPIPE);
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    CHECK(sigismember(&blocked, SIGPIPE) == 1);
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  CHECK(sigismember(&blocked, SIGPIPE) == 0);
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
  ::close(ends[1]);
  struct sigaction after{};
  sigaction(SIGPIPE, &original, &after);
  CHECK((after.sa_handler == SIG_DFL));
}
