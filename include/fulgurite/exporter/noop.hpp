// The exporter that takes everything and keeps nothing: the null model of exporter/exporter.hpp.
//
// It belongs to the light tier (`fulgurite/noop.hpp`), so what it speaks of is only declared here.
#pragma once

namespace fulgurite {
inline namespace v1 {

class span_batch;
enum class export_result;

/// Takes every batch and keeps nothing.
class noop_exporter {
 public:
  /// Success.
  constexpr export_result export_spans(span_batch const&) const noexcept { return static_cast<export_result>(0); }
  template <class Deadline>
  constexpr bool flush(Deadline const&) const noexcept {
    return true;
  }
  template <class Deadline>
  constexpr bool shutdown(Deadline const&) const noexcept {
    return true;
  }
  static constexpr bool is_exit_safe() noexcept { return true; }
};

}  // namespace v1
}  // namespace fulgurite
