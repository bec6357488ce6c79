// The `fulgurite` command: reads the command line and calls serve.cpp or commands.cpp.
#include "commands.hpp"
#include "data_directory.hpp"
#include "doctor.hpp"
#include "serve.hpp"

#include <fulgurite/record/resource.hpp>

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace fulgurite_server;

constexpr std::string_view help = R"(fulgurite keeps and shows the traces of programs on this machine.

usage: fulgurite serve [--port N] [--data DIR]
       fulgurite traces [--limit N] [--json] [--url URL | --data DIR]
       fulgurite trace ID|latest [--json] [--url URL | --data DIR]
       fulgurite doctor [--all] [--read-back URL]

  serve    listens on 127.0.0.1 and stores what is sent there: AgentOps and OTLP/HTTP (POST /v1/traces, protobuf).
           Prints `listening on http://127.0.0.1:PORT` first. One server serves one data directory.
    --port N        the port; 0 takes any free one (default: 14318)
    --managed       started by a tracer: any free port, in the background, says no more than the first line; where a
                    server already runs, prints its address instead
    --owner-pid N   ends when process N and every program that has joined it has ended
  traces   lists the newest traces, one a line (--json: one JSON object a line, all of them unless limited)
    --limit N       how many; 0 means all (default: 100)
  trace    shows a trace as a tree (--json: as OTLP TracesData). ID may be shortened to its first digits.

    --data DIR      the data directory, also read without a server
                    (default: $FULGURITE_DATA, $XDG_DATA_HOME/fulgurite or ~/.local/share/fulgurite)
    --url URL       ask the server there instead of reading a directory

  doctor   reads the configuration as a traced program would, says what it means, sends one span and looks whether it
           arrived. Takes a quarter of a minute at most, and prints no secrets.
    --all           also the settings that are at their defaults
    --read-back URL where to ask for the span: Jaeger's or Zipkin's interface, such as http://localhost:16686

  --help (-h), --version

Exit codes: 0 done, 1 not found or failed, 2 called wrongly. NO_COLOR and a pipe switch colours off.
)";

/// What is left of the command line. Options may come as `--name value` and `--name=value`.
class arguments {
 public:
  arguments(int count, char** values) : rest_(values + 1, values + count) {}

  /// Either form of it.
  bool help() {
    const bool short_form = flag("-h");
    return flag("--help") || short_form;
  }

  bool flag(std::string_view name) {
    for (auto at = rest_.begin(); at != rest_.end(); ++at)
      if (*at == name) {
        rest_.erase(at);
        return true;
      }
    return false;
  }

  std::optional<std::string> value(std::string_view name) {
    for (auto at = rest_.begin(); at != rest_.end(); ++at) {
      if (at->starts_with(name) && at->size() > name.size() && (*at)[name.size()] == '=') {
        std::string found = at->substr(name.size() + 1);
        rest_.erase(at);
        return found;
      }
      if (*at == name) {
        if (at + 1 == rest_.end()) throw usage_error(fmt::format("{} needs a value", name));
        std::string found = *(at + 1);
        rest_.erase(at, at + 2);
        return found;
      }
    }
    return {};
  }

  std::optional<long> number(std::string_view name, long least, long most) {
    const std::optional<std::string> text = value(name);
    if (!text) return {};
    long result = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), result);
    if (error != std::errc() || end != text->data() + text->size() || result < least || result > most)
      throw usage_error(fmt::format("{} is a number from {} to {}, not \"{}\"", name, least, most, *text));
    return result;
  }

  /// The next word that is no option.
  std::optional<std::string> word() {
    for (auto at = rest_.begin(); at != rest_.end(); ++at)
      if (!at->starts_with("-")) {
        std::string found = *at;
        rest_.erase(at);
        return found;
      }
    return {};
  }

  void expect_end() const {
    if (!rest_.empty()) throw usage_error(fmt::format("\"{}\" is not understood", rest_.front()));
  }

 private:
  std::vector<std::string> rest_;
};

std::filesystem::path data_of(arguments& given) {
  const std::optional<std::string> data = given.value("--data");
  if (data && data->empty()) throw usage_error("--data needs a directory");
  return data ? std::filesystem::path(*data) : default_data_directory();
}

trace_place place_of(arguments& given) {
  trace_place place;
  place.url = given.value("--url");
  if (const std::optional<std::string> data = given.value("--data")) {
    if (place.url) throw usage_error("--url and --data exclude each other");
    place.data = *data;
  } else if (!place.url) {
    place.data = default_data_directory();
  }
  return place;
}

int run(int count, char** values) {
  arguments given(count, values);
  const std::string_view first = count > 1 ? values[1] : "";
  if (first == "--help" || first == "-h" || first == "help") {
    put(help);
    return 0;
  }
  if (first == "--version") {
    put(fmt::format("fulgurite {}\n", fulgurite::library_version));
    return 0;
  }
  const std::optional<std::string> command = given.word();
  if (!command) throw usage_error("a command is missing");
  if (given.help()) {
    put(help);
    return 0;
  }
  if (*command == "serve") {
    serve_options options;
    constexpr long most_pid = std::numeric_limits<pid_t>::max();
    if (const auto port = given.number("--port", 0, 65535)) options.port = static_cast<int>(*port);
    if (const auto owner = given.number("--owner-pid", 1, most_pid)) options.owner = static_cast<pid_t>(*owner);
    options.managed = given.flag("--managed");
    options.data = data_of(given);
    given.expect_end();
    return serve(std::move(options));
  }
  if (*command == "traces") {
    const bool json = given.flag("--json");
    const auto limit = given.number("--limit", 0, 1'000'000'000);
    const trace_place from = place_of(given);
    given.expect_end();
    return list_traces(from, static_cast<std::size_t>(limit.value_or(json ? 0 : 100)), json);
  }
  if (*command == "trace") {
    const bool json = given.flag("--json");
    const trace_place from = place_of(given);
    const std::optional<std::string> id = given.word();
    given.expect_end();
    if (!id) throw usage_error("which trace? Give its id, or `latest`");
    return show_trace(from, *id, json);
  }
  if (*command == "doctor") {
    doctor_options options;
    options.all = given.flag("--all");
    options.read_back = given.value("--read-back");
    given.expect_end();
#ifdef FULGURITE_WITH_DOCTOR
    return doctor(options);
#else
    throw std::runtime_error("this build has no doctor: it needs OpenSSL and Boost.Hana");
#endif
  }
  if (*command == "triplets" || *command == "run")
    throw usage_error(fmt::format("`{}` is not in this version ({})", *command, fulgurite::library_version));
  throw usage_error(fmt::format("there is no command \"{}\"", *command));
}

/// A standard descriptor that is closed would be the number of the first file opened, and that file get the output.
void fill_closed_descriptors() {
  for (const int fd : {0, 1, 2})
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) std::_Exit(1);
}

}  // namespace

int main(int count, char** values) {
  fill_closed_descriptors();
  try {
    const int code = run(count, values);
    finish_output();
    return code;
  } catch (output_error const& error) {
    if (error.code().value() != EPIPE) std::fprintf(stderr, "fulgurite: %s\n", error.what());
    return 1;
  } catch (usage_error const& error) {
    std::fprintf(stderr, "fulgurite: %s (see fulgurite --help)\n", error.what());
    return 2;
  } catch (std::exception const& error) {
    std::fprintf(stderr, "fulgurite: %s\n", error.what());
    return 1;
  }
}
