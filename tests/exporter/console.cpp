#include <fulgurite/exporter/console.hpp>

#include "../record_builder.hpp"

#include <fulgurite/fulgurite.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

constexpr std::int64_t ms = 1'000'000;

/// What an exporter wrote.
struct memory_stream {
  memory_stream() : stream(open_memstream(&data, &size)) { REQUIRE(stream); }
  memory_stream(memory_stream const&) = delete;
  memory_stream& operator=(memory_stream const&) = delete;
  ~memory_stream() {
    std::fclose(stream);
    std::free(data);
  }
  std::string text() const {
    std::fflush(stream);
    return {data, size};
  }

  char* data = nullptr;
  std::size_t size = 0;
  std::FILE* stream;
};

fg::span_data span(std::uint64_t trace, std::uint64_t id, std::uint64_t parent, std::string name,
                   std::int64_t start = 1000 * ms, std::int64_t end = 1001 * ms) {
  fg::span_data result;
  result.name = std::move(name);
  result.trace_id = fg::trace_id::from_numbers(0, trace);
  result.span_id = fg::span_id::from_number(id);
  result.parent_span_id = fg::span_id::from_number(parent);
  result.start_time = start;
  result.end_time = end;
  return result;
}

fg::batch_outcome export_all(fg::console_exporter& to, std::vector<fg::span_data> const& spans) {
  fulgurite_test::record_builder builder(std::make_shared<fg::resource>(fg::resource{.service_name = "checkout"}));
  for (fg::span_data const& one : spans) builder.add(one);
  return to.export_spans(builder.batch());
}

fg::deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

fg::console_options plain(std::FILE* stream) {
  return {.stream = stream, .colours = fg::console_colours::never, .width = 60};
}

/// Says how many messages were logged.
struct log_counter {
  log_counter() {
    fg::set_log_handler([this](fg::log_level, std::string_view message) { messages.emplace_back(message); });
  }
  ~log_counter() { fg::set_log_handler(nullptr); }
  std::vector<std::string> messages;
};

}  // namespace

TEST_CASE("a trace is printed when its root arrives") {
  const memory_stream out;
  fg::console_exporter exporter(plain(out.stream));
  fg::span_data charge = span(1, 2, 1, "charge card", 1010 * ms, 1030 * ms);
  charge.attributes = {{"order.id", 7}, {"amount", 99.5}};
  charge.events = {{"authorised", 1020 * ms, {{"attempt", 2}}}};
  charge.status = {fg::status_code::error, "declined"};
  CHECK(export_all(exporter, {charge}).is_success());
  CHECK(out.text().empty());
  CHECK(export_all(exporter, {span(1, 1, 0, "checkout", 1000 * ms, 1050 * ms)}).is_success());
  CHECK(out.text() == R"(trace 00000000000000000000000000000001  checkout
1970-01-01 00:00:01.000 UTC · 50.0 ms · 2 spans · 1 error

checkout ··········································· 50.0 ms
└─ charge card ····································· 20.0 ms
      error: declined
      order.id=7  amount=99.5
      • authorised  +10.0 ms
        attempt=2

)");
}

TEST_CASE("a root before its child in one batch, and two traces mixed") {
  const memory_stream out;
  fg::console_exporter exporter(plain(out.stream));
  CHECK(export_all(exporter, {span(1, 11, 10, "child of a"), span(2, 21, 20, "child of b")}).is_success());
  CHECK(export_all(exporter, {span(2, 20, 0, "b"), span(1, 12, 10, "sibling in a"), span(2, 22, 20, "late in b")})
            .is_success());
  const std::string b = out.text();
  CHECK(count(b, "trace ") == 1);
  CHECK(count(b, " 3 spans") == 1);
  CHECK(count(b, " a ") == 0);
  CHECK(export_all(exporter, {span(1, 10, 0, "a")}).is_success());
  const std::string a = out.text().substr(b.size());
  CHECK(count(a, "trace ") == 1);
  CHECK(count(a, " 3 spans") == 1);
  CHECK(count(a, "├─ child of a ") == 1);
  CHECK(count(a, "└─ sibling in a ") == 1);
  CHECK(count(a + b, "not here") == 0);
}

TEST_CASE("what has no root is printed by flush and marked, what is late at once") {
  const memory_stream out;
  fg::console_exporter exporter(plain(out.stream));
  CHECK(exporter.flush(soon()));
  CHECK(out.text().empty());
  CHECK(export_all(exporter, {span(1, 11, 10, "orphan")}).is_success());
  CHECK(exporter.flush(soon()));
  CHECK(count(out.text(), "orphan (its parent 000000000000000a is not here)") == 1);
  CHECK(export_all(exporter, {span(2, 20, 0, "root")}).is_success());
  CHECK(export_all(exporter, {span(2, 21, 20, "after its root")}).is_success());
  CHECK(count(out.text(), "after its root (its parent") == 1);
  CHECK(export_all(exporter, {span(3, 31, 30, "at the end")}).is_success());
  CHECK(exporter.shutdown(soon()));
  CHECK(count(out.text(), "at the end (its parent") == 1);
  CHECK(exporter.flush(soon()));
  CHECK(count(out.text(), "trace ") == 4);
}

