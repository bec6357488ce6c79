// From the call site over OTLP/HTTP to another process, and what a program that idles costs. Prints rows as JSON
// (bench/table.py shows them).
//
// One thread makes spans with four attributes as fast as it can, with the overflow policy `block`; a sink in a process
// of its own answers each request and counts the spans in it. The floor writes the same requests to the same sink with
// nothing but write(). Each measurement runs in a process of its own, the least or best of several counts.
//
// usage: end_to_end            (the modes `idle PORT` and `linked` are what it starts itself)
#include <fulgurite/exporter/otlp_http.hpp>
#include <fulgurite/fulgurite.hpp>

#include "http_sink.hpp"
#include "spans.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fg = fulgurite;
using fulgurite_bench::cpu_seconds;
using fulgurite_bench::fail;
using fulgurite_bench::largest_request;
using fulgurite_bench::listen_somewhere;
using fulgurite_bench::make_spans;
using fulgurite_bench::start_sink;
using namespace std::chrono_literals;

namespace {

/// What the processes tell each other.
struct shared_page {
  std::atomic<std::uint64_t> requests, octets, spans;
  // What one run of a program found.
  double seconds, cpu_seconds;
  std::uint64_t made, exported, dropped;
  /// The largest request so far: what the floor writes.
  std::size_t sample_size;
  std::uint64_t sample_spans;
  char sample[largest_request];
};

shared_page* page = nullptr;

// ----------------------------------------------------------------------------------------------------------- the sink

std::uint64_t varint(const unsigned char*& at, const unsigned char* end) {
  std::uint64_t value = 0;
  for (int shift = 0; at < end && shift < 64; shift += 7) {
    const unsigned char octet = *at++;
    value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
    if (octet < 0x80) break;
  }
  return value;
}

/// The spans of an ExportTraceServiceRequest: resource_spans (1), scope_spans (2), spans (2). All fields on the way are
/// length-delimited, so that nothing within a span is looked at.
std::uint64_t count_spans(const unsigned char* at, const unsigned char* end, int depth = 0) {
  std::uint64_t spans = 0;
  while (at < end) {
    const std::uint64_t tag = varint(at, end), size = varint(at, end);
    if ((tag & 7) != 2 || size > static_cast<std::uint64_t>(end - at)) return 0;
    if (tag >> 3 == (depth == 0 ? 1U : 2U)) spans += depth == 2 ? 1 : count_spans(at, at + size, depth + 1);
    at += size;
  }
  return spans;
}

void on_request(std::string_view request, std::size_t head, bool compressed) {
  const auto* const first = reinterpret_cast<const unsigned char*>(request.data()) + head;
  const std::uint64_t spans = compressed ? 0 : count_spans(first, first + (request.size() - head));
  if (!compressed && request.size() > page->sample_size) {
    std::memcpy(page->sample, request.data(), request.size());
    page->sample_spans = spans;
    page->sample_size = request.size();
  }
  page->requests.fetch_add(1, std::memory_order_relaxed);
  page->octets.fetch_add(request.size(), std::memory_order_relaxed);
  page->spans.fetch_add(spans, std::memory_order_relaxed);
}

// ------------------------------------------------------------------------------------------------------- the programs

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

std::string url(int port) { return "http://127.0.0.1:" + std::to_string(port) + "/v1/traces"; }

void produce(int port, bool gzip, std::int64_t count) {
  using processor = fg::batch_processor<fg::tsc_clock, fg::block>;
  const double cpu_before = cpu_seconds();
  const auto start = clock_type::now();
  fg::tracer tracer{fg::resource{.service_name = "bench"}, fg::parent_based{fg::always_on_sampler{}},
                    fg::otlp_http_exporter{{.endpoint = url(port), .gzip = gzip}}, fg::w3c_propagator{}, processor{}};
  make_spans(tracer, count);
  tracer.force_flush(60s);
  page->seconds = seconds_since(start);
  page->cpu_seconds = cpu_seconds() - cpu_before;
  const auto stats = tracer.stats();
  page->made = static_cast<std::uint64_t>(count);
  page->exported = stats.exported;
  page->dropped = stats.dropped + stats.failed;
}

/// The same requests with nothing but write(), and the answer read.
void write_only(int port, std::uint64_t count) {
  const double cpu_before = cpu_seconds();
  const auto start = clock_type::now();
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("connect");
  std::uint64_t sent = 0;
  for (; sent < count; sent += page->sample_spans) {
    for (std::size_t done = 0; done < page->sample_size;) {
      const ssize_t n = write(connection, page->sample + done, page->sample_size - done);
      if (n <= 0) fail("write");
      done += static_cast<std::size_t>(n);
    }
    char answer[256];
    if (read(connection, answer, sizeof answer) <= 0) fail("read");
  }
  page->seconds = seconds_since(start);
  page->cpu_seconds = cpu_seconds() - cpu_before;
  page->made = page->exported = sent;
  page->dropped = 0;
}

/// The program that has sent something and now has nothing to do.
int idle(int port) {
  fg::tracer tracer{fg::resource{.service_name = "bench"}, fg::parent_based{fg::always_on_sampler{}},
                    fg::otlp_http_exporter{{.endpoint = url(port)}}};
  if (port > 0) make_spans(tracer, 1'000);
  tracer.force_flush();
  if (write(STDOUT_FILENO, ".", 1) == 1) pause();
  return 0;
}

// --------------------------------------------------------------------------------------------------- what it measures

struct figures {
  double per_second = 0, cpu_ns = 0, octets_per_span = 0;
  std::uint64_t lost = 0;
};

/// The best of several runs, each in a process of its own; whatever any of them lost.
template <class F>
figures best_of(int runs, bool count_at_sink, F program) {
  figures best;
  for (int i = 0; i < runs; ++i) {
    page->requests = page->octets = page->spans = 0;
    page->made = page->exported = page->dropped = 0;
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      program();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0) fail("a program that is measured failed");
    // A body that is compressed is not looked into: received is what the exporter has an answer for.
    const std::uint64_t received = count_at_sink ? page->spans.load() : page->exported;
    const double count = static_cast<double>(received);
    best.lost += page->made - std::min(page->made, received) + page->dropped;
    best.octets_per_span = static_cast<double>(page->octets.load()) / count;
    best.per_second = std::max(best.per_second, count / page->seconds);
    const double cpu = page->cpu_seconds / count * 1e9;
    best.cpu_ns = i == 0 ? cpu : std::min(best.cpu_ns, cpu);
  }
  return best;
}

std::uint64_t number_after(std::string const& file, std::string_view key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  return 0;
}

std::uint64_t switches(pid_t of) {
  std::uint64_t sum = 0;
  for (auto const& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(of) + "/task"))
    sum += number_after(thread.path() / "status", "voluntary_ctxt_switches:");
  return sum;
}

