// A tracer whose spans a test can look at, and help for looking.
#pragma once

#include <fulgurite/fulgurite.hpp>

#include "log_capture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace fulgurite_test {

namespace fg = fulgurite;

/// A tracer that samples everything into `store`.
struct recorder {
  fg::memory_exporter store;
  fg::tracer<fg::parent_based<fg::always_on_sampler>, fg::memory_exporter> tracer;

  explicit recorder(fg::span_limits limits = {})
      : tracer(fg::resource{.service_name = "test"}, fg::parent_based{fg::always_on_sampler{}}, store, {}, {},
               {.limits = limits}) {}

  /// Everything that has ended, in the order of export.
  std::vector<fg::span_data> spans() {
    CHECK(tracer.force_flush(std::chrono::seconds(60)));
    return store.spans();
  }
};

/// The span of this name; the test fails when it is not exactly one.
inline fg::span_data only(std::vector<fg::span_data> const& spans, std::string_view name) {
  fg::span_data found;
  int count = 0;
  for (fg::span_data const& span : spans)
    if (span.name == name) {
      found = span;
      ++count;
    }
  INFO("span: ", std::string(name));
  REQUIRE(count == 1);
  return found;
}

/// The value of a key; null when it is not there, or when it is there twice.
inline const fg::attribute_value* value_of(std::vector<fg::attribute> const& attributes, std::string_view key) {
  const fg::attribute_value* found = nullptr;
  for (fg::attribute const& one : attributes)
    if (one.key == key) {
      if (found) return nullptr;
      found = &one.value;
    }
  return found;
}

/// Whether a key is there exactly once, with this value.
template <class T>
bool has(std::vector<fg::attribute> const& attributes, std::string_view key, T const& value) {
  const fg::attribute_value* found = value_of(attributes, key);
  return found && *found == fg::attribute_value(value);
}
template <class T>
bool has(fg::span_data const& span, std::string_view key, T const& value) {
  return has(span.attributes, key, value);
}

/// Tracing without limits.
inline constexpr fg::span_limits no_limits{fg::span_limits::unlimited, fg::span_limits::unlimited,
                                           fg::span_limits::unlimited, fg::span_limits::unlimited,
                                           fg::span_limits::unlimited, fg::span_limits::unlimited};

/// What every tracer promises after a flush.
inline void check_accounts(fg::tracer_stats const& stats) {
  CHECK(stats.sampled == stats.exported + stats.failed + stats.dropped + stats.discarded + stats.queued);
}

}  // namespace fulgurite_test
