// First of all, and alone: the light header is enough for whoever only traces.
#include <fulgurite/noop.hpp>

namespace {

namespace fg = fulgurite;
using namespace fg::literals;

int traced_with_the_light_header(fg::noop_tracer const& tracer) {
  auto span = tracer.trace_context("name", "key"_a = 1);
  span.set_attribute("key", "value");
  auto free = tracer.start_span("free", fg::span_options{.kind = fg::span_kind::client, .parent = fg::root});
  auto scope = tracer.activate(free);
  return tracer.trace("call", [](auto& inner) {
    inner.set_status(fg::status_code::ok);
    return 7;
  });
}

}  // namespace

#include <fulgurite/fulgurite.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <type_traits>
#include <utility>

static_assert(sizeof(fg::noop_tracer) == 1 && sizeof(fg::noop_exporter) == 1 && sizeof(fg::noop_propagator) == 1 &&
              sizeof(fg::always_off_sampler) == 1);
static_assert(std::is_trivially_destructible_v<fg::noop_tracer> &&
              std::is_trivially_destructible_v<fg::noop_scoped_span> &&
              std::is_trivially_destructible_v<fg::noop_span>);
static_assert(std::is_nothrow_default_constructible_v<fg::noop_tracer> &&
              !std::is_copy_constructible_v<fg::noop_tracer>);

TEST_CASE("a tracer composed from the null policies is the noop tracer") {
  fg::tracer tracer{fg::resource{.service_name = "none"}, fg::always_off_sampler{}, fg::noop_exporter{},
                    fg::noop_propagator{}};
  CHECK(std::is_same_v<decltype(tracer), fg::noop_tracer>);
  CHECK(traced_with_the_light_header(tracer) == 7);
}

TEST_CASE("it has every call, and each says that there is nothing") {
  fg::noop_tracer tracer;
  std::map<std::string, std::string> carrier{
      {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}};
  const fg::context from = tracer.extract(carrier);
  CHECK_FALSE(from.span().is_valid());
  carrier.clear();
  tracer.inject(carrier);
  tracer.inject(from, carrier);
  tracer.inject([](std::string_view, std::string_view) { FAIL("nothing is injected"); });
  CHECK(carrier.empty());
  auto span = tracer.trace_context("name", fg::span_options{.parent = from});
  CHECK_FALSE(span.context().is_valid());
  tracer.add_span_attribute("key", 1);
  tracer.add_span_event("event");
  tracer.set_span_status("ERROR", "text");
  tracer.init();
  tracer.init_worker(1);
  tracer.instrument();
  tracer.uninstrument(1);
  tracer.teardown_worker(1);
  tracer.teardown();
  CHECK(tracer.get_last_trace().empty());
  CHECK(tracer.force_flush(std::chrono::seconds(1)));
  CHECK(tracer.shutdown());
  CHECK(tracer.stats().started == 0);
  CHECK(tracer.check_health(std::chrono::seconds(1)).reachable);
  fg::noop_tracer moved = std::move(tracer);
  CHECK_FALSE(moved.is_on());
}
