// Three services that call one another, traced through whatever backend the environment names, and at the same time
// written down as the exporter got it; interop.py compares that with what a real server says it received.
//
//   interop FILE SEED TRACES [finite] [paced]
//     FILE    OTLP JSON, a batch a line: every span that was handed to the real exporter
//     finite  no NaN and no infinity, which some servers cannot show
//     paced   says "." after each trace and waits for a line, for the sake of a receiver of datagrams
//
// Says its accounts as JSON. Exit status 3: this build does not have the backend.
#include <fulgurite/backends.hpp>
#include <fulgurite/encoder/otlp_json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

/// Where the batches are written down, of all tracers of the process.
struct written {
  std::mutex mutex;
  std::ofstream file;
  std::size_t spans = 0;
};
written out;

/// The real exporter, and a note of what it was given.
class noting_exporter {
 public:
  noting_exporter(fg::any_exporter real, written& to) : real_(std::move(real)), to_(&to) {}

  fg::batch_outcome export_spans(fg::span_batch const& batch) {
    {
      const std::lock_guard lock(to_->mutex);
      to_->file << fg::to_otlp_json(batch) << '\n';
      to_->spans += batch.size();
    }
    return real_.export_spans(batch);
  }
  bool flush(fg::deadline until) { return real_.flush(until); }
  bool shutdown(fg::deadline until) { return real_.shutdown(until); }
  fg::exporter_stats stats() const { return real_.stats(); }

 private:
  fg::any_exporter real_;
  written* to_;
};

fg::any_tracer make_noting(fg::tracer_config const& config) {
  namespace made = fg::detail;
  fg::tracer_options options = made::make_options(config);
  options.scope = {"interop.cpp", "1.2", {{"scope.kind", "test"}}};
  return fg::any_tracer(made::make_resource(config), made::make_sampler(config),
                        noting_exporter(made::make_exporter(config), out), made::make_propagator(config),
                        made::make_processor(config), std::move(options));
}

using headers = std::map<std::string, std::string>;

class workload {
 public:
  workload(std::uint64_t seed, bool finite) : engine_(seed), finite_(finite) {
    for (const char* name : {"Storefront", "checkout", "payments"}) {
      ::setenv("TRACER_SERVICE_NAME", name, 1);
      services_.push_back(fg::get_tracer_from_env());
    }
  }

  void run_one() {
    headers from;
    if (one_in(5)) {  // somebody else began it
      char parent[64];
      std::snprintf(parent, sizeof parent, "00-%016llx%016llx-%016llx-0%d",
                    static_cast<unsigned long long>(engine_() | 1), static_cast<unsigned long long>(engine_()),
                    static_cast<unsigned long long>(engine_() | 1), one_in(2) ? 1 : 3);
      from["traceparent"] = parent;
      if (one_in(2)) from["tracestate"] = "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7";
    }
    serve(below(services_.size()), from, fg::span_kind::server, 0);
  }

  bool flush() {
    bool all = true;
    for (auto& service : services_) all = service.force_flush(std::chrono::seconds(60)) && all;
    return all;
  }
  fg::tracer_stats stats() const {
    fg::tracer_stats sum;
    for (auto const& service : services_) {
      const fg::tracer_stats one = service.stats();
      sum.started += one.started;
      sum.sampled += one.sampled;
      sum.exported += one.exported;
      sum.failed += one.failed;
      sum.dropped += one.dropped;
      sum.queued += one.queued;
    }
    return sum;
  }

 private:
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  T const& one_of(std::vector<T> const& from) {
    return from[below(from.size())];
  }

