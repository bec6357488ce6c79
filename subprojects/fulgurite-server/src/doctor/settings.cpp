#include "settings.hpp"

#include <fulgurite/config/backend_problems.hpp>
#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/exporter/otlp_response.hpp>
#include <fulgurite/text/base64.hpp>
#include <fulgurite/text/printable.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <utility>

namespace fulgurite_server {
namespace {

using fulgurite::config_origin;
using fulgurite::loaded_config;
using fulgurite::tracer_config;
using fulgurite::detail::setting_kind;

bool is_set(variables const& read, const char* name) {
  const char* const text = name ? read(name) : nullptr;
  return text && *text;
}

/// The variable by which OpenTelemetry's rules set this member; the rules are in config/environment.hpp.
template <class Field>
std::string standard_variable(Field const& field, variables const& read) {
  const std::string_view member = field.name;
  // Chosen by the exporter's name where TRACER_TYPE is unset.
  if (member == "tracer_type") return "OTEL_TRACES_EXPORTER";
  if (member == "sampling_rate" && !is_set(read, field.standard)) return "OTEL_TRACES_SAMPLER";
  if (!field.by_rule && !is_set(read, field.standard)) return "OTEL_RESOURCE_ATTRIBUTES";
  return field.standard;
}

/// What the setting is for, as `exports_by` knows it; empty for what every backend heeds.
std::string_view backend_of(std::string_view member) {
  for (const std::string_view word : {"otlp", "jaeger", "zipkin", "agentops"})
    if (member.starts_with(word) && member.substr(word.size()).starts_with("_")) return word;
  return member == "file" ? member : std::string_view();
}

bool has_effect(tracer_config const& config, std::string_view member) {
  const std::string_view backend = backend_of(member);
  return backend.empty() || fulgurite::detail::exports_by(config, backend);
}

/// What was chosen instead.
std::string chosen(tracer_config const& config) {
  return config.tracer_type == fulgurite::tracer_type::opentelemetry
             ? fulgurite::detail::text_of(config.traces_exporters)
             : fulgurite::detail::text_of(config.tracer_type);
}

}  // namespace

setting_place given_at(loaded_config const& from, variables const& read, std::string_view member) {
  setting_place place;
  const config_origin origin = from.origin(member);
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    if (field.name != member) return;
    if (origin == config_origin::file) place = {field.name, from.file};
    if (origin == config_origin::own_variable) place.name = field.variable;
    if (origin == config_origin::opentelemetry) place.name = standard_variable(field, read);
    if (origin == config_origin::opentelemetry_general)
      place.name = field.standard_general ? field.standard_general : field.standard;
  });
  return place;
}

setting_place place_of(loaded_config const& from, variables const& read, std::string_view member) {
  setting_place place = given_at(from, read, member);
  if (!place.name.empty()) return place;
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    if (field.name != member) return;
    // In the environment the name of a registered tracer stands there.
    place.name = member == "registered_type" ? "TRACER_TYPE"
                 : field.variable            ? field.variable
                 : field.standard_general    ? field.standard_general
                                             : field.standard;
  });
  return place;
}

std::vector<setting_row> setting_rows(loaded_config const& from, variables const& read) {
  std::vector<setting_row> rows;
  const tracer_config defaults;
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    for (auto const& problem : from.problems)
      if (problem.variable == field.name || problem.variable == field.best_name()) return;
    auto const& value = from.config.*field.member;
    const setting_place place = given_at(from, read, field.name);
    setting_row row{field.name, fulgurite::printable(field.shown(value), 300), {}, !place.name.empty()};
    if (row.given) {
      row.origin = fulgurite::printable(place.to_text());
      if (!has_effect(from.config, field.name)) row.origin += ", no effect with " + chosen(from.config);
    } else if (fulgurite::detail::text_of(value) != fulgurite::detail::text_of(defaults.*field.member)) {
      row.origin = "follows from the others";
    } else {
      row.origin = "default (" + place_of(from, read, field.name).name + ")";
    }
    rows.push_back(std::move(row));
  });
  return rows;
}

