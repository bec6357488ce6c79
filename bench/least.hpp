// What a benchmark shows of its repetitions: the least, which other programs disturb least.
#pragma once

#include <algorithm>
#include <vector>

namespace fulgurite_bench {

inline double least(std::vector<double> const& times) { return *std::min_element(times.begin(), times.end()); }

}  // namespace fulgurite_bench
