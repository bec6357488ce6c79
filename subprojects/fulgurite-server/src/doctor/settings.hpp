// What was configured and by what: each setting with its value, secrets hidden, and the variable or the file that it
// comes from. Needs Boost.Hana.
#pragma once

#include <fulgurite/config/loaded_config.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_server {

/// Gives a variable's text or a null pointer, as std::getenv does.
using variables = std::function<const char*(const char*)>;

/// Where a setting was given, or where it can be.
struct setting_place {
  /// A variable's name, or in a file the field's.
  std::string name = {};
  /// Empty for a variable.
  std::string file = {};

  /// `OTLP_ENDPOINT`, or `otlp_endpoint in tracing.json`
  std::string to_text() const { return file.empty() ? name : name + " in " + file; }
  /// `OTLP_ENDPOINT=value`, or `otlp_endpoint to "value" in tracing.json`
  std::string with(std::string_view value) const {
    return file.empty() ? name + "=" + std::string(value) : name + " to \"" + std::string(value) + "\" in " + file;
  }
};

struct setting_row {
  std::string name = {}, value = {}, origin = {};
  /// Somebody said it; else it is at its default.
  bool given = false;
};

/// Where the setting was given; without a name where nobody gave it.
setting_place given_at(fulgurite::loaded_config const& from, variables const& read, std::string_view member);
/// The same; where nobody gave it, the variable that sets it.
setting_place place_of(fulgurite::loaded_config const& from, variables const& read, std::string_view member);

/// All settings in the order of the reference, values as they may be shown on a terminal. One that has a problem is
/// left out: its value is not the one that was given. What was given and has no effect with this backend says so.
std::vector<setting_row> setting_rows(fulgurite::loaded_config const& from, variables const& read);

/// An address alone chooses no backend.
std::vector<std::string> endpoints_without_type(fulgurite::loaded_config const& from, variables const& read);

/// Of the names of variables those that look as if they were meant for us, and that nothing reads.
std::vector<std::string> unread_variables(std::vector<std::string> const& names);

/// Aligned lines, indented by two; `small` gets what is to look less important.
std::string to_text(std::vector<setting_row> const& rows, std::function<std::string(std::string_view)> const& small);

/// Takes the configuration's secrets out of a text that somebody else wrote: a backend may repeat what it was sent.
std::string without_secrets_of(fulgurite::tracer_config const& config, variables const& read, std::string text);

}  // namespace fulgurite_server
