// The backend chosen at run time: from the environment, or from a `tracer_config`.
//
// Light: this header declares, <fulgurite/backends.hpp> in one file of the program (or the library fulgurite-runtime)
// brings what it takes to speak to the backends. Without that there is one clear error.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/any_tracer.hpp>
#include <fulgurite/config/config_error.hpp>
#include <fulgurite/config/tracer_config.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// Makes a tracer from a configuration; what it throws goes on to the caller of create_tracer.
using tracer_maker = std::function<any_tracer(tracer_config const&)>;

namespace detail {

struct tracer_registry {
  std::mutex mutex;
  std::map<std::string, tracer_maker, std::less<>> makers;

  static tracer_registry& instance() { return one_in_process<tracer_registry, process_part::tracer_registry>(); }
  std::vector<std::string> names() {
    const std::lock_guard lock(mutex);
    std::vector<std::string> all;
    for (auto const& entry : makers) all.push_back(entry.first);
    return all;
  }
  /// An empty function where there is none of this name.
  tracer_maker find(std::string_view name) {
    const std::lock_guard lock(mutex);
    const auto found = makers.find(name);
    return found == makers.end() ? tracer_maker() : found->second;
  }
};

inline backends const& needed_backends() {
  if (backends const* found = find_backends()) return *found;
  throw config_error(
      "no backends in this program: include <fulgurite/backends.hpp> in one source file or link fulgurite-runtime",
      {{"fulgurite/backends.hpp", "not in this program", "included in one source file, or fulgurite-runtime linked"}});
}

}  // namespace detail

/// The tracers that can be made by name.
class tracer_factory {
 public:
  /// Makes a name usable as `TRACER_TYPE` and as `tracer_config::registered_type`; case does not count. The name of a
  /// built-in type replaces that. Throws std::invalid_argument without a name or a function.
  static void register_tracer(std::string name, tracer_maker make) {
    if (name.empty() || !make) throw std::invalid_argument("register_tracer needs a name and a function");
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    auto& registry = detail::tracer_registry::instance();
    const std::lock_guard lock(registry.mutex);
    registry.makers[std::move(name)] = std::move(make);
  }

  /// The built-in types and then the registered names, each once.
  static std::vector<std::string> available() {
    std::vector<std::string> all;
    for (const auto type : {tracer_type::agentops, tracer_type::opentelemetry, tracer_type::jaeger, tracer_type::zipkin,
                            tracer_type::noop})
      all.emplace_back(to_string(type));
    const std::size_t built_in = all.size();
    for (std::string& name : detail::tracer_registry::instance().names()) {
      bool known = false;
      for (std::size_t i = 0; i < built_in; ++i) known = known || all[i] == name;
      if (!known) all.push_back(std::move(name));
    }
    return all;
  }
};

/// The tracer of a configuration; the environment is not read. Throws config_error with every problem at once.
inline any_tracer create_tracer(tracer_config const& config = {}) { return detail::needed_backends().create(config); }

/// The tracer that the environment and the file named by `TRACER_CONFIG_FILE` ask for: docs/CONFIGURATION.md. Throws
/// config_error with every problem at once.
inline any_tracer get_tracer_from_env() { return detail::needed_backends().from_environment(); }

}  // namespace v1
}  // namespace fulgurite
