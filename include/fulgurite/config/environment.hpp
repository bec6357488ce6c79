// Reading the environment.
//
// Each setting's own variable comes first and is strict; where it is unset, OpenTelemetry's variables are read by their
// specification, the one for traces before the one for all signals: what is wrong with them is a warning and counts as
// unset. An empty variable is unset.
#pragma once

#include <fulgurite/config/descriptors.hpp>
#include <fulgurite/config/loaded_config.hpp>
#include <fulgurite/config/validate.hpp>
#include <fulgurite/processor/redaction_rules.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Reads with `lookup(name)`, which gives a variable's text or a null pointer.
template <class Lookup>
class environment_reader {
 public:
  environment_reader(loaded_config& to, Lookup const& lookup, std::span<const std::string> registered)
      : to_(to), lookup_(lookup), registered_(registered) {}

  void read() {
    for_each_config_field([this](auto const& field) { this->read_field(field); });
    apply_exporter_variable();
    apply_sampler_variables();
    apply_propagators_variable();
    apply_endpoint_rules();
    apply_resource_attributes();
    apply_batch_rule();
    check_redaction_rules();
  }

 private:
  std::string_view text_of_variable(const char* name) const {
    const char* text = name ? lookup_(name) : nullptr;
    return text ? std::string_view(text) : std::string_view();
  }
  void ignore(const char* variable, std::string_view shown, std::string_view allowed) {
    to_.warnings.push_back(std::string(variable) + "=\"" + std::string(shown) + "\" is ignored: allowed is " +
                           std::string(allowed));
  }

  template <class T>
  void read_field(config_field<T> const& field) {
    if (const std::string_view text = text_of_variable(field.variable); !text.empty()) {
      to_.origins[field.name] = config_origin::own_variable;
      if (!take(field, text, text_rules::own) && !take_registered(field, text))
        to_.problems.push_back({field.variable, field.shown_text(text), allowed_with(registered_, field)});
      return;
    }
    if (field.by_rule) return;
    if (!read_standard(field, field.standard, config_origin::opentelemetry))
      read_standard(field, field.standard_general, config_origin::opentelemetry_general);
  }

  template <class T>
  bool read_standard(config_field<T> const& field, const char* variable, config_origin origin) {
    const std::string_view text = text_of_variable(variable);
    if (text.empty()) return false;
    if (!take(field, text, text_rules::opentelemetry)) {
      ignore(variable, field.shown_text(text), field.allowed);
      return false;
    }
    to_.origins[field.name] = origin;
    return true;
  }

  template <class T>
  bool take(config_field<T> const& field, std::string_view text, text_rules rules) {
    T value{};
    if constexpr (std::same_as<T, std::string>) {
      if (field.kind == setting_kind::word)
        value = lower_case(trimmed(text));
      else
        value = field.kind == setting_kind::plain ? text : trimmed(text);
    } else if (!value_from_text(text, rules, value))
      return false;
    if (!field.is_valid(value)) return false;
    to_.config.*field.member = value;
    if constexpr (std::same_as<T, tracer_type>) to_.config.registered_type.clear();
    return true;
  }

  template <class T>
  bool take_registered(config_field<T> const&, std::string_view text) {
    if constexpr (std::same_as<T, tracer_type>)
      if (const std::string name = lower_case(trimmed(text));
          std::ranges::find(registered_, name) != registered_.end()) {
        to_.config.registered_type = name;
        return true;
      }
    return false;
  }

  /// OTEL_TRACES_EXPORTER: a list, of which what is not known is left out. It also chooses the type where nothing else
  /// does; where the type is another, it says nothing.
  void apply_exporter_variable() {
    constexpr const char* variable = "OTEL_TRACES_EXPORTER";
    std::vector<std::string> words;
    value_from_text(text_of_variable(variable), text_rules::opentelemetry, words);
    const bool type_unset = to_.origin("tracer_type") == config_origin::unset;
    if (words.empty() || (!type_unset && to_.config.tracer_type != tracer_type::opentelemetry)) return;
    std::erase_if(words, [this](std::string const& word) {
      if (list_has(exporter_words, word)) return false;
      ignore(variable, word, std::string("one of ") + exporter_words);
      return true;
    });
    if (words.size() > 1 && std::erase(words, "none") > 0)
      to_.warnings.push_back(std::string(variable) + ": none counts alone only, and is ignored beside others");
    if (words.empty()) {
      if (type_unset) to_.warnings.push_back(std::string(variable) + " names no exporter; the type stays agentops");
      return;
    }
    to_.config.traces_exporters = std::move(words);
    to_.origins["traces_exporters"] = config_origin::opentelemetry;
    if (!type_unset) return;
    to_.config.tracer_type = tracer_type::opentelemetry;
    to_.origins["tracer_type"] = config_origin::opentelemetry;
  }

