// A configuration as text, and the reference of all settings as a table. Secrets are hidden in both. Needs fmt.
#pragma once

#include <fulgurite/config/descriptors.hpp>

#include <fmt/format.h>

#include <string>

namespace fulgurite {
inline namespace v1 {

/// One line for each setting, `name = value`; a secret stands as `********`, an address without user and query.
inline std::string to_text(tracer_config const& config) {
  std::string out;
  detail::for_each_config_field(
      [&](auto const& field) { out += fmt::format("{} = {}\n", field.name, field.shown(config.*field.member)); });
  return out;
}

/// The Markdown table of docs/CONFIGURATION.md.
inline std::string configuration_reference() {
  std::string out;
  const auto add = [&](fmt::string_view format, auto const&... arguments) {
    out += fmt::format(fmt::runtime(format), arguments...);
  };
  const auto code = [](const char* text) { return text && *text ? fmt::format("`{}`", text) : std::string("–"); };
  add("| field | variable | OpenTelemetry's | default | allowed | meaning |\n|---|---|---|---|---|---|\n");
  add("| – | `TRACER_CONFIG_FILE` | – | – | a regular file with a JSON object | The configuration file: an object "
      "whose keys "
      "are "
      "the fields of this table. The environment wins over it. |\n");
  detail::for_each_config_field([&](auto const& field) {
    std::string standard = code(field.standard);
    if (field.standard_general) standard += ", " + code(field.standard_general);
    add("| `{}` | {} | {} | {} | {} | {}{} |\n", field.name, code(field.variable), standard, code(field.fallback),
        field.allowed, field.meaning, field.kind == detail::setting_kind::secret ? " **Secret.**" : "");
  });
  return out;
}

}  // namespace v1
}  // namespace fulgurite

template <>
struct fmt::formatter<fulgurite::tracer_config> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(fulgurite::tracer_config const& config, Context& context) const {
    return fmt::formatter<std::string_view>::format(fulgurite::to_text(config), context);
  }
};
