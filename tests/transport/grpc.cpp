// HTTP/2 itself is tested against other people's servers (tests/integration/grpc_reference.py, grpc_faults.py); here is
// what needs none.
#include <fulgurite/transport/grpc.hpp>

#include "../file_watch.hpp"
#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::connection;
using fulgurite_test::refusing_port;
using fulgurite_test::scripted_server;

namespace {
const grpc_metadata none;

grpc_answer call(grpc_client& client, std::chrono::milliseconds limit) {
  return client.send({"/a.B/C", none, {}, false}, std::chrono::steady_clock::now() + limit);
}
http_endpoint to(std::uint16_t port) { return {false, "127.0.0.1", port, "/"}; }
http_endpoint to(scripted_server const& server) {
  http_endpoint endpoint;
  REQUIRE(parse_endpoint(server.url(), endpoint).empty());
  return endpoint;
}
}  // namespace

TEST_CASE("what the library makes once is made with the client, and no certificate is read") {
  const char* const certificates = curl_version_info(CURLVERSION_NOW)->cainfo;
  REQUIRE(certificates);
  const fulgurite_test::file_watch watch(certificates);
  scripted_server server({[](connection&) {}});  // takes the connection and closes it
  http_endpoint endpoint = to(server);
  endpoint.tls = true;
  grpc_client client(endpoint);
  CHECK(curl_is_ready());
  CHECK_FALSE(watch.was_opened());
  CHECK(call(client, 10s).code != grpc_code::ok);
  CHECK(watch.was_opened());  // with the first connection
}

TEST_CASE("nobody listens") {
  const refusing_port port;
  grpc_client client(to(port.port()));
  for (int i = 0; i < 2; ++i) {
    const grpc_answer answer = call(client, 10s);
    CHECK(answer.code == grpc_code::unavailable);
    CHECK(answer.why == grpc_answer::failure::refused);
    CHECK(answer.error == "connection refused: nothing listens there");
  }
}

TEST_CASE("a name that nobody has") {
  grpc_client client({false, "nowhere.invalid", 4317, "/"});
  const grpc_answer answer = call(client, 10s);
  CHECK(answer.why == grpc_answer::failure::refused);
  CHECK(answer.error.find("the host's name could not be resolved") == 0);
}

TEST_CASE("HTTP/1.1 is said to be no gRPC") {
  scripted_server server({[](connection& c) {
    c.read_some();
    c.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    c.wait_for_end();
  }});
  grpc_client client(to(server));
  const grpc_answer answer = call(client, 10s);
  CHECK(answer.code == grpc_code::unavailable);
  CHECK(answer.error.find("perhaps gRPC is not spoken at this port") != std::string::npos);
}

TEST_CASE("silence ends with the deadline or with an interruption") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }, [](connection& c) { c.wait_for_end(); }});
  grpc_client client(to(server));
  CHECK(call(client, 50ms).why == grpc_answer::failure::timed_out);
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    client.interrupt();
  });
  const grpc_answer answer = call(client, 1h);
  other.join();
  CHECK(answer.why == grpc_answer::failure::interrupted);
  CHECK(answer.code == grpc_code::cancelled);
}

TEST_CASE("files that are not there") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }});
  http_endpoint endpoint = to(server);
  endpoint.tls = true;
  grpc_client client(endpoint, {.ca_file = "/nowhere/ca.pem"});
  const grpc_answer answer = call(client, 10s);
  CHECK(answer.why == grpc_answer::failure::tls);
  CHECK(answer.error == "the trusted certificates could not be read from /nowhere/ca.pem");
}
