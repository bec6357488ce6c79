// What every encoder of requests does: takes spans back, starts over, keeps its memory.
#pragma once

#include <fulgurite/record/resource.hpp>
#include <fulgurite/record/span_data.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace fulgurite_test {

inline std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `slack`: by how much `size()` may be too large.
template <class Encoder>
void check_request_encoder(fulgurite::span_data const& span, std::size_t slack) {
  Encoder encoder;
  const auto of = std::make_shared<fulgurite::resource>(fulgurite::resource{.service_name = "shop"});
  const auto other = std::make_shared<fulgurite::resource>(fulgurite::resource{.service_name = "warehouse"});
  encoder.begin(of, nullptr);
  const std::size_t empty = encoder.size();
  encoder.add(span);
  const std::string one = text(encoder.finish());
  encoder.begin(of, nullptr);
  CHECK(encoder.size() == empty);
  encoder.add(span);
  const std::size_t before = encoder.size();
  CHECK(before >= one.size());
  CHECK(before <= one.size() + slack);
  for (int i = 0; i < 10000; ++i) encoder.add(span);  // the memory moves
  encoder.cut(before);
  CHECK(text(encoder.finish()) == one);
  encoder.cut(empty);
  encoder.add(span);  // the first again
  CHECK(text(encoder.finish()) == one);
  encoder.begin(other, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()).find("warehouse") != std::string::npos);
  encoder.begin(of, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()) == one);
  encoder.shrink(10);
  encoder.begin(of, nullptr);
  encoder.add(span);
  CHECK(text(encoder.finish()) == one);
}

}  // namespace fulgurite_test
