#include <fulgurite/context/current.hpp>

#include <doctest/doctest.h>

#include <string>
#include <thread>

namespace fg = fulgurite;

TEST_CASE("nothing is current at first") {
  CHECK_FALSE(fg::current_context().span().is_valid());
  CHECK(fg::current_baggage().empty());
}

TEST_CASE("with_baggage adds entries until its scope ends") {
  {
    auto outer = fg::with_baggage({{"a", "1"}, {"b", "2"}});
    CHECK(fg::current_baggage().get("a") == "1");
    {
      auto inner = fg::with_baggage({{"a", "3"}, {"c", "4"}});
      CHECK(fg::current_baggage().size() == 3);
      CHECK(fg::current_baggage().get("a") == "3");
      CHECK(fg::current_context().baggage().get("c") == "4");
    }
    CHECK(fg::current_baggage() == fg::baggage{{"a", "1"}, {"b", "2"}});
  }
  CHECK(fg::current_baggage().empty());
}

TEST_CASE("what is current belongs to its thread") {
  auto here = fg::with_baggage({{"a", "1"}});
  bool empty_there = false;
  std::thread([&] {
    empty_there = fg::current_baggage().empty();
    auto there = fg::with_baggage({{"b", "2"}});
  }).join();
  CHECK(empty_there);
  CHECK(fg::current_baggage() == fg::baggage{{"a", "1"}});
}

TEST_CASE("a context outlives the scope it was read in") {
  fg::context kept;
  {
    auto scope = fg::with_baggage({{"a", "a value long enough to lie on the heap"}});
    kept = fg::current_context();
  }
  CHECK(kept.baggage().get("a") == "a value long enough to lie on the heap");
}
