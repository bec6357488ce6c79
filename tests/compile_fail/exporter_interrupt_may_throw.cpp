// expect: an exporter's `interrupt` must be: void interrupt() noexcept
#include <fulgurite/exporter/any_exporter.hpp>

struct careless_exporter {
  fulgurite::export_result export_spans(const fulgurite::span_batch&) { return fulgurite::export_result::success; }
  bool flush(fulgurite::deadline) { return true; }
  bool shutdown(fulgurite::deadline) { return true; }
#ifndef MISTAKE
  void interrupt() noexcept {}
#else
  void interrupt() {}
#endif
};
const fulgurite::any_exporter held = careless_exporter{};
