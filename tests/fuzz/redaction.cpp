// Fuzz target: redaction rules, and the texts they look through. The first line is the rules, the rest is the text.
// Build with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/processor/redaction/redactor.hpp>
#include <fulgurite/processor/redaction_rules.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fg = fulgurite;

namespace {

/// What is found is in order and inside, and is found where it is said that there is something.
void check(fg::redaction_rules const& rules, std::string_view text) {
  fg::redaction_hits hits;
  rules.find(text, hits);
  std::size_t at = 0;
  for (auto const& [where, action] : hits.merged()) {
    if (where.begin < at || where.end <= where.begin || where.end > text.size()) std::abort();
    if (action == fg::redaction_action::none) std::abort();
    at = where.end;
  }
  if (rules.concerns(text) != (at != 0)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(std::min(all.find('\n'), all.size()));
  const fg::redaction_rules given(all.substr(0, all.find('\n')));
  for (auto const& problem : given.problems())
    if (problem.allowed.empty()) std::abort();
  check(given, text);
  static const fg::redaction_rules every("detect:all");
  check(every, text);
  check(every, all);

  const fg::detail::redactor<fg::redaction_rules> by(given, fg::redaction_key{});
  fg::resource of{std::string(text), "", "", {{std::string(text), std::string(text)}}};
  by.apply(of);
  if (!given.concerns(text) && given.action_of_key("service.name") == fg::redaction_action::none &&
      of.service_name != text)
    std::abort();
  return 0;
}
