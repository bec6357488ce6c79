// Finds the local server (`fulgurite serve`), or starts it: a process of its own that the program need not know of.
//
// The program keeps its descriptors, its signals and its `wait` (platform/detached_process.hpp). The server has its own
// files in the data directory, of which `server.json` says where it listens.
#pragma once

#include <fulgurite/platform/detached_process.hpp>
#include <fulgurite/text/flat_json.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// `$FULGURITE_DATA`, else `$XDG_DATA_HOME/fulgurite`, else `~/.local/share/fulgurite`; empty when there is no home.
inline std::string default_data_directory() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return std::string(value ? value : "");
  };
  if (std::string given = variable("FULGURITE_DATA"); !given.empty()) return given;
  if (const std::string data = variable("XDG_DATA_HOME"); !data.empty() && data.front() == '/')
    return data + "/fulgurite";
  std::string home = variable("HOME");
  if (home.empty()) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found && found->pw_dir)
      home = found->pw_dir;
  }
  return home.empty() ? std::string() : home + "/.local/share/fulgurite";
}

/// Whether a URL is plain HTTP to this machine, as the local server's is: nothing else is believed.
inline bool is_local_url(std::string const& url) {
  http_endpoint at;
  return parse_endpoint(url, at).empty() && !at.tls &&
         (at.host == "127.0.0.1" || at.host == "::1" || at.host == "localhost");
}

/// What `server.json` says: the URL of a server that runs, or did before it crashed. Empty when it says nothing.
inline std::string announced_server(std::string const& directory) {
  std::ifstream in(directory + "/server.json");
  std::string json(4096, '\0');
  in.read(json.data(), static_cast<std::streamsize>(json.size()));
  json.resize(static_cast<std::size_t>(in.gcount()));
  std::string url = json_text_member(json, "url");
  return is_local_url(url) ? url : std::string();
}

/// The command's full path by $PATH, or empty.
inline std::string find_command(std::string_view name) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = rest.find(':');
    std::string candidate(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    if (candidate.empty() || candidate.front() != '/') continue;  // never from wherever the program happens to stand
    candidate.append("/").append(name);
    struct stat about{};
    if (::stat(candidate.c_str(), &about) == 0 && S_ISREG(about.st_mode) && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  return {};
}

struct started_server {
  std::string url = {};
  /// Why there is no URL.
  std::string problem = {};
};

/// Runs `fulgurite serve --managed` and waits until it says where it listens. `owner`: the server ends with this
/// process.
inline started_server start_server(std::string const& program, std::string const& directory, bool owner,
                                   std::chrono::steady_clock::time_point until, std::atomic<bool> const& stop) {
  std::vector<std::string> command{program, "serve", "--managed", "--port", "0", "--data", directory};
  if (owner) {
    command.emplace_back("--owner-pid");
    command.push_back(std::to_string(getpid()));
  }
  detached_process server(command);
  if (!server.is_started()) return {{}, "no process could be started: " + std::string(std::strerror(errno))};
  const std::string line = server.read_line(until, stop);
  constexpr std::string_view listening = "listening on ";
  if (line.starts_with(listening)) {
    std::string url = line.substr(listening.size());
    if (is_local_url(url)) return {std::move(url), {}};
  }
  if (!line.empty()) return {{}, program + " says: " + line};
  const std::string end = server.end();
  if (!end.empty()) return {{}, program + " " + end + " before it said where it listens"};
  return {{},
          program + (server.is_silent() ? " does not say where it listens" : " did not say in time where it listens")};
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
