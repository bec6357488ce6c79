#include <fulgurite/propagator/propagator.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace fg = fulgurite;

namespace {

/// The least that one has to write.
struct minimal {
  template <class Setter>
  void inject(fg::context const& from, Setter&& setter) {
    setter("x-span", from.span().span_id().to_hex());
  }
  template <class Getter>
  fg::context extract(Getter&& getter) {
    const auto id = getter("x-span");
    if (!id) return {};
    return fg::context(fg::span_context(fg::trace_id::from_numbers(0, 1), fg::span_id::from_hex(*id), {}, true));
  }
  std::vector<std::string> fields() { return {"x-span"}; }
};

struct no_inject {
  fg::context extract(auto&&) const { return {}; }
  std::vector<std::string> fields() const { return {}; }
};
struct wrong_extract : minimal {
  int extract(auto&&) const { return 0; }
};
struct wrong_fields : minimal {
  int fields() const { return 0; }
};
struct array_fields : minimal {
  static constexpr const char* keys[] = {"x"};
  auto fields() const -> const char* const (&)[1] { return keys; }
};

struct void_lister {
  void for_each(auto&& visit) { visit(std::string_view("k"), std::string_view("v")); }
};
struct bool_lister {
  bool answer;
  bool for_each(auto&&) { return answer; }
};

}  // namespace

static_assert(fg::check_propagator<minimal>());
static_assert(fg::propagator<array_fields>);
static_assert(!fg::propagator<no_inject> && !fg::propagator<wrong_extract> && !fg::propagator<wrong_fields>);
static_assert(!fg::propagator<int>);

TEST_CASE("a getter that can list its fields is asked to, another one is not") {
  std::string seen;
  const auto visit = [&](std::string_view key, std::string_view value) { (seen += key) += value; };
  void_lister lists;
  CHECK(fg::detail::for_each_field(lists, visit));
  CHECK(seen == "kv");
  bool_lister says{true}, denies{false};
  CHECK(fg::detail::for_each_field(says, visit));
  CHECK_FALSE(fg::detail::for_each_field(denies, visit));
  auto function = [](std::string_view) { return std::optional<std::string_view>(); };
  CHECK_FALSE(fg::detail::for_each_field(function, visit));
}
