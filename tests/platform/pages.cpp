#include <fulgurite/platform/pages.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

TEST_CASE("pages are zero and writable, and a size that no machine has gives none") {
  constexpr std::size_t size = 3 * 4096;
  auto* const pages = static_cast<unsigned char*>(fulgurite::detail::allocate_pages(size));
  REQUIRE(pages != nullptr);
  CHECK(std::all_of(pages, pages + size, [](unsigned char c) { return c == 0; }));
  std::fill(pages, pages + size, static_cast<unsigned char>(1));
  fulgurite::detail::free_pages(pages, size);
  CHECK(fulgurite::detail::allocate_pages(std::numeric_limits<std::size_t>::max() / 2) == nullptr);
}
