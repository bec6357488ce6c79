// expect: a processor's hooks at a fork are both: void before_fork() noexcept
#include <fulgurite/processor/any_processor.hpp>

#include <cstdint>
#include <memory>

namespace fg = fulgurite;

struct careless_processor {
  using clock = fg::tsc_clock;
  static constexpr bool exports_inline = false;
  void start(std::shared_ptr<fg::export_target>) {}
  void process(fg::record_view const&) noexcept {}
  void commit() noexcept {}
  bool flush(fg::deadline) noexcept { return true; }
  bool shutdown(fg::deadline) noexcept { return true; }
  std::uint64_t queued() const noexcept { return 0; }
  void after_fork(bool) noexcept {}
#ifndef MISTAKE
  void before_fork() noexcept {}
#endif
};
const fg::any_processor held = careless_processor{};