struct idle_figures {
  double resident_mb = 0, own_mb = 0, wakeups = 0;
};

idle_figures measure_idle(std::vector<std::string> command) {
  int ready[2];
  if (pipe(ready) != 0) fail("pipe");
  const pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    dup2(ready[1], STDOUT_FILENO);
    close(ready[0]);
    close(ready[1]);
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    execv(arguments[0], arguments.data());
    _exit(1);
  }
  close(ready[1]);
  char dot;
  if (read(ready[0], &dot, 1) != 1) fail("a program that should idle failed");
  close(ready[0]);
  std::this_thread::sleep_for(200ms);
  const std::uint64_t before = switches(child);
  const auto start = clock_type::now();
  std::this_thread::sleep_for(2s);
  idle_figures found;
  found.wakeups = static_cast<double>(switches(child) - before) / seconds_since(start);
  const std::string memory = "/proc/" + std::to_string(child) + "/smaps_rollup";
  const auto megabytes = [&](std::string_view key) { return static_cast<double>(number_after(memory, key)) / 1024; };
  found.resident_mb = megabytes("Rss:");
  found.own_mb = megabytes("Private_Dirty:") + megabytes("Private_Clean:");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return found;
}

// ---------------------------------------------------------------------------------------------------------- the output

bool first_row = true;

/// `goal` with its direction, such as `"at_most": 4`; empty where there is none. A floor of 0 is none.
void row(const char* name, double figure, const char* unit, const char* goal = "", double floor = 0,
         const char* floor_name = "") {
  std::printf("%s\n{\"name\": \"%s\", \"figure\": %.6g, \"unit\": \"%s\"", first_row ? "" : ",", name, figure, unit);
  if (*goal) std::printf(", %s", goal);
  if (floor > 0) std::printf(", \"floor\": %.6g, \"floor_name\": \"%s\"", floor, floor_name);
  std::printf("}");
  first_row = false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "idle" && argc == 3) return idle(std::atoi(argv[2]));
  if (mode == "linked") {
    if (write(STDOUT_FILENO, ".", 1) == 1) pause();
    return 0;
  }
  signal(SIGPIPE, SIG_IGN);
  void* const memory = mmap(nullptr, sizeof(shared_page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  page = static_cast<shared_page*>(memory);
  int port = 0;
  const int listener = listen_somewhere(port);
  const pid_t sink = start_sink(listener, on_request);

  constexpr std::int64_t many = 6'000'000;
  const figures plain = best_of(3, true, [&] { produce(port, false, many); });
  const figures floor = best_of(3, true, [&] { write_only(port, static_cast<std::uint64_t>(many)); });
  const figures gzip = best_of(2, false, [&] { produce(port, true, many / 4); });

  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
  const std::string port_text = std::to_string(port);
  const idle_figures nothing = measure_idle({(self.parent_path() / "empty").string()});
  const idle_figures linked = measure_idle({self.string(), "linked"});
  const idle_figures idling = measure_idle({self.string(), "idle", port_text});
  kill(sink, SIGKILL);
  waitpid(sink, nullptr, 0);

  const char* const writes = "write() of the same requests";
  std::printf("{\"rows\": [");
  row("spans received, 4 attributes", plain.per_second / 1e6, "M/s", "\"at_least\": 3", floor.per_second / 1e6, writes);
  row("CPU of the program a received span", plain.cpu_ns / 1000, "us", "\"at_most\": 0.3", floor.cpu_ns / 1000, writes);
  row("spans lost", static_cast<double>(plain.lost + gzip.lost), "", "\"at_most\": 0");
  row("sent for a span", plain.octets_per_span, "bytes");
  row("gzip: spans received", gzip.per_second / 1e6, "M/s", "", floor.per_second / 1e6, writes);
  row("gzip: CPU a received span", gzip.cpu_ns / 1000, "us", "", floor.cpu_ns / 1000, writes);
  row("gzip: sent for a span", gzip.octets_per_span, "bytes");
  row("idle memory above an empty program", idling.resident_mb - nothing.resident_mb, "MB", "\"at_most\": 4",
      nothing.resident_mb, "the empty program");
  row("  of it not shared with other processes", idling.own_mb - nothing.own_mb, "MB");
  row("  of it the loaded libraries alone", linked.resident_mb - nothing.resident_mb, "MB");
  row("wake-ups a second when idle", idling.wakeups, "", "\"at_most\": 10");
  std::printf("]}\n");
}