TEST_CASE("over the bound the oldest trace goes first") {
  const memory_stream out;
  fg::console_options options = plain(out.stream);
  options.max_buffered_spans = 3;
  fg::console_exporter exporter(options);
  CHECK(export_all(exporter, {span(1, 11, 10, "one"), span(2, 21, 20, "two"), span(1, 12, 10, "one again")}).waiting ==
        3);
  CHECK(out.text().empty());
  CHECK(export_all(exporter, {span(3, 31, 30, "three")}).waiting == 1);
  CHECK(exporter.stats().settled.exported == 2);
  CHECK(count(out.text(), "\none (its") == 1);
  CHECK(count(out.text(), "one again ") == 1);
  CHECK(count(out.text(), "two ") == 0);
  CHECK(count(out.text(), "three ") == 0);
  for (std::uint64_t i = 100; i < 1100; ++i) export_all(exporter, {span(i, 1, 9, "many")});
  CHECK(count(out.text(), "many ") == 997);
}

TEST_CASE("colours are said or found, and no other control character gets out") {
  const memory_stream out;
  fg::console_options options = plain(out.stream);
  fg::span_data evil = span(1, 1, 0, "\x1b[2Jname");
  evil.attributes = {{"key\r", "\x1b]0;title\x07"}};
  for (const fg::console_colours colours :
       {fg::console_colours::never, fg::console_colours::automatic, fg::console_colours::always}) {
    const std::size_t before = out.text().size();
    options.colours = colours;
    fg::console_exporter exporter(options);
    CHECK(export_all(exporter, {evil}).is_success());
    const std::string text = out.text().substr(before);
    CHECK(count(text, "\x1b[1m\\x1b[2Jname\x1b[0m") == (colours == fg::console_colours::always ? 1 : 0));
    CHECK((count(text, "\x1b") > 0) == (colours == fg::console_colours::always));
    CHECK(count(text, "\\x1b[2Jname") == 1);
    CHECK(count(text, "key\\r=\\x1b]0;title\\x07") == 1);
    CHECK(count(text, "\x1b[2J") + count(text, "\x1b]") + count(text, "\r") + count(text, "\x07") == 0);
  }
}

TEST_CASE("what cannot be printed is a failure, counted and said") {
  const log_counter log;
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full);
  fg::console_exporter exporter(plain(full));
  CHECK(export_all(exporter, {span(1, 2, 1, "child")}).waiting == 1);
  const fg::batch_outcome outcome = export_all(exporter, {span(1, 1, 0, "root")});
  CHECK(outcome.failed == 1);
  CHECK(outcome.reason == "a trace cannot be printed: No space left on device");
  CHECK(exporter.stats().settled.failed == 1);  // the child; the root is in the batch that failed
  REQUIRE(log.messages.size() == 1);
  CHECK(log.messages[0] == "console: a trace cannot be printed: No space left on device");
  CHECK(export_all(exporter, {span(2, 2, 1, "child"), span(2, 3, 1, "child")}).waiting == 2);
  CHECK_FALSE(exporter.flush(soon()));
  CHECK(exporter.stats().settled.failed == 3);
  CHECK(exporter.stats().settled.exported == 0);
  CHECK(exporter.flush(soon()));  // nothing is left
  CHECK(std::fclose(full) == 0);  // nor in the stream

  fg::console_exporter nowhere(plain(nullptr));
  CHECK(export_all(nowhere, {span(1, 1, 0, "root")}).failed > 0);
}

TEST_CASE("it can be moved with what it keeps") {
  const memory_stream out;
  fg::console_exporter first(plain(out.stream));
  CHECK(export_all(first, {span(1, 2, 1, "child")}).is_success());
  fg::console_exporter second = std::move(first);
  CHECK(export_all(second, {span(1, 1, 0, "root")}).is_success());
  CHECK(count(out.text(), "└─ child ") == 1);
  CHECK(second.flush(soon()));
  CHECK(count(out.text(), "trace ") == 1);
}

TEST_CASE("in the child of a fork it begins anew") {
  const memory_stream out;
  fg::console_exporter exporter(plain(out.stream));
  CHECK(export_all(exporter, {span(1, 2, 1, "the parent's")}).waiting == 1);
  CHECK(exporter.flush(soon()));
  CHECK(export_all(exporter, {span(3, 2, 1, "the parent's, too")}).waiting == 1);
  CHECK(exporter.stats().settled.exported == 1);
  exporter.after_fork();
  CHECK(exporter.stats().settled.spans() == 0);
  CHECK(export_all(exporter, {span(3, 1, 0, "the child's")}).exported == 1);
  CHECK(exporter.flush(soon()));
  CHECK(exporter.stats().settled.spans() == 0);
  CHECK(count(out.text(), "the child's") == 1);
  CHECK(count(out.text(), "the parent's, too") == 0);
}

TEST_CASE("under a tracer") {
  const memory_stream out;
  fg::tracer tracer{fg::resource{.service_name = "shop"}, fg::always_on_sampler{},
                    fg::console_exporter{plain(out.stream)}, fg::w3c_propagator{}, fg::inline_processor{}};
  {
    auto root = tracer.trace_context("checkout", "order.id"_a = 7);
    {
      auto child = tracer.trace_context("charge card");
    }
    CHECK(out.text().empty());
  }
  CHECK(count(out.text(), "\ncheckout ·") == 1);
  CHECK(count(out.text(), "\n│  order.id=7\n") == 1);
  CHECK(count(out.text(), "\n└─ charge card ·") == 1);
  CHECK(tracer.stats().exported == 2);
}
