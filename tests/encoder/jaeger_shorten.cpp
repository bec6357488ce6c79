#include <fulgurite/encoder/jaeger_shorten.hpp>
#include <fulgurite/encoder/jaeger_thrift.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace fg = fulgurite;
using namespace fulgurite::detail;

namespace {

template <class Protocol>
std::size_t size_of(fg::span_data const& span) {
  growing_bytes memory;
  const std::byte* const end =
      jaeger_span_writer<Protocol>(memory).span(memory.room(memory.begin(), 1), span_data_view(span), {});
  return static_cast<std::size_t>(end - memory.begin());
}

fg::span_link link(std::size_t size) {
  fg::span_link made;
  made.context = {fg::trace_id::from_numbers(1, 2), fg::span_id::from_number(3), {}, false, {}};
  if (size > 0) made.attributes = {{"a", std::string(size, 'l')}};
  return made;
}

}  // namespace

TEST_CASE_TEMPLATE("the largest go first, and are counted", Protocol, thrift_binary, thrift_compact) {
  fg::span_data span;
  span.attributes = {{"small", 1}, {"large", std::string(5000, 'a')}, {"middle", std::string(1000, 'a')}};
  span.events = {{"e", 0, {{"k", std::string(4000, 'e')}}}, {"f", 0, {}}};
  span.links = {link(3000), link(0)};
  span.dropped_events_count = 7;
  fg::span_data none = span;
  CHECK(shorten_for_jaeger<Protocol>(none, 0).all() == 0);
  CHECK(none == span);

  fg::span_data one = span;
  CHECK(shorten_for_jaeger<Protocol>(one, 1).all() == 1);
  CHECK(one.attributes == std::vector<fg::attribute>{span.attributes[0], span.attributes[2]});
  CHECK(one.events == span.events);
  CHECK(one.dropped_attributes_count == 1);

  fg::span_data three = span;
  const jaeger_cuts cuts = shorten_for_jaeger<Protocol>(three, 9500);
  CHECK(cuts.attributes == 1);
  CHECK(cuts.events == 1);
  CHECK(cuts.links == 1);
  CHECK(three.events == std::vector<fg::span_event>{span.events[1]});
  CHECK(three.links == std::vector<fg::span_link>{span.links[1]});
  CHECK(three.dropped_attributes_count == 1);
  CHECK(three.dropped_events_count == 8);
  CHECK(three.dropped_links_count == 1);

  fg::span_data all = span;
  CHECK(shorten_for_jaeger<Protocol>(all, 1'000'000).all() == 7);
  CHECK(all.attributes.empty());
  CHECK(all.events.empty());
  CHECK(all.links.empty());
}

TEST_CASE("of equal ones the later goes first") {
  fg::span_data span;
  for (int i = 0; i < 4; ++i) span.events.push_back({"event " + std::to_string(i), 0, {}});
  shorten_for_jaeger<thrift_compact>(span, 1);
  REQUIRE(span.events.size() < 4);
  CHECK(span.events.front().name == "event 0");
}

TEST_CASE_TEMPLATE("afterwards it is smaller by as much as was wanted, and hardly by more", Protocol, thrift_binary,
                   thrift_compact) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 300; ++i) {
    fg::span_data span;
    span.dropped_links_count = static_cast<std::uint32_t>(random() % 3);
    const auto text = [&] { return std::string(random() % 500, 'x'); };
    for (std::size_t n = random() % 30; n > 0; --n) span.attributes.push_back({"key " + std::to_string(n), text()});
    for (std::size_t n = random() % 30; n > 0; --n) span.events.push_back({text(), 1, {{"k", text()}}});
    for (std::size_t n = random() % 30; n > 0; --n) span.links.push_back(link(random() % 500));
    const std::size_t before = size_of<Protocol>(span), excess = random() % 3000;
    const jaeger_cuts cuts = shorten_for_jaeger<Protocol>(span, excess);
    const bool nothing_left = span.attributes.empty() && span.events.empty() && span.links.empty();
    CHECK((size_of<Protocol>(span) + excess <= before || nothing_left));
    // Less than one part and three counts too much.
    if (cuts.all() > 0) CHECK(before <= size_of<Protocol>(span) + excess + 1100 + 3 * 64);
  }
}
