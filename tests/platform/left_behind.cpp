#include <fulgurite/platform/left_behind.hpp>

#include <doctest/doctest.h>

#include <memory>

TEST_CASE("what is left behind is not destroyed") {
  auto object = std::make_shared<int>(7);
  const std::weak_ptr<int> watched = object;
  fulgurite::detail::leave_behind(std::move(object));
  CHECK(!watched.expired());
}
