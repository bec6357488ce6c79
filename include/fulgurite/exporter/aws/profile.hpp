// A profile out of the files that AWS's command line and SDKs share: `~/.aws/credentials` and `~/.aws/config`.
//
// The form is the AWS SDKs and Tools Reference Guide's, "Shared config and credentials files": sections in brackets,
// `name = value` lines, lines that begin with # or ;. A line that is none of these is passed over, and so is what is
// indented below a setting (nested settings, which hold no credentials). exporter/aws/credentials.hpp decides which
// file and which profile.
#pragma once

#include <fulgurite/text/ascii.hpp>
#include <fulgurite/text/flat_json.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// The two differ in how they name a profile: `[name]`; `[profile name]`, or `[default]`.
enum class aws_file { credentials, config };

inline std::string_view without_space_around(std::string_view text) noexcept {
  constexpr std::string_view space = " \t\r\n\f\v";
  text.remove_prefix(std::min(text.find_first_not_of(space), text.size()));
  return text.substr(0, text.find_last_not_of(space) + 1);
}

/// The profile that a section describes; empty when it describes none.
inline std::string_view profile_of_section(std::string_view section, aws_file kind) noexcept {
  section = without_space_around(section);
  if (kind == aws_file::credentials || section == "default") return section;
  constexpr std::string_view prefix = "profile";
  if (!section.starts_with(prefix)) return {};
  section.remove_prefix(prefix.size());
  if (section.empty() || (section.front() != ' ' && section.front() != '\t')) return {};
  section = without_space_around(section);
  const bool quoted =
      section.size() > 1 && (section.front() == '"' || section.front() == '\'') && section.back() == section.front();
  return quoted ? section.substr(1, section.size() - 2) : section;
}

/// A profile's settings, names in lower case; nothing when the file does not have the profile. Of what is said twice
/// the last counts.
inline std::optional<text_members> read_aws_profile(std::string_view file, std::string_view profile, aws_file kind) {
  std::optional<text_members> settings;
  bool inside = false;
  // Of the setting above: what is indented more belongs to it.
  std::size_t indentation = std::string_view::npos;
  while (!file.empty()) {
    std::string_view line = file.substr(0, file.find('\n'));
    file.remove_prefix(std::min(file.size(), line.size() + 1));
    const std::size_t indented = std::min(line.find_first_not_of(" \t"), line.size());
    line = without_space_around(line);
    if (line.empty() || line.front() == '#' || line.front() == ';' || indented > indentation) continue;
    if (line.front() == '[') {
      const std::size_t end = line.find(']');
      const std::string_view name =
          end == std::string_view::npos ? std::string_view() : profile_of_section(line.substr(1, end - 1), kind);
      inside = !name.empty() && name == profile;
      if (inside && !settings) settings.emplace();
      indentation = std::string_view::npos;
      continue;
    }
    indentation = indented;
    const std::size_t equals = line.find('=');
    if (!inside || equals == std::string_view::npos) continue;
    std::string name(without_space_around(line.substr(0, equals)));
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return lower_case(c); });
    std::string value(without_space_around(line.substr(equals + 1)));
    const auto same =
        std::find_if(settings->begin(), settings->end(), [&](auto const& member) { return member.first == name; });
    if (same != settings->end())
      same->second = std::move(value);
    else
      settings->emplace_back(std::move(name), std::move(value));
  }
  return settings;
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
