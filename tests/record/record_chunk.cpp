#include <fulgurite/record/record_chunk.hpp>

#include <fulgurite/record/attribute_key.hpp>
#include <fulgurite/record/span_batch.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;
using namespace fg::literals;
using fg::detail::record_chunk;

namespace {

fg::span_data named(std::string name) {
  fg::span_data span;
  span.name = std::move(name);
  span.span_id = fg::span_id::from_number(1);
  return span;
}

std::vector<std::string> names(record_chunk const& chunk) {
  std::vector<std::string> all;
  fg::span_batch(chunk.records(), chunk.spans(), nullptr, nullptr).for_each([&](fg::record_view const& record) {
    all.emplace_back(record.name());
  });
  return all;
}

}  // namespace

TEST_CASE("records of every size stand one after the other") {
  fulgurite_test::record_builder builder;
  builder.add(named("one"));
  builder.add(named("two"), 0, {}, "text"_a = std::string(5000, 'x'));
  builder.add(named("three"), 0, {}, "flag"_a = true);
  record_chunk chunk;
  CHECK(chunk.spans() == 0);
  CHECK(chunk.records().empty());
  std::vector<std::string> wanted;
  for (int i = 0; i < 100; ++i) {
    builder.batch().for_each([&](fg::record_view const& record) { chunk.append(record); });
    wanted.insert(wanted.end(), {"one", "two", "three"});
  }
  CHECK(chunk.spans() == 300);
  CHECK(names(chunk) == wanted);

  chunk.clear();
  CHECK(chunk.spans() == 0);
  CHECK(chunk.records().empty());
  CHECK(chunk.capacity() > 500'000);  // kept for the next
}

TEST_CASE("what it was moved from is empty") {
  fulgurite_test::record_builder builder;
  builder.add(named("one"));
  record_chunk from;
  builder.batch().for_each([&](fg::record_view const& record) { from.append(record); });
  record_chunk to(std::move(from));
  CHECK(names(to) == std::vector<std::string>{"one"});
  CHECK(from.spans() == 0);
  CHECK(from.records().empty());
  builder.batch().for_each([&](fg::record_view const& record) { from.append(record); });
  to.clear();
  std::swap(from, to);
  CHECK(from.spans() == 0);
  CHECK(names(to) == std::vector<std::string>{"one"});
}
