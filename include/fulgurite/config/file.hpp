// Reading a configuration file: one JSON object whose keys are the names of the settings.
//
//     { "tracer_type": "opentelemetry", "sampling_rate": 0.1, "otlp_headers": { "x-tenant": "a" } }
//
// Strict: an unknown name, a name twice and a value of the wrong type are problems. Needs simdjson.
#pragma once

#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/config/loaded_config.hpp>

#include <simdjson.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What a field's value may be in a file, in words. `given_text`: it was a text.
template <class T>
std::string json_allowed(std::string const& in_variable, bool given_text) {
  if constexpr (std::same_as<T, tracer_config::pairs>) return "an object of texts";
  if constexpr (std::same_as<T, std::vector<std::string>>) return "an array of texts of " + in_variable;
  constexpr bool is_bool = std::same_as<T, bool> || std::same_as<T, true_unless_said>;
  constexpr bool is_number =
      std::same_as<T, double> || std::same_as<T, std::size_t> || std::same_as<T, std::chrono::milliseconds>;
  if constexpr (is_bool || is_number)
    return (is_bool ? "true or false" : in_variable) + (given_text ? ", without quotes" : "");
  else if (given_text)
    return in_variable;
  else
    return "a text in quotes" + (in_variable == "any text" ? "" : ": " + in_variable);
}

/// Whether a name that is no field's may have been meant for a secret's.
inline bool may_name_secret(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const char* word : {"key", "token", "secret", "pass", "auth", "cred", "header", "cookie"})
    if (lower.find(word) != std::string::npos) return true;
  return false;
}

template <class T>
bool value_from_json(simdjson::dom::element element, T& out) {
  if constexpr (std::same_as<T, bool> || std::same_as<T, true_unless_said>) {
    bool value = false;
    if (element.get(value)) return false;
    out = value;
  } else if constexpr (std::same_as<T, double>) {
    if (element.get(out) || !std::isfinite(out)) return false;
  } else if constexpr (std::same_as<T, std::size_t> || std::same_as<T, std::chrono::milliseconds>) {
    std::int64_t value = 0;
    if (element.get(value) || value < 0 || value > INT32_MAX) return false;
    out = T(value);
  } else if constexpr (std::same_as<T, byte_count>) {
    std::string_view text;
    if (!element.get(text)) return value_from_text(text, text_rules::own, out);
    std::int64_t value = 0;
    if (element.get(value) || value < 0) return false;
    out = static_cast<byte_count>(value);
  } else if constexpr (std::same_as<T, std::vector<std::string>>) {
    simdjson::dom::array array;
    if (element.get(array)) return false;
    out.clear();
    for (const simdjson::dom::element entry : array) {
      std::string_view text;
      if (entry.get(text)) return false;
      if (std::ranges::find(out, text) == out.end()) out.emplace_back(text);
    }
  } else if constexpr (std::same_as<T, tracer_config::pairs>) {
    simdjson::dom::object object;
    if (element.get(object)) return false;
    out.clear();
    for (const auto entry : object) {
      std::string_view text;
      if (entry.value.get(text)) return false;
      out.emplace_back(entry.key, text);
    }
  } else {
    std::string_view text;
    if (element.get(text)) return false;
    return value_from_text(text, text_rules::own, out);
  }
  return true;
}

class config_file_reader {
 public:
  config_file_reader(loaded_config& to, std::string path, std::span<const std::string> registered)
      : to_(to), path_(std::move(path)), registered_(registered) {}

  void read() {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::dom::object settings;
    // Of a pipe nobody may ever write the end, and a device has none: a program must not wait for that to start.
    struct stat what{};
    if (stat(path_.c_str(), &what) != 0) return cannot_be_read(std::generic_category().message(errno));
    if (!S_ISREG(what.st_mode)) return cannot_be_read("This is no regular file.");
    if (access(path_.c_str(), R_OK) != 0) return cannot_be_read(std::generic_category().message(errno));
    constexpr off_t most = off_t{1} << 20;
    if (what.st_size > most) return cannot_be_read("It is larger than 1 MiB.");
    if (const auto error = parser.load(path_).get(document)) return cannot_be_read(simdjson::error_message(error));
    if (document.get(settings)) return cannot_be_read("The document is not an object.");
    std::set<std::string_view> seen;
    for (const auto entry : settings) {
      const bool again = !seen.insert(entry.key).second;
      bool known = false;
      for_each_config_field([&](auto const& field) {
        if (known || entry.key != field.name) return;
        known = true;
        if (again)
          refuse(entry.key, shown(field, entry.value), entry.value, "each field once, and this one is given before");
        else
          take(field, entry.value);
      });
      if (!known)
        refuse(entry.key, shown_unknown(entry.key, entry.value), entry.value,
               "the name of a field, and this is none: " + names());
    }
  }

 private:
  template <class T>
  void take(config_field<T> const& field, simdjson::dom::element element) {
    T value{};
    bool good = value_from_json(element, value);
    if constexpr (std::same_as<T, std::string>)
      if (field.kind == setting_kind::word) value = lower_case(trimmed(value));
    if (good && field.is_valid(value)) {
      // An empty text says nothing, as in a variable.
      if constexpr (std::same_as<T, std::string>)
        if (value.empty()) return;
      to_.config.*field.member = std::move(value);
      to_.origins[field.name] = config_origin::file;
      return;
    }
    if constexpr (std::same_as<T, tracer_type>) {
      std::string_view text;
      if (!element.get(text) && std::ranges::find(registered_, lower_case(text)) != registered_.end()) {
        to_.config.registered_type = lower_case(text);
        to_.origins[field.name] = config_origin::file;
        return;
      }
    }
    refuse(field.name, shown(field, element), element,
           field.allowed_in_file ? field.allowed_in_file
                                 : json_allowed<T>(allowed_with(registered_, field), element.is_string()));
  }

  void refuse(std::string_view name, std::string value, simdjson::dom::element element, std::string const& allowed) {
    const bool is_text = element.is_string() || value == hidden_text;
    to_.problems.push_back({std::string(name), std::move(value), allowed + place(), is_text});
  }

  /// A text as it is, anything else as JSON.
  static std::string text_of_json(simdjson::dom::element element) {
    std::string_view text;
    return element.get(text) ? simdjson::minify(element) : std::string(text);
  }
  template <class T>
  static std::string shown(config_field<T> const& field, simdjson::dom::element element) {
    return field.shown_text(text_of_json(element));
  }
  /// Of a field that is not known, so that nobody can say what in it is a secret.
  static std::string shown_unknown(std::string_view name, simdjson::dom::element element) {
    if (may_name_secret(name)) return std::string(hidden_text);
    if (element.is_object()) return "{...}";
    if (element.is_array()) return "[...]";
    return without_secrets(text_of_json(element));
  }

  void cannot_be_read(std::string_view sentence) {
    to_.problems.push_back(
        {"TRACER_CONFIG_FILE", path_, "a file with a JSON object of settings; here: " + std::string(sentence)});
  }
  std::string place() const { return " (in " + path_ + ")"; }
  static std::string names() {
    std::string all;
    for_each_config_field([&](auto const& field) { all += (all.empty() ? "" : ", ") + std::string(field.name); });
    return all;
  }

  loaded_config& to_;
  std::string path_;
  std::span<const std::string> registered_;
};

/// Reads a file into what was loaded so far.
inline void read_config_file(loaded_config& to, std::string path, std::span<const std::string> registered = {}) {
  config_file_reader(to, std::move(path), registered).read();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
