// The control of noop_is_nothing.py: pairs that differ as little as a tracer that leaves something would make them.
#include <cstdint>

extern std::uint64_t spans_started;
std::uint64_t traced_counter(std::uint64_t value);
std::uint64_t plain_counter(std::uint64_t value);
int traced_constant();
int plain_constant();
bool traced_flag(const bool* recording);
bool plain_flag(const bool* recording);

std::uint64_t traced_counter(std::uint64_t value) {
  ++spans_started;
  return value * 3;
}
std::uint64_t plain_counter(std::uint64_t value) { return value * 3; }

int traced_constant() { return 1; }
int plain_constant() { return 2; }

bool traced_flag(const bool* recording) { return *recording; }
bool plain_flag(const bool*) { return true; }
