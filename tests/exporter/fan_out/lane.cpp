// What a lane does within a fan-out is tested by fan_out.cpp and fan_out_lanes.cpp; here its own order of things.
#include <fulgurite/exporter/fan_out/lane.hpp>

#include "../../gated_exporter.hpp"
#include "../../record_builder.hpp"

#include <chrono>
#include <memory>

namespace fg = fulgurite;
using namespace fulgurite_test;
using namespace std::chrono_literals;

namespace {

struct one_lane {
  explicit one_lane(fg::fan_out_options const& options = {})
      : lane(
            std::make_shared<fg::detail::fan_out_lane>("lane", std::make_shared<fg::any_exporter>(exporter), options)) {
    builder.add(span);
  }
  ~one_lane() {
    exporter.at->set_open(true);
    lane->begin_shutdown(std::chrono::steady_clock::now() + 60s);
    lane->wait_finished(std::chrono::steady_clock::now() + 60s);
  }
  bool offer() { return !lane->offer(std::make_shared<fg::detail::shared_batch>(builder.batch(), account, 1)); }

  gated_exporter exporter;
  std::shared_ptr<fg::detail::fan_out_lane> lane;
  std::shared_ptr<fg::detail::fan_out_account> account = std::make_shared<fg::detail::fan_out_account>();
  record_builder builder;
  fg::span_data span;
};

fg::deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

}  // namespace

TEST_CASE("a flush is about what was offered before it") {
  one_lane of;
  of.exporter.at->open = false;
  CHECK_FALSE(of.lane->is_started());
  CHECK(of.lane->ask_flush(in(60s)).number == 0);  // nothing was ever offered
  CHECK(of.offer());
  of.exporter.at->wait_for_export();
  const auto ticket = of.lane->ask_flush(in(60s));
  CHECK(of.offer());
  CHECK_FALSE(of.lane->wait_flushed(ticket, in(5ms)));
  CHECK_FALSE(of.lane->has_delivered(ticket));
  of.exporter.at->set_open(true);
  CHECK(of.lane->wait_flushed(ticket, in(60s)));
  CHECK(of.lane->has_delivered(ticket));
  const auto second = of.lane->ask_flush(in(60s));
  CHECK(of.lane->wait_flushed(second, in(60s)));
  CHECK(of.account->settled().exported == 2);
}

TEST_CASE("an export's overtime is told once, and only of one that is under way") {
  one_lane of({.export_timeout = 1ms});
  CHECK(of.lane->overtime_at() == fg::deadline::max());
  of.exporter.at->open = of.exporter.at->heeds_interrupt = false;
  CHECK(of.offer());
  of.exporter.at->wait_for_export();
  const fg::deadline at = of.lane->overtime_at();
  CHECK(at < fg::deadline::max());
  while (std::chrono::steady_clock::now() < at) of.lane->interrupt_overtime();
  of.lane->interrupt_overtime();
  CHECK(of.exporter.at->interrupted);
  CHECK(of.lane->overtime_at() == fg::deadline::max());
  one_lane patient({.export_timeout = 0ms});
  patient.exporter.at->open = false;
  CHECK(patient.offer());
  CHECK(patient.lane->overtime_at() == fg::deadline::max());
}

TEST_CASE("after the beginning of a shutdown nothing is taken any more") {
  one_lane of;
  CHECK(of.offer());
  of.lane->begin_shutdown(in(60s));
  CHECK_FALSE(of.offer());
  CHECK(of.lane->wait_finished(in(60s)));
  CHECK(of.lane->has_shut_down());
  CHECK(of.lane->stats().exported == 1);
}
