// With gRPC's own server: tests/integration/grpc_reference.py.
#include <fulgurite/exporter/grpc_status.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <random>
#include <string>
#include <string_view>

using namespace fulgurite::detail;
using namespace std::chrono_literals;
using outcome = attempt::outcome;
using failure = grpc_answer::failure;
using fulgurite::failure_kind;

namespace {

std::string field(char tag, std::string_view content) {
  return std::string{tag, static_cast<char>(content.size())}.append(content);
}
std::string status_with(std::string_view type, std::string_view value) {
  return "\x08\x08" + field(0x12, "message") + field(0x1a, field(0x0a, type) + field(0x12, value));
}
std::string retry_info(std::string_view duration) {
  return status_with("type.googleapis.com/google.rpc.RetryInfo", field(0x0a, duration));
}
attempt judged(grpc_code code, std::string details = {}, failure why = failure::none, bool reused = false) {
  grpc_answer answer;
  answer.code = code;
  answer.details = std::move(details);
  answer.why = why;
  answer.reused = reused;
  answer.error = why == failure::none ? "" : "went wrong";
  return judge(answer, "http://there:4317");
}

}  // namespace

TEST_CASE("RetryInfo: its delay, never negative") {
  CHECK(!parse_retry_info(""));
  CHECK(!parse_retry_info(status_with("type.googleapis.com/google.rpc.DebugInfo", "")));
  CHECK(!parse_retry_info(status_with("google.rpc.RetryInformation", "")));
  CHECK(parse_retry_info(status_with("type.googleapis.com/google.rpc.RetryInfo", "")) == 0ns);
  CHECK(parse_retry_info(status_with("google.rpc.RetryInfo", "")) == 0ns);
  CHECK(parse_retry_info(retry_info("\x08\x03")) == 3s);
  CHECK(parse_retry_info(retry_info("\x08\x01\x10\x05")) == 1s + 5ns);
  CHECK(parse_retry_info(retry_info("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) == 0ns);
  CHECK(parse_retry_info(retry_info("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")) == 0ns);
  CHECK(parse_retry_info(retry_info("\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f")) == 1'000'000'000s);
  CHECK(parse_retry_info(retry_info("\x10\xff\xff\xff\xff\x7f")) == 999'999'999ns);
}

TEST_CASE("nothing malformed does harm") {
  std::mt19937_64 random(1);
  const std::string good = retry_info("\x08\x01\x10\x05");
  for (int i = 0; i < 20000; ++i) {
    std::string data = good.substr(0, random() % (good.size() + 1));
    if (!data.empty()) data[random() % data.size()] = static_cast<char>(random());
    const auto delay = parse_retry_info(data);
    CHECK((!delay || (*delay >= 0ns && *delay <= 1'000'000'001s)));
  }
}

TEST_CASE("OTLP's table") {
  for (unsigned number = 1; number <= 16; ++number) {
    const auto code = static_cast<grpc_code>(number);
    const bool retried = number == 1 || number == 4 || number == 10 || number == 11 || number == 14 || number == 15;
    const bool about_access = number == 7 || number == 12 || number == 16;
    const attempt plain = judged(code);
    CHECK(plain.result == (retried ? outcome::retry : outcome::refused));
    CHECK(plain.later == (retried || about_access));
    CHECK(plain.kind == (retried                       ? failure_kind::unavailable
                         : number == 12                ? failure_kind::address
                         : number == 7 || number == 16 ? failure_kind::access
                                                       : failure_kind::refused));
    CHECK(!plain.retry_after);
    CHECK(plain.reason.find("http://there:4317 answered " + std::string(grpc_code_name(code))) == 0);
    const attempt asked = judged(code, retry_info("\x08\x03"));
    CHECK(asked.result == (retried || number == 8 ? outcome::retry : outcome::refused));
    CHECK(asked.retry_after.has_value() == (retried || number == 8));
    CHECK(asked.later == (retried || about_access || number == 8));
    CHECK(asked.kind == (number == 8 ? failure_kind::unavailable : plain.kind));
  }
  CHECK(judged(grpc_code::ok).result == outcome::delivered);
  CHECK(judged(grpc_code::ok).kind == failure_kind::none);
  const attempt no_time = judged(grpc_code::resource_exhausted, retry_info(""));
  CHECK(no_time.result == outcome::retry);
  CHECK(!no_time.retry_after);
}

TEST_CASE("what has no answer") {
  for (const failure why : {failure::refused, failure::disconnected}) {
    CHECK(judged(grpc_code::unavailable, "", why).result == outcome::retry);
    CHECK(!judged(grpc_code::unavailable, "", why).at_once);
    CHECK(judged(grpc_code::unavailable, "", why, true).at_once == (why == failure::disconnected));
    CHECK(judged(grpc_code::unavailable, "", why).later);
    CHECK(judged(grpc_code::unavailable, "", why).reason == "http://there:4317: went wrong");
  }
  for (const failure why : {failure::timed_out, failure::interrupted, failure::tls, failure::not_grpc}) {
    CHECK(judged(grpc_code::unavailable, "", why).result == outcome::refused);
    CHECK(judged(grpc_code::unavailable, "", why).later);
  }
  CHECK(judged(grpc_code::resource_exhausted, "", failure::too_large).result == outcome::refused);
  CHECK(!judged(grpc_code::resource_exhausted, "", failure::too_large).later);
  CHECK(judged(grpc_code::cancelled, "", failure::reset).result == outcome::retry);
  CHECK(judged(grpc_code::internal, "", failure::reset).result == outcome::refused);
  const auto kind = [](failure why, grpc_code code = grpc_code::unavailable) { return judged(code, "", why).kind; };
  CHECK(kind(failure::refused) == failure_kind::unreachable);
  CHECK(kind(failure::disconnected) == failure_kind::disconnected);
  CHECK(kind(failure::timed_out, grpc_code::deadline_exceeded) == failure_kind::timed_out);
  CHECK(kind(failure::interrupted, grpc_code::cancelled) == failure_kind::given_up);
  CHECK(kind(failure::tls) == failure_kind::tls);
  CHECK(kind(failure::not_grpc, grpc_code::unknown) == failure_kind::address);
  CHECK(kind(failure::too_large, grpc_code::resource_exhausted) == failure_kind::too_large);
  CHECK(kind(failure::reset, grpc_code::cancelled) == failure_kind::unavailable);
  CHECK(kind(failure::reset, grpc_code::internal) == failure_kind::refused);
}

TEST_CASE("what a backend says is fit for a log") {
  grpc_answer answer;
  answer.code = grpc_code::unauthenticated;
  answer.message = "no\x1b[2J\nentry";
  CHECK(in_words(answer) == "UNAUTHENTICATED (the credentials are missing or wrong): no [2J entry");
  answer.message.assign(1000, 'x');
  CHECK(in_words(answer).size() < 400);
  answer.why = failure::tls;
  answer.error = "a\nb";
  CHECK(in_words(answer) == "a b");
}
