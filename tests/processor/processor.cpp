#include <fulgurite/processor/processor.hpp>

#include "../tracing.hpp"

#include <memory>

namespace fg = fulgurite;
using namespace fulgurite_test;

namespace {

/// The least that a processor is: every record is a batch of its own, at the end of the round.
class own_processor {
 public:
  using clock = fg::tsc_clock;
  static constexpr bool exports_inline = false;

  void start(std::shared_ptr<fg::export_target> target) { target_ = std::move(target); }
  void process(fg::record_view const& record) noexcept { pending_.append(record); }
  void commit() noexcept {
    if (pending_.spans() == 0 || !target_) return;
    target_->export_records(pending_.records(), pending_.spans());
    pending_.clear();
  }
  bool flush(fg::deadline) noexcept { return true; }
  bool shutdown(fg::deadline until) noexcept {
    const auto target = std::move(target_);
    return target && target->shut_down_exporter(until);
  }
  std::uint64_t queued() const noexcept { return pending_.spans(); }

 private:
  std::shared_ptr<fg::export_target> target_;
  fg::detail::record_chunk pending_;
};

static_assert(fg::check_processor<own_processor>());

}  // namespace

TEST_CASE("a processor of one's own is a class with a few members") {
  fg::memory_exporter store;
  {
    fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{}, own_processor{}};
    {
      auto span = tracer.trace_context("span");
    }
    CHECK(tracer.force_flush());
    CHECK(tracer.stats().exported == 1);
    check_accounts(tracer.stats());
  }
  CHECK(store.spans().size() == 1);
}

TEST_CASE("whether a processor exports inline is known from its type, or from itself") {
  CHECK_FALSE(fg::exports_inline(own_processor{}));
  CHECK(fg::exports_inline(fg::inline_processor{}));
}
