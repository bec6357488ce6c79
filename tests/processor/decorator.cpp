#include <fulgurite/processor/decorator.hpp>

#include <fulgurite/processor/any_processor.hpp>
#include <fulgurite/processor/inline.hpp>

#include "../record_builder.hpp"
#include "../tracing.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace fg = fulgurite;
using namespace fulgurite_test;

namespace {

/// Has every member that a processor may have, and counts the calls.
struct full_processor {
  using clock = fg::tsc_clock;
  static constexpr bool exports_inline = true;

  void start(std::shared_ptr<fg::export_target> const&) { ++(*calls)[0]; }
  void process(fg::record_view const&) noexcept { ++(*calls)[1]; }
  void commit() noexcept { ++(*calls)[2]; }
  bool flush(fg::deadline) noexcept { return ++(*calls)[3], false; }
  bool shutdown(fg::deadline) noexcept { return ++(*calls)[4], false; }
  std::uint64_t queued() const noexcept { return ++(*calls)[5], 42; }
  bool is_inline() const noexcept { return ++(*calls)[6], false; }
  bool export_pending(fg::deadline) noexcept { return ++(*calls)[7], false; }
  bool cuts_values() const noexcept { return ++(*calls)[8], true; }
  bool blocks() const noexcept { return ++(*calls)[9], true; }
  bool would_block() noexcept { return ++(*calls)[10], true; }
  void poll() noexcept { ++(*calls)[11]; }
  void before_fork() noexcept { ++(*calls)[12]; }
  void after_fork(bool in_child) noexcept { (*calls)[13] += in_child ? 1 : 100; }
  void redact_resource(fg::resource& of) const { ++(*calls)[14], of.service_name = "hidden"; }
  void redact_scope(fg::instrumentation_scope& of) const { ++(*calls)[15], of.name = "hidden"; }

  std::array<int, 16>* calls;
};
static_assert(fg::check_processor<full_processor>());

/// Has none of them.
struct least_processor {
  using clock = fg::tsc_clock;
  static constexpr bool exports_inline = true;
  void start(std::shared_ptr<fg::export_target> const&) {}
  void process(fg::record_view const&) noexcept {}
  void commit() noexcept {}
  bool flush(fg::deadline) noexcept { return true; }
  bool shutdown(fg::deadline) noexcept { return true; }
  std::uint64_t queued() const noexcept { return 0; }
};

/// What the header's comment shows.
struct counting : fg::processor_decorator<fg::batch_processor<>> {
  explicit counting(int* to) : seen(to) {}
  void process(fg::record_view const& record) noexcept { ++*seen, next().process(record); }
  int* seen;
};
static_assert(fg::check_processor<counting>());

/// Calls each member once and says what came back.
template <class P>
std::string answers_of(P& processor) {
  fulgurite_test::record_builder builder;
  builder.add(fg::span_data{});
  fg::resource resource{.service_name = "shown"};
  fg::instrumentation_scope scope{.name = "shown"};
  std::string said;
  const auto say = [&](auto value) { said += std::to_string(value) + " "; };
  processor.start(nullptr);
  builder.batch().for_each([&](fg::record_view const& record) { processor.process(record); });
  processor.commit();
  say(processor.flush({}));
  say(processor.shutdown({}));
  say(processor.queued());
  say(processor.is_inline());
  say(processor.export_pending({}));
  say(processor.cuts_values());
  say(processor.blocks());
  say(processor.would_block());
  processor.poll();
  processor.before_fork();
  processor.after_fork(true);
  processor.redact_resource(resource);
  processor.redact_scope(scope);
  return said + resource.service_name + " " + scope.name;
}

}  // namespace

TEST_CASE("what a decorator does not hide, and an erased processor, answers for the one behind it") {
  const std::string all = "0 0 42 0 0 1 1 1 hidden hidden";
  std::array<int, 16> once;
  once.fill(1);
  std::array<int, 16> direct{}, decorated{}, erased{};
  full_processor bare{&direct};
  CHECK(answers_of(bare) == all);
  CHECK(direct == once);
  fg::processor_decorator around{full_processor{&decorated}};
  CHECK(answers_of(around) == all);
  CHECK(decorated == once);
  fg::processor_decorator<fg::any_processor> any{fg::processor_decorator{full_processor{&erased}}};
  CHECK(answers_of(any) == all);
  CHECK(erased == once);
}

TEST_CASE("what the one behind it does not have is answered as a tracer would") {
  fg::processor_decorator around{least_processor{}};
  CHECK(answers_of(around) == "1 1 0 1 1 0 0 0 shown shown");
  fg::any_processor any{least_processor{}};
  CHECK(answers_of(any) == "1 1 0 1 1 0 0 0 shown shown");
}

TEST_CASE("a decorator of one's own is a class that hides what it changes") {
  fg::memory_exporter store;
  int seen = 0;
  fg::tracer tracer{fg::resource{}, fg::always_on_sampler{}, store, fg::w3c_propagator{}, counting{&seen}};
  for (int i = 0; i < 3; ++i) auto span = tracer.trace_context("span");
  CHECK(tracer.force_flush());
  CHECK(store.spans().size() == 3);
  CHECK(seen == 3);
  check_accounts(tracer.stats());
}
