// A gRPC client on a leash, for grpc_reference.py and grpc_faults.py:
//
//   grpc_reference URL [--ca FILE] [--certificate FILE] [--key FILE] [--proxy URL] [--header NAME=VALUE]...
//
// reads a command a line and answers each with a JSON object in a line:
//   call PATH TIMEOUT_MS GZIP INTERRUPT_AFTER_MS HEX     one call; GZIP is 0 or 1, INTERRUPT_AFTER_MS may be -1
//   big PATH TIMEOUT_MS BYTES                            a call whose message is that many zeros
//   fork PATH TIMEOUT_MS                                 the same call from a child and then from here: two answers
//   check TIMEOUT_MS                                     grpc_wire::check
//   post TIMEOUT_MS GZIP HEX                             grpc_wire::post
#include <fulgurite/exporter/grpc_wire.hpp>
#include <fulgurite/text/json_text.hpp>
#include <fulgurite/transport/gzip.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

namespace fg = fulgurite;
using namespace fg::detail;
using clock_type = std::chrono::steady_clock;

namespace {

std::string from_hex(std::string const& text) {
  std::string octets;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    octets += static_cast<char>(hex_digit(text[i]) << 4 | hex_digit(text[i + 1]));
  return octets;
}

std::string hex_of(std::string_view octets) {
  std::string text;
  for (const char c : octets) {
    text += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

class line {
 public:
  line& add(const char* name, std::string_view text) {
    begin(name);
    append_json_string(out_, text);
    return *this;
  }
  line& add(const char* name, std::int64_t number) {
    begin(name);
    append_number(out_, number);
    return *this;
  }
  line& add(attempt const& last) {
    constexpr const char* names[] = {"delivered", "retry", "refused"};
    return add("outcome", names[static_cast<int>(last.result)])
        .add("reason", last.reason)
        .add("retry_after_ns", last.retry_after ? last.retry_after->count() : -1)
        .add("at_once", std::int64_t{last.at_once})
        .add("later", std::int64_t{last.later});
  }
  void print() { std::cout << out_ << "}" << std::endl; }

 private:
  void begin(const char* name) {
    out_ += out_.empty() ? "{" : ",";
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_;
};

std::int64_t ms_since(clock_type::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_type::now() - start).count();
}

void call(grpc_client& client, grpc_request const& request, std::int64_t timeout, std::int64_t interrupt_after) {
  const auto start = clock_type::now();
  std::thread other;
  if (interrupt_after >= 0)
    other = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(interrupt_after));
      client.interrupt();
    });
  const grpc_answer answer = client.send(request, start + std::chrono::milliseconds(timeout));
  const std::int64_t took = ms_since(start);
  if (other.joinable()) other.join();
  line out;
  out.add("code", grpc_code_name(answer.code)).add("why", static_cast<std::int64_t>(answer.why));
  out.add("message", answer.message).add("error", answer.error).add("body", hex_of(answer.body));
  out.add("reused", std::int64_t{answer.reused}).add("ms", took).add(judge(answer, client.endpoint().to_text()));
  out.print();
}

}  // namespace

int main(int count, char** arguments) {
  grpc_wire_options options;
  if (count < 2 || !parse_endpoint(arguments[1], options.endpoint).empty()) return 2;
  for (int i = 2; i + 1 < count; i += 2) {
    const std::string_view name = arguments[i], value = arguments[i + 1];
    if (name == "--ca") options.tls.ca_file = value;
    if (name == "--certificate") options.tls.client_certificate = value;
    if (name == "--key") options.tls.client_key = value;
    if (name == "--proxy" && !parse_proxy(value, options.proxy).empty()) return 2;
    if (name == "--header")
      options.headers.emplace_back(value.substr(0, value.find('=')), value.substr(value.find('=') + 1));
  }
  options.endpoint.path.clear();
  grpc_client client(options.endpoint, options.tls, options.proxy);
  grpc_wire wire(options);
  gzip_compressor compressor;
  std::string text, packed;
  while (std::getline(std::cin, text)) {
    std::istringstream words(text);
    std::string command, path, hex;
    std::int64_t timeout = 0, interrupt_after = -1, size = 0;
    int gzip = 0;
    words >> command;
    const auto message = [&]() -> std::span<const std::byte> {
      hex = from_hex(hex);
      if (gzip == 0) return std::as_bytes(std::span(hex));
      if (!compressor.compress(std::as_bytes(std::span(hex)), packed)) std::abort();
      return std::as_bytes(std::span(packed));
    };
    if (command == "call") {
      words >> path >> timeout >> gzip >> interrupt_after >> hex;
      call(client, {path, options.headers, message(), gzip != 0}, timeout, interrupt_after);
    } else if (command == "big") {
      words >> path >> timeout >> size;
      const std::string zeros(static_cast<std::size_t>(size), '\0');
      call(client, {path, options.headers, std::as_bytes(std::span(zeros)), false}, timeout, -1);
    } else if (command == "fork") {
      words >> path >> timeout;
      const pid_t child = fork();
      if (child != 0) waitpid(child, nullptr, 0);
      call(client, {path, options.headers, {}, false}, timeout, -1);
      if (child == 0) return 0;
    } else if (command == "check") {
      words >> timeout;
      const fg::health_report report = wire.check(clock_type::now() + std::chrono::milliseconds(timeout));
      line out;
      out.add("reachable", std::int64_t{report.reachable}).add("reason", report.reason);
      out.add("endpoint", report.endpoint).add("latency_ns", report.latency.count());
      out.print();
    } else if (command == "post") {
      words >> timeout >> gzip >> hex;
      const std::span<const std::byte> body = message();
      const attempt made = wire.post({body, "application/x-protobuf", gzip != 0 ? "gzip" : "", 1},
                                     clock_type::now() + std::chrono::milliseconds(timeout));
      line out;
      out.add(made).add("rejected", static_cast<std::int64_t>(made.rejected)).add("message", made.message);
      out.add("kind", static_cast<std::int64_t>(made.kind));
      out.print();
    } else
      return 2;
  }
}
