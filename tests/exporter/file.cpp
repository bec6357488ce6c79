#include <fulgurite/exporter/file.hpp>

#include "../record_builder.hpp"
#include "../spool_folder.hpp"
#include "../tracing.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace fg::literals;

namespace {

fg::batch_outcome export_named(fg::file_exporter& to, std::string const& name) {
  fg::span_data span;
  span.name = name;
  record_builder builder(std::make_shared<fg::resource>(fg::resource{.service_name = "shop"}));
  builder.add(span);
  return to.export_spans(builder.batch());
}
std::string json_of(std::string const& name) {
  fg::span_data span;
  span.name = name;
  span.resource = std::make_shared<fg::resource>(fg::resource{.service_name = "shop"});
  return fg::to_otlp_json(std::vector<fg::span_data>{span}) + "\n";
}

}  // namespace

TEST_CASE("a batch is a line of OTLP JSON") {
  const spool_folder folder;
  const std::string path = folder.path() + "/traces.jsonl";
  fg::file_exporter exporter({.path = path});
  CHECK_FALSE(files::exists(path));
  CHECK(export_named(exporter, "one\ntwo").is_success());
  CHECK(export_named(exporter, "three").is_success());
  CHECK(spool_folder::content(path) == json_of("one\ntwo") + json_of("three"));
  record_builder empty;
  CHECK(exporter.export_spans(empty.batch()).is_success());
  CHECK(exporter.counts().lines == 2);
  CHECK(exporter.flush({}));
}

TEST_CASE("under a tracer: written, counted, and lost when the disk is full") {
  const spool_folder folder;
  const std::string path = folder.path() + "/traces.jsonl";
  {
    fg::tracer tracer{fg::resource{.service_name = "shop"}, fg::always_on_sampler{}, fg::file_exporter{{.path = path}}};
    {
      auto span = tracer.trace_context("charge", "order.id"_a = 7);
    }
    CHECK(tracer.force_flush());
    CHECK(tracer.stats().exported == 1);
    CHECK(tracer.check_health().reachable);
    CHECK(tracer.check_health().endpoint == "file://" + path);
  }
  const std::string text = spool_folder::content(path);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.starts_with("{\"resourceSpans\":["));
  CHECK(text.ends_with("]}]}]}\n"));
  CHECK(text.find(R"("key":"order.id","value":{"intValue":"7"})") != std::string::npos);
  log_capture log;
  fg::tracer full{fg::resource{}, fg::always_on_sampler{}, fg::file_exporter{{.path = "/dev/full"}}};
  for (int i = 0; i < 3; ++i) {
    {
      auto span = full.trace_context("lost");
    }
    CHECK_FALSE(full.force_flush());
  }
  CHECK(full.stats().failed == 3);
  check_accounts(full.stats());
  CHECK(log.count("file: /dev/full: a batch was not written: No space left on device") == 1);
}

TEST_CASE("a relative path stays where it was; it rotates and counts") {
  const spool_folder folder;
  const files::path before = files::current_path();
  files::current_path(folder.path());
  fg::file_exporter exporter({.path = "t.jsonl", .max_bytes = 10, .max_files = 2});
  files::current_path(before);
  spool_folder::write(folder.path() + "/t.jsonl", "{\"half");
  CHECK(export_named(exporter, "one").is_success());
  CHECK(export_named(exporter, "two").is_success());
  CHECK(spool_folder::content(folder.path() + "/t.jsonl") == json_of("two"));
  CHECK(exporter.counts().lines == 2);
  CHECK(exporter.counts().rotated == 2);
  CHECK(exporter.counts().torn == 0);  // the torn end went with its file
  CHECK(std::distance(files::directory_iterator(folder.path()), {}) == 2);
  fg::file_exporter moved = std::move(exporter);
  CHECK(export_named(moved, "three").is_success());
  CHECK(moved.shutdown({}));
  CHECK(export_named(moved, "four").failed > 0);
}

TEST_CASE("a torn end is told") {
  log_capture log;
  const spool_folder folder;
  spool_folder::write(folder.path() + "/t", "{\"half");
  fg::file_exporter exporter({.path = folder.path() + "/t"});
  CHECK(export_named(exporter, "one").is_success());
  CHECK(spool_folder::content(folder.path() + "/t") == "{\"half\n" + json_of("one"));
  CHECK(exporter.counts().torn == 1);
  CHECK(log.count("ended in the middle of a line") == 1);
}

TEST_CASE("both sides of a fork write to the file") {
  const spool_folder folder;
  const std::string path = folder.path() + "/t";
  fg::file_exporter exporter({.path = path});
  CHECK(export_named(exporter, "before").is_success());
  const pid_t child = ::fork();
  if (child == 0) {
    exporter.after_fork();
    bool written = exporter.counts().lines == 0;
    for (int i = 0; i < 100; ++i) written = export_named(exporter, "child").is_success() && written;
    ::_exit(written ? 0 : 1);
  }
  for (int i = 0; i < 100; ++i) CHECK(export_named(exporter, "parent").is_success());
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  std::string text = spool_folder::content(path);
  for (const auto& [name, times] : {std::pair{"before", 1}, std::pair{"parent", 100}, std::pair{"child", 100}}) {
    const std::string line = json_of(name);
    int found = 0;
    for (std::size_t at = text.find(line); at != text.npos; at = text.find(line)) {
      text.erase(at, line.size());
      ++found;
    }
    CHECK(found == times);
  }
  CHECK(text.empty());
}

TEST_CASE("health: the file, or the directory it would be made in") {
  const spool_folder folder;
  fg::file_exporter exporter({.path = folder.path() + "/t"});
  CHECK(exporter.check_health({}).reachable);
  CHECK_FALSE(files::exists(folder.path() + "/t"));
  fg::file_exporter nowhere({.path = folder.path() + "/no/t"});
  CHECK_FALSE(nowhere.check_health({}).reachable);
  CHECK(nowhere.check_health({}).reason == folder.path() + "/no/: No such file or directory");
  CHECK(fg::file_exporter({.path = "/dev/null"}).check_health({}).reachable);
  CHECK(fg::file_exporter({.path = folder.path()}).check_health({}).reason == folder.path() + ": Is a directory");
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(fg::file_exporter({.path = pipe}).check_health({}).reachable);  // nobody reads
}