  std::string text() {
    static const std::vector<std::string> pieces{"a",
                                                 "GET /orders",
                                                 "\xc3\x9c",          // Ü
                                                 "\xe2\x82\xac",      // the euro sign
                                                 "\xf0\x9f\x98\x80",  // a smiley
                                                 "\xe6\x94\xaf\xe4\xbb\x98",
                                                 "\"",
                                                 "\\",
                                                 "</script>",
                                                 "\n",
                                                 "\t",
                                                 "\x01",
                                                 "\xe2\x80\xa8",  // a line separator
                                                 " ",
                                                 "0123456789abcdef",
                                                 "\xff",  // ill-formed from here on: each becomes U+FFFD
                                                 "\xe2\x82",
                                                 "\xed\xa0\x80"};
    std::string made;
    if (one_in(8)) return made;
    const std::uint64_t count = one_in(60) ? 900 : 1 + below(5);
    for (std::uint64_t i = 0; i < count; ++i) made += pieces[below(one_in(6) ? pieces.size() : 15)];
    return made;
  }
  std::int64_t integer() {
    static const std::vector<std::int64_t> special{0,
                                                   1,
                                                   -1,
                                                   (std::int64_t{1} << 53) + 1,
                                                   std::numeric_limits<std::int64_t>::max(),
                                                   std::numeric_limits<std::int64_t>::min()};
    return one_in(2) ? one_of(special) : static_cast<std::int64_t>(engine_() >> below(64));
  }
  double real() {
    static const std::vector<double> special{0.0,
                                             -0.0,
                                             1.0,
                                             0.1,
                                             -2.5,
                                             1e300,
                                             1e21,
                                             5e-324,
                                             123456789.125,
                                             std::numeric_limits<double>::infinity(),
                                             -std::numeric_limits<double>::infinity(),
                                             std::numeric_limits<double>::quiet_NaN()};
    return special[below(special.size() - (finite_ ? 3 : 0))];
  }
  fg::attribute_value value(int depth = 0) {
    switch (below(depth < 3 ? 10 : 6)) {
      case 0:
        return one_in(2);
      case 1:
        return integer();
      case 2:
        return real();
      case 3: {
        fg::bytes octets(below(20));
        for (std::byte& octet : octets) octet = static_cast<std::byte>(engine_());
        return octets;
      }
      case 4:
        return {};
      case 6: {
        std::vector<fg::attribute_value> elements(below(4));
        for (auto& element : elements) element = value(depth + 1);
        return elements;
      }
      case 7: {
        std::vector<fg::attribute_value> elements(below(4));
        const std::uint64_t kind = below(3);
        for (auto& element : elements)
          element = kind == 0 ? fg::attribute_value(integer()) : kind == 1 ? fg::attribute_value(text()) : real();
        return elements;
      }
      case 8:
        return attributes(4, depth + 1);
      default:
        return text();
    }
  }
  std::vector<fg::attribute> attributes(std::uint64_t most, int depth = 0) {
    std::vector<fg::attribute> made(below(most));
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i].key = (one_in(5) ? "schl\xc3\xbcssel." : "key.") + std::to_string(i);
      made[i].value = value(depth);
    }
    return made;
  }

  void decorate(auto& span) {
    for (fg::attribute const& one : attributes(8)) span.set_attribute(one.key, one.value);
    if (one_in(30)) span.set_attribute("error", false);
    if (one_in(3))
      for (std::uint64_t i = 0, count = below(4); i < count; ++i)
        span.add_event((one_in(3) ? "cache \xe2\x82\xac miss " : "step.") + std::to_string(i), attributes(4));
    if (one_in(6))
      for (std::uint64_t i = 0, count = 1 + below(3); i < count; ++i)
        span.add_link(one_in(3) || finished_.empty() ? foreign() : one_of(finished_), attributes(3));
    if (one_in(12)) {
      const std::runtime_error error("the card was \"declined\"");
      span.record_exception(error);
      span.set_status(fg::status_code::error, error.what());
    } else if (one_in(10))
      span.set_status(fg::status_code::error);
    else if (one_in(8))
      span.set_status(fg::status_code::ok);
  }
  /// A context that no server has a span of.
  fg::span_context foreign() {
    char header[64];
    std::snprintf(header, sizeof header, "00-%016llx%016llx-%016llx-0%d",
                  static_cast<unsigned long long>(engine_() | 1), static_cast<unsigned long long>(engine_()),
                  static_cast<unsigned long long>(engine_() | 1), one_in(2) ? 1 : 0);
    headers carrier{{"traceparent", header}};
    if (one_in(2)) carrier["tracestate"] = "foreign=1";
    return services_[0].extract(carrier).span();
  }

  std::int64_t start_time() {
    if (!one_in(12)) return 0;
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    // A day long; or it would begin after its end, and so takes no time.
    return one_in(2) ? now - std::int64_t{86'400'000'000'000} - static_cast<std::int64_t>(below(1'000'000'000))
                     : now + 2'000'000'000;
  }

  /// What a service does on a request or on a message.
  void serve(std::uint64_t service, headers const& from, fg::span_kind kind, int depth) {
    fg::any_tracer const& tracer = services_[service];
    const fg::context parent = tracer.extract(from);
    static const std::vector<std::string> names{"GET /Orders/{id}", "charge",
                                                "zahle \xc3\xbc"
                                                "ber",
                                                "\xe6\x94\xaf\xe4\xbb\x98"};
    auto span = tracer.trace_context(
        one_of(names), fg::span_options{.kind = kind, .parent = parent, .start_time = start_time()},
        "service.index"_a = service, "depth"_a = depth, "ratio"_a = 0.5, "is.first"_a = depth == 0, "title"_a = text());
    decorate(span);
    for (std::uint64_t i = 0, count = below(3); i < count; ++i) work(tracer, 0);
    for (std::uint64_t i = 0, count = depth < 3 ? below(3) : 0; i < count; ++i) call(service, depth);
    if (one_in(3)) query(tracer);
    if (finished_.size() < 100) finished_.push_back(span.context());
  }
  void work(fg::any_tracer const& tracer, int depth) {
    auto span = tracer.trace_context("work", fg::span_options{.start_time = start_time()}, "depth"_a = depth);
    decorate(span);
    if (depth < 2 && one_in(2)) work(tracer, depth + 1);
  }
  /// Another service, or this one again, by a request or by a message.
  void call(std::uint64_t service, int depth) {
    fg::any_tracer const& tracer = services_[service];
    const bool message = one_in(4);
    auto span = tracer.trace_context(
        std::string_view(message ? "send" : "POST"),
        fg::span_options{.kind = message ? fg::span_kind::producer : fg::span_kind::client, .start_time = start_time()},
        "attempt"_a = 1);
    decorate(span);
    headers carried;
    tracer.inject(carried);
    serve(below(services_.size()), carried, message ? fg::span_kind::consumer : fg::span_kind::server, depth + 1);
  }
  /// Something that is not traced itself, told by its name or by its address.
  void query(fg::any_tracer const& tracer) {
    auto span = tracer.trace_context("SELECT", fg::span_options{.kind = fg::span_kind::client});
    switch (below(5)) {
      case 0:
        span.set_attribute("peer.service", "Orders-DB");
        span.set_attribute("server.address", "not.this.example");
        break;
      case 1:
        span.set_attribute("server.address", "db.example.com");
        break;
      case 2:
        span.set_attribute("network.peer.address", "10.1.2.3");
        span.set_attribute("network.peer.port", 5432);
        break;
      case 3:
        span.set_attribute("network.peer.address", "2001:db8::7");
        break;
      default:
        break;
    }
    decorate(span);
  }

  std::mt19937_64 engine_;
  bool finite_;
  std::vector<fg::any_tracer> services_;
  std::vector<fg::span_context> finished_;
};

}  // namespace

