// expect: an exporter needs a member function: bool flush(deadline)
#include <fulgurite/exporter/exporter.hpp>

struct careless_exporter {
  fulgurite::export_result export_spans(const fulgurite::span_batch&) { return fulgurite::export_result::success; }
#ifndef MISTAKE
  bool flush(fulgurite::deadline) { return true; }
#endif
  bool shutdown(fulgurite::deadline) { return true; }
};
static_assert(fulgurite::check_exporter<careless_exporter>());
