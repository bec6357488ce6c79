// Asks a backend for the test span, where it has a way to be asked: what it shows has truly arrived.
//
// The local server, Jaeger and Zipkin answer over HTTP, a file is read. Jaeger's query port is a guess (the same host,
// port 16686), so that not finding the span there proves nothing. Credentials are shown to the address that they were
// meant for only.
#pragma once

#include "destinations.hpp"
#include "test_span.hpp"

#include <fulgurite/exporter/exporter.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fulgurite_server {

struct read_back_result {
  enum verdict { found, missing, cannot_tell };
  verdict what = cannot_tell;
  /// What goes on the line.
  std::string sentence = {};
  /// Where a person can look.
  std::vector<std::string> more = {};
};

/// `given`: the address of an interface that somebody named; what is not there is then missing.
read_back_result read_back(destination const& to, test_span const& span, std::optional<std::string> const& given,
                           fulgurite::deadline until);

/// Whether a host is near: this machine, a name without dots, a private address. Others are not asked at a port that
/// was guessed.
bool is_near(std::string_view host);

}  // namespace fulgurite_server
