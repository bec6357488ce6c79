// Fuzz target: the files that AWS's command line shares. The first line is the profile, the rest is the file. Build
// with clang and -fsanitize=fuzzer,address,undefined.
#include <fulgurite/exporter/aws/profile.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace d = fulgurite::detail;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view profile = all.substr(0, all.find('\n'));
  const std::string_view file = all.substr(std::min(all.size(), profile.size() + 1));
  for (const d::aws_file kind : {d::aws_file::credentials, d::aws_file::config}) {
    const auto read = d::read_aws_profile(file, profile, kind);
    if (!read) continue;
    // Written plainly and read again it is the same.
    std::string again = kind == d::aws_file::credentials || profile == "default"
                            ? "[" + std::string(profile) + "]\n"
                            : "[profile \"" + std::string(profile) + "\"]\n";
    for (auto const& [name, value] : *read) {
      for (std::string const& text : {name, value})
        if (text != d::without_space_around(text) || text.find('\n') != std::string::npos) std::abort();
      if (file.find(value) == std::string_view::npos) std::abort();
      // What begins like a comment or a heading cannot be the name of a setting.
      if (name.starts_with('#') || name.starts_with(';') || name.starts_with('[')) std::abort();
      again.append(name).append("=").append(value).append("\n");
    }
    if (d::read_aws_profile(again, profile, kind) != read) std::abort();
  }
  return 0;
}
