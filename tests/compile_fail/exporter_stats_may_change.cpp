// expect: an exporter's `stats` must be: exporter_stats stats() const
#include <fulgurite/exporter/exporter.hpp>

struct careless_exporter {
  fulgurite::export_result export_spans(const fulgurite::span_batch&) { return fulgurite::export_result::success; }
  bool flush(fulgurite::deadline) { return true; }
  bool shutdown(fulgurite::deadline) { return true; }
#ifndef MISTAKE
  fulgurite::exporter_stats stats() const { return {}; }
#else
  fulgurite::exporter_stats stats() { return {}; }
#endif
};
static_assert(fulgurite::check_exporter<careless_exporter>());
