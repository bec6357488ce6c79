// expect: an exporter needs a member function: export_result export_spans(span_batch const&)
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;

struct careless_exporter {
#ifndef MISTAKE
  fg::export_result export_spans(fg::span_batch const&) { return fg::export_result::success; }
#endif
  bool flush(fg::deadline) { return true; }
  bool shutdown(fg::deadline) { return true; }
};

void traced() { const fg::tracer tracer(fg::resource{}, fg::always_on_sampler{}, careless_exporter{}); }
