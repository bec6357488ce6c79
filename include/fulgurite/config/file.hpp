// Reading a configuration file: one JSON object whose keys are the names of the settings.
//
//     { "tracer_type": "opentelemetry", "sampling_rate": 0.1, "otlp_headers": { "x-tenant": "a" } }
//
// Strict: an unknown name, a name twice and a value of the wrong type are problems. Needs simdjson.
#pragma once

#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/config/loaded_config.hpp>

#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// What a field's value may be in a file, in words; null where it is what a variable may be.
template <class T>
constexpr const char* json_allowed() noexcept {
  if constexpr (std::same_as<T, bool> || std::same_as<T, true_unless_said>) return "true or false";
  if constexpr (std::same_as<T, tracer_config::pairs>) return "an object of texts";
  if constexpr (std::same_as<T, std::vector<std::string>>) return "an array of texts";
  return nullptr;
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
    if (const auto error = parser.load(path_).get(document)) return cannot_be_read(simdjson::error_message(error));
    if (document.get(settings)) return cannot_be_read("The document is not an object.");
    std::set<std::string_view> seen;
    for (const auto entry : settings) {
      const bool again = !seen.insert(entry.key).second;
      bool known = false;
      for_each_config_field([&](auto const& field) {
        if (known || entry.key != field.name) return;
        known = true;
        if (!again) take(field, entry.value);
      });
      if (again)
        to_.problems.push_back(
            {std::string(entry.key), known ? "given twice" : "unknown", "each field once" + place()});
      else if (!known)
        to_.problems.push_back({std::string(entry.key), "unknown", "one of " + names() + place()});
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
    std::string allowed = allowed_with(registered_, field);
    if (const char* in_json = json_allowed<T>()) {
      const bool choices = std::same_as<T, std::vector<std::string>>;
      allowed = choices ? std::string(in_json) + " of " + field.allowed : std::string(in_json);
    }
    to_.problems.push_back({field.name, shown(field, element), allowed + place()});
  }

  /// A text as it is, anything else as JSON.
  template <class T>
  static std::string shown(config_field<T> const& field, simdjson::dom::element element) {
    std::string_view text;
    return field.shown_text(element.get(text) ? simdjson::minify(element) : std::string(text));
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