  /// OTEL_TRACES_SAMPLER_ARG belongs to OTEL_TRACES_SAMPLER, and TRACER_SAMPLING_RATE replaces both.
  void apply_sampler_variables() {
    const bool ratio = to_.config.sampler.ends_with("traceidratio");
    if (to_.origin("sampling_rate") == config_origin::own_variable) {
      if (!ratio || to_.origin("sampler") != config_origin::file) to_.config.sampler.clear();
      return;
    }
    if (to_.origin("sampler") != config_origin::opentelemetry || !ratio) return;
    to_.origins["sampling_rate"] = config_origin::opentelemetry;
    to_.config.sampling_rate = 1.0;
    const std::string_view text = text_of_variable("OTEL_TRACES_SAMPLER_ARG");
    double rate = 1.0;
    if (text.empty()) return;
    if (value_from_text(text, text_rules::opentelemetry, rate) && rate >= 0 && rate <= 1)
      to_.config.sampling_rate = rate;
    else
      ignore("OTEL_TRACES_SAMPLER_ARG", text, "a number from 0 to 1");
  }

  /// OTEL_PROPAGATORS: what is not known is left out, the rest holds.
  void apply_propagators_variable() {
    const std::string_view text = text_of_variable("OTEL_PROPAGATORS");
    if (text.empty()) return;
    std::vector<std::string> names;
    value_from_text(text, text_rules::opentelemetry, names);
    std::erase_if(names, [this](std::string const& name) {
      if (list_has("tracecontext, baggage, none", name)) return false;
      const bool known = list_has("b3, b3multi, jaeger, xray, ottrace", name);
      ignore("OTEL_PROPAGATORS", name, std::string("tracecontext, baggage, none") + (known ? " in this version" : ""));
      return true;
    });
    if (names.empty()) return;
    to_.config.propagators = names;
    to_.origins["propagators"] = config_origin::opentelemetry;
  }

  /// The URL rules of OTLP over HTTP (protocol/exporter.md), applied where it is still known which variable spoke.
  void apply_endpoint_rules() {
    std::string& endpoint = to_.config.otlp_endpoint;
    std::string& protocol = to_.config.otlp_protocol;
    const auto parts = split_endpoint(endpoint);
    const config_origin origin = to_.origin("otlp_endpoint");
    if (!parts || origin == config_origin::unset) return;
    const bool by_standard = origin == config_origin::opentelemetry || origin == config_origin::opentelemetry_general;
    if (by_standard && protocol.empty()) protocol = "http/protobuf";
    if (protocol.empty() || protocol == "grpc") return;
    if (origin == config_origin::opentelemetry_general || (!by_standard && parts->path.size() <= 1))
      endpoint = with_traces_path(endpoint);
    else if (by_standard && parts->path.empty())
      endpoint.insert(endpoint.size() - parts->query.size(), "/");
  }

  /// OTEL_RESOURCE_ATTRIBUTES may name what has a member of its own, which then gives way to any other variable.
  void apply_resource_attributes() {
    const config_origin given = to_.origin("resource_attributes");
    const auto move_to = [&](std::string& member, std::string_view name, std::string_view key) {
      auto& entries = to_.config.resource_attributes;
      const auto found =
          std::ranges::find(entries, key, [](auto const& entry) { return std::string_view(entry.first); });
      if (found == entries.end()) return;
      const config_origin origin = to_.origin(name);
      if (origin == config_origin::unset || (origin == config_origin::file && given > config_origin::file)) {
        member = found->second;
        to_.origins[name] = given;
      }
      entries.erase(found);
    };
    move_to(to_.config.service_name, "service_name", "service.name");
    move_to(to_.config.service_version, "service_version", "service.version");
    move_to(to_.config.environment, "environment", "deployment.environment.name");
    move_to(to_.config.environment, "environment", "deployment.environment");
  }

  /// A batch is at most the queue.
  void apply_batch_rule() {
    std::size_t& batch = to_.config.max_batch_size;
    const std::size_t queue = to_.config.max_queue_size;
    const config_origin origin = to_.origin("max_batch_size");
    if (batch <= queue) return;
    if (origin == config_origin::file) {
      to_.problems.push_back(problem_where_given(to_, "max_batch_size", "max_batch_size", detail::text_of(batch),
                                                 "at most the queue's size, " + detail::text_of(queue)));
      return;
    }
    if (origin != config_origin::unset)
      ignore("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", detail::text_of(batch),
             "at most the queue's size, " + detail::text_of(queue));
    batch = std::min(tracer_config().max_batch_size, queue);
  }

  /// Each rule that is wrong is a problem of its own.
  void check_redaction_rules() {
    const redaction_rules rules(to_.config.redact);  // named: it must outlive the loop
    for (auto const& problem : rules.problems())
      to_.problems.push_back(problem_where_given(to_, "redact", "TRACER_REDACT", problem.rule, problem.allowed));
  }

  loaded_config& to_;
  Lookup const& lookup_;
  std::span<const std::string> registered_;
};

/// Reads the environment into what was loaded so far. `registered` are the names of registered tracers, in lower case.
template <class Lookup>
void read_environment(loaded_config& to, Lookup const& lookup, std::span<const std::string> registered = {}) {
  environment_reader<Lookup>(to, lookup, registered).read();
}

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
