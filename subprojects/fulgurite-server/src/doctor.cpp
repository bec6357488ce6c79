#include "doctor.hpp"

#include "commands.hpp"
#include "doctor/destinations.hpp"
#include "doctor/examination.hpp"
#include "doctor/page.hpp"
#include "doctor/settings.hpp"
#include "doctor/test_span.hpp"

#include <fulgurite/backends.hpp>
#include <fulgurite/text/printable.hpp>
#include <fulgurite/transport/endpoint.hpp>

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite_server {
namespace {

using clock = std::chrono::steady_clock;
using fulgurite::config_problem;
using fulgurite::loaded_config;
using std::chrono::milliseconds;

/// All of it; destinations are examined at the same time.
constexpr milliseconds longest = examination::longest + milliseconds(1'000);

const char* read_variable(const char* name) { return std::getenv(name); }

std::vector<std::string> names_of_variables() {
  std::vector<std::string> names;
  for (char** each = environ; *each; ++each) {
    const std::string_view entry(*each);
    names.emplace_back(entry.substr(0, entry.find('=')));
  }
  return names;
}

void print_settings(loaded_config const& loaded, page const& look, bool all) {
  std::vector<setting_row> rows = setting_rows(loaded, read_variable);
  const auto given = static_cast<std::size_t>(std::ranges::count_if(rows, &setting_row::given));
  const std::size_t defaults = rows.size() - given;
  if (!all) std::erase_if(rows, [](setting_row const& row) { return !row.given; });
  const std::string small = all            ? fmt::format("{} given, {} at their defaults", given, defaults)
                            : given == 0   ? fmt::format("none given, {} at their defaults (--all)", defaults)
                            : defaults > 0 ? fmt::format("{} given, {} more at their defaults (--all)", given, defaults)
                                           : fmt::format("{} given", given);
  put("\n" + look.heading("Settings", small));
  put(to_text(rows, [&](std::string_view text) { return look.dim(text); }));
}

/// What was ignored, and what nobody reads.
void print_remarks(loaded_config const& loaded, page const& look) {
  for (std::string const& warning : loaded.warnings) put(look.sentence(fulgurite::printable(warning)));
  for (std::string const& sentence : endpoints_without_type(loaded, read_variable))
    put(look.sentence(fulgurite::printable(sentence)));
  for (std::string const& name : unread_variables(names_of_variables()))
    put(look.sentence(
        fmt::format("{} is set, and no setting has this name: it is not read", fulgurite::printable(name))));
  for (std::string const& said : heard_elsewhere()) put(look.sentence(fulgurite::printable(said)));
}

void print_problems(std::vector<config_problem> const& problems, page const& look) {
  put("\n" + look.heading("Problems"));
  bool type = false;
  for (config_problem const& problem : problems) {
    const char* const quote = problem.is_text ? "\"" : "";
    put(look.line(mark::failed,
                  fulgurite::printable(fmt::format("{}={}{}{}", problem.variable, quote, problem.value, quote))));
    put(look.below("allowed is " + fulgurite::printable(problem.allowed)));
    type = type || problem.variable == "TRACER_TYPE" || problem.variable == "tracer_type" ||
           problem.variable == "registered_type";
  }
  if (type) put(look.below("Tracers that a program registers itself are known in that program only."));
}

/// The share of traces that a program would keep.
double share_of(fulgurite::tracer_config const& config) {
  if (config.sampler.ends_with("always_off")) return 0;
  return config.sampler.ends_with("always_on") ? 1 : config.sampling_rate;
}

int finish(page const& look, mark how, std::string_view verdict) {
  put("\n" + look.verdict(how, verdict));
  return how == mark::failed ? 1 : 0;
}

/// `unseen` are those that took the span and cannot be asked for it.
std::string verdict_of(std::vector<std::string> const& bad, std::size_t unseen, std::size_t all, bool samples_none) {
  if (!bad.empty())
    return all == 1            ? "The test span did not arrive."
           : bad.size() == all ? "The test span arrived nowhere."
                               : fmt::format("The test span did not arrive in {} of {} places: {}.", bad.size(), all,
                                             fmt::join(bad, ", "));
  const std::string_view but = samples_none ? ", but the sampler keeps no trace: a program sends nothing" : "";
  const std::string_view where = all == 1 ? "" : " everywhere";
  if (unseen == 0) return fmt::format("All is well: the test span arrived{}{}.", where, but);
  return fmt::format("All is well as far as can be seen from here: the test span was taken{}{}.", where, but);
}

int examine_all(std::vector<destination> destinations, std::shared_ptr<const test_span> const& span,
                doctor_options const& options, page const& look, bool samples_none, clock::time_point until) {
  std::vector<std::shared_ptr<examination>> all;
  for (destination& each : destinations)
    all.push_back(std::make_shared<examination>(std::move(each), span, options.read_back, look));
  // What the console prints belongs below its own heading.
  for (auto const& each : all)
    if (each->to().kind != backend::console) fulgurite::detail::quiet_thread([each] { each->run(); }).detach();
  std::vector<std::string> bad;
  std::size_t unseen = 0;
  bool left_behind = false;
  for (auto const& each : all) {
    put("\n" + look.heading(each->to().speaks, fulgurite::printable(each->to().address)));
    finish_output();
    if (each->to().kind == backend::console) each->run();
    const std::optional<arrival> what = each->written().follow(until, [](std::string const& line) {
      put(line);
      finish_output();
    });
    if (!what) put(look.line(mark::failed, "this takes too long; the rest was not tried"));
    left_behind = left_behind || !what;
    if (!what || *what == arrival::failed) bad.push_back(each->to().speaks);
    if (what && *what == arrival::taken) ++unseen;
  }
  const int code =
      finish(look, bad.empty() ? mark::ok : mark::failed, verdict_of(bad, unseen, all.size(), samples_none));
  if (!left_behind) return code;
  finish_output();
  std::_Exit(code);  // somebody heeds no time limit
}

}  // namespace

int doctor(doctor_options const& options) {
  const clock::time_point until = clock::now() + longest;
  if (options.read_back) {
    fulgurite::detail::http_endpoint parsed;
    if (const std::string problem = fulgurite::detail::parse_endpoint(*options.read_back, parsed); !problem.empty())
      throw usage_error("--read-back needs an address such as http://localhost:16686: " + problem);
  }
  listen_to_log();
  const page look = page::of_stdout();
  const loaded_config loaded = fulgurite::load_config();
  const std::vector<config_problem> problems = fulgurite::detail::all_problems(loaded, false);
  put(look.heading(fmt::format("fulgurite doctor {}", fulgurite::library_version)));
  loaded_config shown = loaded;
  shown.problems = problems;
  print_settings(shown, look, options.all);
  if (problems.empty()) fulgurite::detail::warn_about(loaded.config);
  print_remarks(loaded, look);
  if (!problems.empty()) {
    print_problems(problems, look);
    return finish(look, mark::failed,
                  fmt::format("The configuration has {} problem{}: no tracer can be made from it.", problems.size(),
                              problems.size() == 1 ? "" : "s"));
  }
  if (const std::string setting = off_because(loaded, read_variable); !setting.empty())
    return finish(look, mark::skipped, fmt::format("Tracing is off, by {}: nothing is recorded.", setting));

  std::vector<destination> destinations = destinations_of(loaded, read_variable);
  const std::shared_ptr<const test_span> span = make_test_span(loaded.config);
  if (!span) return finish(look, mark::failed, "The test span could not be made.");
  put("\n" + look.heading("Test span", "fulgurite.doctor, trace " + span->trace.to_hex()));
  const double share = share_of(loaded.config);
  if (share < 1)
    put(look.sentence(fmt::format("the sampler keeps {}; the test span is sent in any case",
                                  share > 0 ? fmt::format("{:.3g} % of all traces", share * 100) : "no trace")));
  if (!loaded.config.spool.empty()) put(look.sentence("it does not go through the spool"));
  return examine_all(std::move(destinations), span, options, look, share <= 0, until);
}

}  // namespace fulgurite_server
