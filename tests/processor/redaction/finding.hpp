// What a detector finds in a text, for its tests.
#pragma once

#include <fulgurite/processor/redaction/detector.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_test {

/// Everything it finds, as texts; also checks that it goes forwards, stays inside, and that its look does not deny it.
template <fulgurite::detector Detector>
std::vector<std::string> all_found(std::string_view text) {
  std::vector<std::string> all;
  for (std::size_t from = 0;;) {
    const fulgurite::text_range found = Detector::find(text, from);
    if (!found) break;
    REQUIRE(found.begin >= from);
    REQUIRE(found.end > found.begin);
    REQUIRE(found.end <= text.size());
    all.emplace_back(text.substr(found.begin, found.end - found.begin));
    from = found.end;
  }
  if (!all.empty()) CHECK(Detector::may_be_in(fulgurite::detail::look_at(text)));
  return all;
}

template <fulgurite::detector Detector>
void check_found(std::string_view text, std::vector<std::string> const& expected) {
  INFO("text: ", std::string(text));
  CHECK(all_found<Detector>(text) == expected);
}
template <fulgurite::detector Detector>
void check_nothing(std::string_view text) {
  check_found<Detector>(text, {});
}

}  // namespace fulgurite_test
