// What to do about a destination that does not answer, or does not take spans.
//
// Beside what the failure itself says, the host is tried at the places where spans are usually taken: another protocol,
// another path, another port. What takes the test span there is named, with the settings that lead to it. Credentials
// are shown to the port they were meant for only.
#pragma once

#include "destinations.hpp"
#include "test_span.hpp"

#include <fulgurite/exporter/exporter.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_server {

/// Sentences, the first the most likely. `reason` is what the exporter said.
std::vector<std::string> advice(destination const& to, std::string_view reason,
                                std::shared_ptr<const test_span> const& span, fulgurite::deadline until);

}  // namespace fulgurite_server
