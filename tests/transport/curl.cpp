// What transfers do is tested through the client (tests/transport/grpc.cpp) and against other people's servers
// (tests/integration/grpc_reference.py, grpc_faults.py).
#include <fulgurite/transport/curl.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;

namespace {
std::size_t discard(char*, std::size_t size, std::size_t count, void*) { return size * count; }

curl_transfer::outcome get(curl_transfer& transfer, std::string const& url, std::chrono::milliseconds limit,
                           CURLcode& code) {
  transfer.open();
  curl_easy_setopt(transfer.easy(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(transfer.easy(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(transfer.easy(), CURLOPT_WRITEFUNCTION, &discard);
  return transfer.run(std::chrono::steady_clock::now() + limit, [] { return false; }, code);
}
}  // namespace

TEST_CASE("a connection is kept, known, and dropped") {
  scripted_server server({[](connection& c) {
    while (!c.read_request().head.empty()) c.answer("200 OK", "x");
  }});
  curl_transfer transfer;
  CHECK(transfer.open());
  CHECK(!transfer.open());
  CHECK(!transfer.is_connected());
  CURLcode code = CURLE_AGAIN;
  for (int i = 0; i < 2; ++i) {
    CHECK(get(transfer, server.url(), 10s, code) == curl_transfer::outcome::done);
    CHECK(code == CURLE_OK);
    CHECK(transfer.is_connected());
    long connections = -1;
    curl_easy_getinfo(transfer.easy(), CURLINFO_NUM_CONNECTS, &connections);
    CHECK(connections == (i == 0 ? 1 : 0));
  }
  transfer.let_open(false);
  CHECK(get(transfer, server.url(), 10s, code) == curl_transfer::outcome::done);
  CHECK(code == CURLE_OK);
  CHECK(!transfer.wanted_to_open());
  transfer.drop();
  CHECK(!transfer.is_connected());
  CHECK(transfer.easy() == nullptr);
  CHECK(get(transfer, server.url(), 10s, code) == curl_transfer::outcome::done);
  CHECK(code == CURLE_COULDNT_CONNECT);
  CHECK(transfer.wanted_to_open());
}

TEST_CASE("the deadline holds, and an interruption is immediate and counts for one transfer") {
  scripted_server server({[](connection& c) { c.wait_for_end(); }, [](connection& c) { c.wait_for_end(); },
                          [](connection& c) {
                            c.read_request();
                            c.answer("200 OK");
                          }});
  curl_transfer transfer;
  CURLcode code = CURLE_AGAIN;
  transfer.begin();
  CHECK(get(transfer, server.url(), 50ms, code) == curl_transfer::outcome::expired);
  transfer.end();
  transfer.drop();
  transfer.interrupt();  // nothing is under way
  transfer.begin();
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    transfer.interrupt();
  });
  CHECK(get(transfer, server.url(), 1h, code) == curl_transfer::outcome::interrupted);
  other.join();
  transfer.end();
  transfer.drop();
  transfer.begin();
  CHECK(get(transfer, server.url(), 10s, code) == curl_transfer::outcome::done);
  CHECK(code == CURLE_OK);
  transfer.end();
}

TEST_CASE("the child of a fork leaves the connection alone") {
  curl_transfer transfer;
  transfer.open();
  CURL* const easy = transfer.easy();
  transfer.leave_to_parent();
  CHECK(transfer.easy() == nullptr);
  CHECK(!transfer.is_connected());
  curl_easy_cleanup(easy);
}
