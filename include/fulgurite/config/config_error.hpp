// What is wrong with a configuration: every problem at once, each with what would have been right.
#pragma once

#include <fulgurite/text/printable.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// One wrong setting.
struct config_problem {
  /// The environment variable; in a file the name of the field.
  std::string variable = {};
  /// What was given; of a file a text without its quotes, anything else as its JSON. A secret stands as `********`.
  std::string value = {};
  /// What would be right, in words.
  std::string allowed = {};
  /// In a file, a value that is no text: messages show it without quotes, as it stands there.
  bool is_text = true;

  friend bool operator==(config_problem const&, config_problem const&) = default;
};

/// A configuration that cannot be used. `what()` has one line for each problem: variable, value, what is allowed.
struct config_error : std::runtime_error {
  explicit config_error(std::vector<config_problem> problems)
      : std::runtime_error(lines_of(problems)), problems_(std::move(problems)) {}
  config_error(std::string const& sentence, std::vector<config_problem> problems)
      : std::runtime_error(sentence), problems_(std::move(problems)) {}

  std::vector<config_problem> const& problems() const noexcept { return problems_; }

 private:
  static std::string lines_of(std::vector<config_problem> const& problems) {
    const std::size_t count = problems.size();
    std::string text =
        "the tracer's configuration has " + std::to_string(count) + (count == 1 ? " problem" : " problems");
    for (config_problem const& p : problems) {
      const std::string quote = p.is_text ? "\"" : "";
      text += "\n  " + p.variable + "=" + quote + printable(p.value) + quote + ": allowed is " + p.allowed;
    }
    return text;
  }

  std::vector<config_problem> problems_;
};

}  // namespace v1
}  // namespace fulgurite
