#include <fulgurite/engine/record_sink.hpp>

#include <doctest/doctest.h>

#include <type_traits>

TEST_CASE("a sink is what the engine can neither copy nor make") {
  CHECK(std::is_abstract_v<fulgurite::detail::record_sink>);
  CHECK_FALSE(std::is_copy_constructible_v<fulgurite::detail::record_sink>);
  CHECK(std::has_virtual_destructor_v<fulgurite::detail::record_sink>);
}
