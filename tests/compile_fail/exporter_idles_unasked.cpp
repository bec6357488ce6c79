// expect: an exporter's `idle` needs both: deadline idle_at() const noexcept, and void idle() noexcept
#include <fulgurite/exporter/exporter.hpp>

struct careless_exporter {
  fulgurite::export_result export_spans(const fulgurite::span_batch&) { return fulgurite::export_result::success; }
  bool flush(fulgurite::deadline) { return true; }
  bool shutdown(fulgurite::deadline) { return true; }
  void idle() noexcept {}
#ifndef MISTAKE
  fulgurite::deadline idle_at() const noexcept { return fulgurite::deadline::max(); }
#endif
};
static_assert(fulgurite::check_exporter<careless_exporter>());
