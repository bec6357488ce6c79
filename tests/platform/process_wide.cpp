#include <fulgurite/platform/process_wide.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace fd = fulgurite::detail;

namespace {
std::atomic<int> made{0};
struct counted {
  counted() { ++made; }
};
}  // namespace

TEST_CASE("this program has one note, and what it shares is at the place that the note names") {
  fd::process_wide& shared = fd::the_process_wide();
  int notes = 0;
  fd::for_each_process_slot([&](fd::process_slot& slot) {
    ++notes;
    CHECK(&slot == fulgurite_v1_process_slot());
    CHECK(slot.load() == &shared);
    return false;
  });
  CHECK(notes == 1);
}

TEST_CASE("threads that ask at once get one thing") {
  std::vector<std::thread> threads;
  std::atomic<counted*> first{nullptr};
  std::atomic<int> others{0};
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      counted* const mine = &fd::one_in_process<counted, fd::process_part::tracer_registry>();
      counted* expected = nullptr;
      if (!first.compare_exchange_strong(expected, mine) && expected != mine) ++others;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(made == 1);
  CHECK(others == 0);
}
