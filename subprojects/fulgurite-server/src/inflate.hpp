// Unpacks a gzip body whole or not at all.
//
// cpp-httplib's own unpacking has no limit and takes a body that was cut short for a complete one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite_server {

enum class inflate_result { done, damaged, too_large };

/// `out` holds at most `limit` bytes. Damaged is also what ends early, has a wrong checksum, or goes on after its end
/// with something else than another gzip member (RFC 1952, 2.2).
inflate_result gunzip(std::string_view packed, std::size_t limit, std::string& out);

}  // namespace fulgurite_server
