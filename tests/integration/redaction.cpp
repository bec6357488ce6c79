// Secrets of every kind in every place of a span, through a tracer made from the environment's settings, to a server
// that keeps the bytes of the requests: with the rules none of them is in there or in the log, without them all are.
#include <fulgurite/backends.hpp>

#include "../scripted_server.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;
using fulgurite_test::connection;
using fulgurite_test::scripted_server;

namespace {

/// What is written into a span, and what of it must not be seen. None is anybody's.
struct secret {
  std::string text;
  std::string needle;
};

std::vector<secret> secrets() {
  const std::string some = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0";
  const auto all_of = [](std::string const& text) { return secret{text, text}; };
  return {
      {"https://bob:pw-n33dle-01@db.example/x?y=1", "pw-n33dle-01"},
      {"postgres://app:pw-n33dle-02@10.0.0.1:5432/orders", "pw-n33dle-02"},
      {"redis://:pw/n33dle-03@cache/0", "n33dle-03"},
      {R"({"url":"https:\/\/bob:pw-n33dle-04@h\/"})", "pw-n33dle-04"},
      {"git clone https://n33dle05token@git.example/a/b", "n33dle05token"},
      {"Authorization: Bearer n33dle06.abc-def", "n33dle06"},
      {"got bearer n33dle07abcdefgh from it", "n33dle07"},
      {"Basic bjMzZGxlOnB3", "bjMzZGxlOnB3"},
      {"authorization: Digest username=\"n33dle09\", response=\"x\"", "n33dle09"},
      {R"({"Authorization":"Token n33dle10"})", "n33dle10"},
      all_of("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJuMzNkbGUxMSJ9.dBjftJeZ4CVP-mB92K27uhbU"),
      all_of("eyJhbGciOiJub25lIn0.eyJzdWIiOiJuMzNkbGUxMiJ9."),
      all_of("AKIAN33DLE13EXAMPLE0"),
      all_of("AIza" + some.substr(0, 35)),
      all_of("ghp_" + some.substr(0, 36)),
      all_of("github_pat_" + some),
      all_of("glpat-" + some.substr(0, 20)),
      all_of("xoxb-" + some.substr(0, 24)),
      all_of("sk-proj-" + some),
      all_of("sk-ant-api03-" + some),
      all_of("sk_live_" + some.substr(0, 24)),
      all_of("npm_" + some.substr(0, 36)),
      all_of("hf_" + some.substr(0, 34)),
      {"-----BEGIN PRIVATE KEY-----\nn33dle24\n-----END PRIVATE KEY-----", "n33dle24"},
      {"paid with 4111 1111 1111 1111.", "4111 1111 1111 1111"},
      {"pan=5555-5555-5555-4444", "5555-5555-5555-4444"},
      {"amex 378282246310005", "378282246310005"},
      {"mail of n33dle28@example.com", "n33dle28"},
      {"?to=n33dle29%40example.com&x", "n33dle29"},
      {"n33dl\xc3\xa9"
       "30@b\xc3\xbc"
       "cher.example",
       "30@b"},
      {"contract ACME-8675309.", "8675309"},
      {"ssn 078-05-1120", "078-05-1120"},
  };
}

constexpr const char* rules =
    "*password, *.secret, api?key, config.db.user, detect:all, match:/ACME-\\d{6,8}/, match:/\\d{3}-\\d{2}-\\d{4}/";

fg::bytes octets_of(std::string const& text) {
  fg::bytes octets(text.size());
  std::memcpy(octets.data(), text.data(), text.size());
  return octets;
}

/// One span with a secret in every place.
void plant(fg::any_tracer& tracer, std::string const& text) {
  const fg::span_context elsewhere(fg::trace_id::from_hex("0af7651916cd43dd8448eb211c80319c"),
                                   fg::span_id::from_number(7), fg::trace_flags(1));
  auto span = tracer.trace_context(text, "schema"_a = text, "number"_a = 1);
  span.set_attribute("run.time", text);
  span.set_attribute("key " + text, 1);
  span.set_attribute("bytes", octets_of(text));
  span.set_attribute("list", std::vector<fg::attribute_value>{1, text, std::vector<fg::attribute_value>{text}});
  span.set_attribute("map",
                     fg::attribute_value(std::vector<fg::attribute>{
                         {"entry", text}, {text, 1}, {"deep", std::vector<fg::attribute>{{"x", octets_of(text)}}}}));
  span.set_attribute("long", std::string(20'000, '.') + " " + text + " " + std::string(20'000, '.'));
  span.add_event(text, {{"attribute", text}});
  span.add_link(elsewhere, {{"attribute", text}});
  span.record_exception(std::runtime_error(text));
  span.update_name("renamed " + text);
  span.set_status(fg::status_code::error, text);
  tracer.add_span_attribute("current", text);
  tracer.add_span_event("event " + text, {{"attribute", text}});
}
/// Values that only their keys tell.
void plant_by_key(fg::any_tracer& tracer) {
  auto span = tracer.trace_context("by key", "db.password"_a = "n33dle-key-1", "pin.password"_a = 190283746);
  span.set_attribute("Password", "n33dle-key-2");
  span.set_attribute("a.b.secret", std::vector<std::string>{"n33dle-key-3"});
  span.set_attribute("api_key", octets_of("n33dle-key-4"));
  span.set_attribute("config",
                     fg::attribute_value(std::vector<fg::attribute>{
                         {"db", std::vector<fg::attribute>{{"user", "n33dle-key-5"}, {"password", 8675309.25}}}}));
  span.add_event("login", {{"password", "n33dle-key-6"}});
  std::map<std::string, std::string> headers = {
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"tracestate", "password=n33dle-key-7"}};
  const fg::context remote = tracer.extract(headers);
  auto child = tracer.start_span("remote", fg::span_options{.parent = remote});
  child.set_attribute("pan", 4242424242424242);
}
const std::vector<std::string> by_key = {"n33dle-key-1", "n33dle-key-2", "n33dle-key-3", "n33dle-key-4",
                                         "n33dle-key-5", "n33dle-key-6", "n33dle-key-7"};