int main(int argc, char** argv) {
  bool finite = false, paced = false;
  for (int i = 4; i < argc; ++i) {
    finite = finite || std::string_view(argv[i]) == "finite";
    paced = paced || std::string_view(argv[i]) == "paced";
  }
  if (argc < 4) {
    std::fputs("usage: interop FILE SEED TRACES [finite] [paced]\n", stderr);
    return 2;
  }
  try {
    fg::get_tracer_from_env();  // before the real ones are replaced: they know what they lack
  } catch (fg::config_error const& error) {
    std::cerr << error.what() << '\n';
    return 3;
  }
  out.file.open(argv[1]);
  for (const char* type : {"opentelemetry", "jaeger", "zipkin"}) fg::tracer_factory::register_tracer(type, make_noting);
  workload work(std::strtoull(argv[2], nullptr, 10), finite);
  const unsigned long traces = std::strtoul(argv[3], nullptr, 10);
  bool flushed = true;
  for (unsigned long i = 0; i < traces; ++i) {
    work.run_one();
    if (paced || i % 4 == 3) flushed = work.flush() && flushed;  // a ring holds no more, and would say so
    if (!paced) continue;
    std::cout << "." << std::endl;
    std::string line;
    if (!std::getline(std::cin, line)) return 1;
  }
  flushed = work.flush() && flushed;
  const fg::tracer_stats stats = work.stats();
  out.file.close();
  std::cout << "{\"flushed\":" << flushed << ",\"written\":" << out.spans << ",\"started\":" << stats.started
            << ",\"sampled\":" << stats.sampled << ",\"exported\":" << stats.exported << ",\"failed\":" << stats.failed
            << ",\"dropped\":" << stats.dropped << ",\"queued\":" << stats.queued << "}" << std::endl;
  return out.file.good() ? 0 : 1;
}
