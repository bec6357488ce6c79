#include <fulgurite/engine/ring.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace fd = fulgurite::detail;

namespace {

/// Writes a record of `size` bytes that carries a number; false when the ring has no room.
bool put(fd::thread_state& thread, std::uint32_t size, std::uint64_t number, int* wakes = nullptr) {
  if (thread.writer.tail + size > thread.writer.limit && !fd::make_room(thread, size, [&] {
        if (wakes) ++*wakes;
      }))
    return false;
  std::byte* out = thread.writer.place(thread.writer.tail);
  fd::record_header header{};
  header.size = size;
  header.start = number;
  std::memcpy(out, &header, sizeof header);
  std::memset(out + sizeof header, static_cast<int>(number & 0xff), size - sizeof header);
  thread.writer.tail += size;
  thread.writer.published->store(thread.writer.tail, std::memory_order_release);
  return true;
}

/// A state outside the process's list, which never frees a ring.
struct owned_thread : fd::thread_state {
  ~owned_thread() {
    for (fd::ring* each = first_ring.load(); each;) fd::ring::destroy(std::exchange(each, each->next.load()));
  }
};

struct reader {
  std::uint64_t next = 0;
  bool intact = true;

  bool operator()(const std::byte* record) {
    const auto& header = *reinterpret_cast<const fd::record_header*>(record);
    intact = intact && header.start == next;
    for (std::size_t i = sizeof header; i < header.size; ++i)
      intact = intact && record[i] == static_cast<std::byte>(header.start & 0xff);
    ++next;
    return true;
  }
};

}  // namespace

TEST_CASE("records come out whole and in order, also across the end of the storage") {
  owned_thread thread;
  reader read;
  std::uint64_t number = 0;
  for (int round = 0; round < 400; ++round) {
    for (int i = 0; i < 30; ++i, ++number)
      REQUIRE(put(thread, static_cast<std::uint32_t>(80 + 8 * (number % 40)), number));
    fd::drain(thread, read);
    CHECK(fd::is_empty(thread));
  }
  CHECK(read.next == number);
  CHECK(read.intact);
  CHECK(thread.owned_ring.load()->capacity == fd::smallest_ring);
}

TEST_CASE("a ring that nobody empties grows to its largest size, wakes the worker, and then has no room") {
  owned_thread thread;
  int wakes = 0;
  std::uint64_t made = 0;
  while (put(thread, 1'000, made, &wakes)) ++made;
  CHECK(thread.owned_ring.load()->capacity == fd::largest_ring);
  CHECK(wakes > 0);
  // All the rings it went through are full but for one record each.
  CHECK(made * 1'000 > fd::largest_ring + fd::largest_ring / 2);
  CHECK_FALSE(put(thread, 1'000, made));
  reader read;
  fd::drain(thread, read);
  CHECK(read.next == made);
  CHECK(read.intact);
  CHECK(put(thread, 1'000, made));
  fd::drain(thread, read);
  CHECK(read.next == made + 1);
}

TEST_CASE("a record larger than the largest ring gets a ring of its own size") {
  owned_thread thread;
  REQUIRE(put(thread, 80, 0));
  REQUIRE(put(thread, 400'000, 1));
  REQUIRE(put(thread, 80, 2));
  reader read;
  fd::drain(thread, read);
  CHECK(read.next == 3);
  CHECK(read.intact);
}

TEST_CASE("one thread writes while another reads") {
  owned_thread thread;
  constexpr std::uint64_t count = 200'000;
  reader read;
  std::thread producer([&] {
    for (std::uint64_t number = 0; number < count;)
      if (put(thread, static_cast<std::uint32_t>(80 + 8 * (number % 20)), number))
        ++number;
      else
        std::this_thread::yield();
  });
  while (read.next < count) fd::drain(thread, read);
  producer.join();
  CHECK(read.intact);
  CHECK(fd::is_empty(thread));
}

TEST_CASE("a record that is not taken stays, with those behind it") {
  owned_thread thread;
  for (std::uint64_t n = 0; n < 2'000; ++n) put(thread, 1'000, n);  // over several rings
  reader read;
  int refused = 0;
  const auto takes_some = [&](std::byte* record) {
    if (read.next % 50 == 49 && refused++ % 2 == 0) return false;
    return read(record);
  };
  while (!fd::is_empty(thread)) fd::drain(thread, takes_some);
  CHECK(read.intact);
  CHECK(refused > 2);
}
