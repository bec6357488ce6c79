// The control of no_locks.py and callgrind_gate.py: what each mode costs is known.
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace {

/// What is counted (callgrind.py).
[[gnu::noinline]] bool measured(std::string_view mode, long count) {
  static std::atomic<long> shared{0};
  static volatile long plain = 0;
  static std::mutex mutex;
  if (mode == "plain") {
    for (long i = 0; i < count; ++i) plain = plain + i;
  } else if (mode == "locked_add") {
    for (long i = 0; i < count; ++i) shared.fetch_add(1, std::memory_order_relaxed);
  } else if (mode == "exchange") {
    for (long i = 0; i < count; ++i) shared.exchange(i, std::memory_order_relaxed);
  } else if (mode == "mutex") {
    for (long i = 0; i < count; ++i) {
      const std::lock_guard lock(mutex);
      plain = plain + i;
    }
  } else if (mode == "allocation") {
    for (long i = 0; i < count; ++i) {
      auto* volatile value = new long(i);
      delete value;
    }
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) { return argc == 3 && measured(argv[1], std::atol(argv[2])) ? 0 : 2; }
