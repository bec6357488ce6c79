// Fuzz target: a configuration file. Whatever it holds, it is read or its problems are named.
//
// An input that begins with `=` is the file itself; of any other each line is a member: an octet that chooses its name,
// and its value.
#include <fulgurite/config/load.hpp>
#include <fulgurite/config/validate.hpp>

#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string file_of(std::string_view input) {
  if (input.starts_with('=')) return std::string(input.substr(1));
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    fg::detail::for_each_config_field([&](auto const& field) { all.emplace_back(field.name); });
    return all;
  }();
  std::string text = "{";
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    if (line.empty()) continue;
    if (text.size() > 1) text += ',';
    text += '"' + names[static_cast<unsigned char>(line[0]) % names.size()] + "\":";
    text += line.substr(1);
  }
  return text + '}';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string path =
      (std::filesystem::temp_directory_path() / ("fulgurite-fuzz-config-" + std::to_string(getpid()))).string();
  if (FILE* file = std::fopen(path.c_str(), "wb")) {
    const std::string text = file_of({reinterpret_cast<const char*>(data), size});
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  fg::loaded_config loaded;
  fg::detail::read_config_file(loaded, path);
  std::remove(path.c_str());
  for (fg::config_problem const& problem : loaded.problems)
    if (problem.variable.empty() || problem.allowed.empty()) std::abort();
  if (loaded.problems.empty()) fg::problems_of(loaded.config);
  return 0;
}
