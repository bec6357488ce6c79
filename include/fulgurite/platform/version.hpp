// The library's version.
#pragma once

namespace fulgurite {
inline namespace v1 {

/// As in `telemetry.sdk.version` and in the package.
inline constexpr const char* library_version = "0.1.0";

}  // namespace v1
}  // namespace fulgurite