struct outcome {
  std::string sent, log;
};

outcome run(std::string const& redact) {
  outcome all;
  std::mutex mutex;
  fg::set_log_handler([&](fg::log_level, std::string_view line) {
    const std::lock_guard lock(mutex);
    all.log += std::string(line) + "\n";
  });
  {
    fg::detail::set_log_level("debug");
    std::string sent;
    scripted_server server({[&](connection& c) {
      for (connection::request got = c.read_request(); !got.head.empty(); got = c.read_request()) {
        sent += got.head + got.body;
        // What the server says of a request may be logged.
        c.answer(sent.size() % 2 == 0 ? "200 OK" : "400 Bad Request", "no", "Content-Type: text/plain\r\n");
      }
    }});
    fg::tracer_config config;
    config.tracer_type = fg::tracer_type::opentelemetry;
    config.otlp_endpoint = server.url();
    config.otlp_compression = "none";
    config.max_batch_size = 5;
    config.redact = redact;
    config.log_level = "debug";
    for (std::size_t i = 0; secret const& one : secrets())
      config.resource_attributes.emplace_back("resource." + std::to_string(i++), one.text);
    config.resource_attributes.emplace_back("resource.password", "n33dle-key-1");
    config.service_version = "by n33dle28@example.com";
    fg::any_tracer tracer = fg::create_tracer(config);
    tracer.init_worker("worker of n33dle28@example.com");
    for (secret const& one : secrets()) {
      plant(tracer, one.text);
      tracer.force_flush(std::chrono::seconds(60));  // a thread's ring does not hold all of them
    }
    plant_by_key(tracer);
    tracer.force_flush(std::chrono::seconds(60));
    CHECK(tracer.stats().sampled == secrets().size() + 2);
    CHECK(tracer.stats().dropped == 0);
    tracer.shutdown(std::chrono::seconds(60));
    all.sent = sent;
  }
  fg::set_log_handler({});
  return all;
}

}  // namespace

TEST_CASE("without rules every secret is sent") {
  const outcome plain = run("");
  for (secret const& one : secrets()) {
    INFO(one.text);
    CHECK(plain.sent.find(one.needle) != std::string::npos);
  }
  for (std::string const& needle : by_key) CHECK(plain.sent.find(needle) != std::string::npos);
}

TEST_CASE("with rules none is, by whatever action, nor is one in the log") {
  CHECK(secrets().size() >= 30);
  for (const char* action : {"mask", "hash", "drop"}) {
    const outcome redacted = run(std::string(rules) + ";action=" + action);
    CHECK(redacted.sent.size() > 10'000);
    CHECK(redacted.sent.find(action == std::string_view("hash") ? "hash:" : "***") != std::string::npos);
    CHECK_FALSE(redacted.log.empty());
    for (std::string const* where : {&redacted.sent, &redacted.log}) {
      for (secret const& one : secrets()) {
        INFO(action, ": ", one.text);
        CHECK(where->find(one.needle) == std::string::npos);
      }
      for (std::string const& needle : by_key) {
        INFO(action, ": ", needle);
        CHECK(where->find(needle) == std::string::npos);
      }
      CHECK(where->find("n33dle") == std::string::npos);
      // Numbers as protobuf has them: a varint, and the bits of a double.
      CHECK(where->find(std::string("\xb2\xa5\xb9\xd8\x8e\xd1\xc4\x07")) == std::string::npos);
      const double real = 8675309.25;
      char bits[sizeof real];
      std::memcpy(bits, &real, sizeof real);
      CHECK(where->find(std::string(bits, sizeof bits)) == std::string::npos);
    }
  }
}

TEST_CASE("a wrong rule or key is an error at start-up, each with what is allowed") {
  fg::tracer_config config;
  config.tracer_type = fg::tracer_type::noop;
  config.redact = "password=hide, detect:crad, match:/(/";
  config.redact_key = "n33dle";
  std::string said;
  try {
    fg::create_tracer(config);
  } catch (fg::config_error const& error) {
    said = error.what();
  }
  CHECK(said ==
        "the tracer's configuration has 4 problems\n"
        "  TRACER_REDACT_KEY=\"********\": allowed is 32 hexadecimal digits\n"
        "  TRACER_REDACT=\"password=hide\": allowed is after = one of hash, mask, drop\n"
        "  TRACER_REDACT=\"detect:crad\": allowed is after detect: one of all, url, bearer, jwt, api_key, card, email\n"
        "  TRACER_REDACT=\"match:/(/\": allowed is in the pattern a ) for each (");
}
