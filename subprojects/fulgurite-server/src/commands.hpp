// `fulgurite traces` and `fulgurite trace`: from a data directory, with or without a server, or from a server's URL.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace fulgurite_server {

/// Where to read: the URL if there is one, else the directory.
struct trace_place {
  std::optional<std::string> url = {};
  std::filesystem::path data = {};
};

/// The command was called wrongly: exit code 2.
struct usage_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Standard output cannot be written: exit code 1, and without a word where the reader has left (EPIPE), as `head`
/// does.
struct output_error : std::system_error {
  using std::system_error::system_error;
};

/// Writes to standard output. Throws `output_error`.
void put(std::string_view text);
/// What `put` wrote has gone out when this returns. Throws `output_error`.
void finish_output();

/// The newest traces, at most `limit` (0: all), as a table or as one JSON summary a line. Returns the exit code.
int list_traces(trace_place const& from, std::size_t limit, bool json);
/// One trace, as a tree or as OTLP TracesData JSON in one line. Returns the exit code.
int show_trace(trace_place const& from, std::string const& wanted, bool json);

}  // namespace fulgurite_server
