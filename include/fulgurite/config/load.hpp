// The whole way from variables and a file to a configuration: the file named by `TRACER_CONFIG_FILE` first, then the
// environment, which wins.
#pragma once

#include <fulgurite/config/environment.hpp>
#include <fulgurite/config/file.hpp>
#include <fulgurite/config/loaded_config.hpp>

#include <concepts>
#include <cstdlib>
#include <span>
#include <string>

namespace fulgurite {
inline namespace v1 {

/// Reads with `lookup(name)`, which gives a variable's text or a null pointer. `registered` are the names of registered
/// tracers, in lower case.
template <std::invocable<const char*> Lookup>
loaded_config load_config(Lookup const& lookup, std::span<const std::string> registered = {}) {
  loaded_config loaded;
  if (const char* path = lookup("TRACER_CONFIG_FILE"); path && *path) {
    loaded.file = path;
    detail::read_config_file(loaded, path, registered);
  }
  detail::read_environment(loaded, lookup, registered);
  return loaded;
}

/// Reads this process's environment.
inline loaded_config load_config(std::span<const std::string> registered = {}) {
  return load_config([](const char* name) { return static_cast<const char*>(std::getenv(name)); }, registered);
}

}  // namespace v1
}  // namespace fulgurite
