// expect: a processor needs a member function: void commit() noexcept
#include <fulgurite/fulgurite.hpp>

#include <cstdint>
#include <memory>

namespace fg = fulgurite;

struct careless_processor {
  using clock = fg::tsc_clock;
  static constexpr bool exports_inline = false;
  void start(std::shared_ptr<fg::export_target>) {}
  void process(fg::record_view const&) noexcept {}
#ifndef MISTAKE
  void commit() noexcept {}
#else
  void commit() {}
#endif
  bool flush(fg::deadline) noexcept { return true; }
  bool shutdown(fg::deadline) noexcept { return true; }
  std::uint64_t queued() const noexcept { return 0; }
};

void traced() {
  const fg::tracer tracer(fg::resource{}, fg::always_on_sampler{}, fg::memory_exporter{}, fg::w3c_propagator{},
                          careless_processor{});
}