std::vector<std::string> endpoints_without_type(loaded_config const& from, variables const& read) {
  std::vector<std::string> sentences;
  if (from.origin("tracer_type") != config_origin::unset) return sentences;
  constexpr std::array<std::array<const char*, 2>, 3> addresses{
      {{"otlp_endpoint", "opentelemetry"}, {"jaeger_endpoint", "jaeger"}, {"zipkin_endpoint", "zipkin"}}};
  for (auto const& [member, type] : addresses)
    if (const setting_place place = given_at(from, read, member); !place.name.empty())
      sentences.push_back(place.to_text() + " is given, and nothing goes there without TRACER_TYPE=" + type);
  return sentences;
}

std::vector<std::string> unread_variables(std::vector<std::string> const& names) {
  constexpr std::array<std::string_view, 4> ours{"TRACER_", "OTLP_", "AGENTOPS_", "OTEL_EXPORTER_OTLP_TRACES_"};
  std::vector<std::string> known{"TRACER_CONFIG_FILE"};
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    for (const char* name : {field.variable, field.standard, field.standard_general})
      if (name) known.emplace_back(name);
  });
  std::vector<std::string> unread;
  for (std::string const& name : names)
    if (std::ranges::any_of(ours, [&](std::string_view prefix) { return name.starts_with(prefix); }) &&
        std::ranges::find(known, name) == known.end())
      unread.push_back(name);
  std::ranges::sort(unread);
  return unread;
}

std::string to_text(std::vector<setting_row> const& rows, std::function<std::string(std::string_view)> const& small) {
  constexpr std::size_t widest_value = 48;
  std::size_t name_width = 0, value_width = 0;
  for (setting_row const& row : rows) {
    name_width = std::max(name_width, row.name.size());
    value_width = std::max(value_width, std::min(fulgurite::display_width(row.value), widest_value));
  }
  const auto padded = [](std::string const& text, std::size_t columns) {
    const std::size_t has = fulgurite::display_width(text);
    return has < columns ? text + std::string(columns - has, ' ') : text;
  };
  std::string text;
  for (setting_row const& row : rows)
    text += "  " + padded(row.name, name_width) + "  " + padded(row.value.empty() ? "-" : row.value, value_width) +
            "  " + small(row.origin) + "\n";
  return text;
}

std::string without_secrets_of(tracer_config const& config, variables const& read, std::string text) {
  std::vector<std::string> secrets;
  // A value, and what follows the scheme in it: `Bearer TOKEN`.
  const auto add = [&](std::string const& value) {
    secrets.push_back(value);
    if (const std::size_t space = value.find(' '); space != std::string::npos)
      secrets.push_back(value.substr(space + 1));
  };
  fulgurite::detail::for_each_config_field([&](auto const& field) {
    auto const& value = config.*field.member;
    using type = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::same_as<type, tracer_config::pairs>) {
      if (field.kind == setting_kind::secret)
        for (auto const& [name, of] : value) add(of);
    } else if constexpr (std::same_as<type, std::string>) {
      if (field.kind == setting_kind::secret) add(value);
      if (field.kind != setting_kind::address) return;
      const auto parts = fulgurite::detail::split_endpoint(value);
      if (!parts) return;
      secrets.emplace_back(parts->user);
      fulgurite::detail::append_base64(secrets.emplace_back(), parts->user);
      if (const std::size_t colon = parts->user.find(':'); colon != std::string_view::npos)
        secrets.emplace_back(parts->user.substr(colon + 1));
      if (parts->query.size() > 1) secrets.emplace_back(parts->query.substr(1));
    }
  });
  if (!config.jaeger_password.empty()) {
    std::string basic;
    fulgurite::detail::append_base64(basic, config.jaeger_user + ":" + config.jaeger_password);
    secrets.push_back(std::move(basic));
  }
  for (const char* name : {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"})
    if (is_set(read, name)) secrets.emplace_back(read(name));
  // The longest first: one may hold another.
  std::ranges::sort(secrets, [](auto const& a, auto const& b) { return a.size() > b.size(); });
  for (std::string const& secret : secrets) text = fulgurite::detail::without_texts(std::move(text), {secret});
  return text;
}

}  // namespace fulgurite_server
