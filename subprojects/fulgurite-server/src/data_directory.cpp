#include "data_directory.hpp"

#include <fulgurite/exporter/agentops/local_server.hpp>

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <signal.h>
#include <simdjson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

namespace fulgurite_server {
namespace {

[[noreturn]] void fail(std::filesystem::path const& path, const char* what, int error) {
  throw std::runtime_error(fmt::format("{} {}: {}", path.string(), what, std::strerror(error)));
}

}  // namespace

std::filesystem::path default_data_directory() {
  // The tracer's rule, so that both look in the same place.
  const std::string directory = fulgurite::detail::default_data_directory();
  if (directory.empty()) throw std::runtime_error("no data directory: there is no home directory; set FULGURITE_DATA");
  return directory;
}

void create_data_directory(std::filesystem::path const& directory) {
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  if (directory.has_parent_path()) std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) fail(directory, "cannot be created", errno);
  if (!std::filesystem::is_directory(directory, error)) fail(directory, "is no directory", ENOTDIR);
}

std::optional<server_lock> server_lock::take(std::filesystem::path const& directory) {
  const std::filesystem::path file = directory / "server.lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) fail(file, "cannot be opened", errno);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(descriptor);
    if (error == EWOULDBLOCK) return {};
    fail(file, "cannot be locked", error);
  }
  server_lock lock(descriptor, directory);
  lock.withdraw();  // what a server that crashed left behind
  return lock;
}

server_lock::server_lock(server_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), directory_(std::move(other.directory_)) {}

server_lock::~server_lock() {
  if (descriptor_ < 0) return;
  withdraw();
  // The lock file stays: were it removed, two servers could each lock a file of that name.
  ::close(descriptor_);
}

void server_lock::announce(int port) const {
  const std::filesystem::path file = directory_ / "server.json", draft = directory_ / "server.json.new";
  {
    std::ofstream out(draft, std::ios::trunc);
    out << fmt::format(R"({{"pid":{},"port":{},"url":"http://127.0.0.1:{}","started":"{:%Y-%m-%dT%H:%M:%SZ}"}})",
                       ::getpid(), port, port, fmt::gmtime(std::time(nullptr)))
        << '\n';
    if (!out.flush()) fail(draft, "cannot be written", errno);
  }
  if (::rename(draft.c_str(), file.c_str()) != 0) fail(file, "cannot be written", errno);
}

void server_lock::withdraw() const { ::unlink((directory_ / "server.json").c_str()); }

std::optional<std::string> find_server(std::filesystem::path const& directory) {
  const int descriptor = ::open((directory / "server.lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  const bool is_free = ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
  ::close(descriptor);
  if (is_free) return {};
  std::ifstream in(directory / "server.json");
  std::ostringstream text;
  text << in.rdbuf();
  simdjson::dom::parser parser;
  const simdjson::padded_string json(text.str());
  simdjson::dom::element server;
  std::string_view url;
  std::int64_t process = 0;
  if (parser.parse(json).get(server) != simdjson::SUCCESS || server["url"].get_string().get(url) != simdjson::SUCCESS ||
      server["pid"].get_int64().get(process) != simdjson::SUCCESS)
    return {};
  // Whoever holds the lock may not have come to removing what a crashed one left behind.
  if (process <= 0 || (::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH)) return {};
  return std::string(url);
}

}  // namespace fulgurite_server
