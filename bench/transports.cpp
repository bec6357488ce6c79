// A batch through an exporter to a process beside it that reads and answers: encoding, transport and the wait for the
// answer, one batch after the other. Beside each a copy of the bytes that its encoder makes, the floor.
//
// OTLP over gRPC is in collector.py: there is no sink for it that is cheaper than the real one.
#include <fulgurite/exporter/file.hpp>
#include <fulgurite/exporter/jaeger_http.hpp>
#include <fulgurite/exporter/jaeger_udp.hpp>
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/exporter/otlp_http_json.hpp>
#include <fulgurite/exporter/zipkin.hpp>

#include "batches.hpp"
#include "http_sink.hpp"

#include <benchmark/benchmark.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace fg = fulgurite;
using fulgurite_bench::batch_of;
using fulgurite_bench::copied;
using fulgurite_bench::shape;

namespace {

int http_port = 0, udp_port = 0;

std::string url(const char* path) { return "http://127.0.0.1:" + std::to_string(http_port) + path; }

template <class Encoder>
std::size_t bytes_of(fg::span_batch const& batch) {
  Encoder encoder;
  return fulgurite_bench::encode(batch, encoder).size();
}

template <class Encoder, class Exporter>
void send(benchmark::State& state, Exporter exporter) {
  const batch_of made(shape::schema);
  const fg::span_batch batch = made.builder.batch();
  for (auto _ : state)
    if (!exporter.export_spans(batch).is_success()) return state.SkipWithError("not delivered");
  fulgurite_bench::count(state, bytes_of<Encoder>(batch));
}

template <class Options>
Options to(const char* path) {
  Options options;
  options.endpoint = url(path);
  options.gzip = false;
  return options;
}

void otlp_http(benchmark::State& state) {
  send<fg::otlp_protobuf_encoder>(state, fg::otlp_http_exporter(to<fg::otlp_http_options>("/v1/traces")));
}
void otlp_http_gzip(benchmark::State& state) {
  auto options = to<fg::otlp_http_options>("/v1/traces");
  options.gzip = true;
  send<fg::otlp_protobuf_encoder>(state, fg::otlp_http_exporter(options));
}
void otlp_http_json(benchmark::State& state) {
  send<fg::otlp_json_encoder>(state, fg::otlp_http_json_exporter(to<fg::otlp_http_options>("/v1/traces")));
}
void jaeger_http(benchmark::State& state) {
  send<fg::jaeger_binary_encoder>(state, fg::jaeger_http_exporter(to<fg::jaeger_http_options>("/api/traces")));
}
void zipkin(benchmark::State& state) {
  send<fg::zipkin_json_encoder>(state, fg::zipkin_exporter(to<fg::zipkin_options>("/api/v2/spans")));
}
void jaeger_udp(benchmark::State& state) {
  fg::jaeger_udp_options options;
  options.host = "127.0.0.1";
  options.port = static_cast<std::uint16_t>(udp_port);
  options.pause = {};
  send<fg::jaeger_compact_encoder>(state, fg::jaeger_udp_exporter(options));
}
void file(benchmark::State& state) {
  std::string folder = (std::filesystem::temp_directory_path() / "fulgurite-bench-XXXXXX").string();
  if (!mkdtemp(folder.data())) return state.SkipWithError("no folder");
  send<fg::otlp_json_encoder>(state, fg::file_exporter({.path = folder + "/traces.jsonl", .max_files = 2}));
  std::filesystem::remove_all(folder);
}

void copy_of_otlp_http(benchmark::State& state) { copied<fg::otlp_protobuf_encoder>(state, shape::schema); }
void copy_of_otlp_http_gzip(benchmark::State& state) { copied<fg::otlp_protobuf_encoder>(state, shape::schema); }
void copy_of_otlp_http_json(benchmark::State& state) { copied<fg::otlp_json_encoder>(state, shape::schema); }
void copy_of_jaeger_http(benchmark::State& state) { copied<fg::jaeger_binary_encoder>(state, shape::schema); }
void copy_of_zipkin(benchmark::State& state) { copied<fg::zipkin_json_encoder>(state, shape::schema); }
void copy_of_jaeger_udp(benchmark::State& state) { copied<fg::jaeger_compact_encoder>(state, shape::schema); }
void copy_of_file(benchmark::State& state) { copied<fg::otlp_json_encoder>(state, shape::schema); }

/// Reads datagrams, for ever.
pid_t start_reader(int socket) {
  const pid_t child = fork();
  if (child < 0) fulgurite_bench::fail("fork");
  if (child > 0) return child;
  static std::array<char, 65'536> buffer;
  while (recv(socket, buffer.data(), buffer.size(), 0) >= 0) {
  }
  _exit(1);
}

}  // namespace

BENCHMARK(otlp_http)->UseRealTime();
BENCHMARK(copy_of_otlp_http);
BENCHMARK(otlp_http_gzip)->UseRealTime();
BENCHMARK(copy_of_otlp_http_gzip);
BENCHMARK(otlp_http_json)->UseRealTime();
BENCHMARK(copy_of_otlp_http_json);
BENCHMARK(jaeger_http)->UseRealTime();
BENCHMARK(copy_of_jaeger_http);
BENCHMARK(zipkin)->UseRealTime();
BENCHMARK(copy_of_zipkin);
BENCHMARK(jaeger_udp)->UseRealTime();
BENCHMARK(copy_of_jaeger_udp);
BENCHMARK(file)->UseRealTime();
BENCHMARK(copy_of_file);

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const int listener = fulgurite_bench::listen_somewhere(http_port);
  const int datagrams = fulgurite_bench::bind_somewhere(SOCK_DGRAM, udp_port);
  const pid_t sinks[]{fulgurite_bench::start_sink(listener, [](std::string_view, std::size_t, bool) {}),
                      start_reader(datagrams)};
  benchmark::RunSpecifiedBenchmarks();
  for (const pid_t sink : sinks) {
    kill(sink, SIGKILL);
    waitpid(sink, nullptr, 0);
  }
  return 0;
}
