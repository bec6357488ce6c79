#include <fulgurite/propagator/any_propagator.hpp>
#include <fulgurite/propagator/noop.hpp>
#include <fulgurite/propagator/w3c.hpp>

#include "fields.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace fg = fulgurite;
using fg::any_propagator;

static_assert(fg::check_propagator<any_propagator>());
static_assert(sizeof(any_propagator) == sizeof(void*));
static_assert(std::is_nothrow_move_constructible_v<any_propagator> &&
              std::is_nothrow_move_assignable_v<any_propagator>);
static_assert(!std::is_constructible_v<any_propagator, int>);

namespace {

const field_list fields{{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
                        {"tracestate", "a=1"},
                        {"baggage", "k=v"}};

/// Keeps every field, by listing them; has a state and can be moved only.
struct everything {
  std::unique_ptr<int> extractions = std::make_unique<int>(0);

  template <class Setter>
  void inject(fg::context const& from, Setter&& setter) {
    setter("listed", from.kept("listed"));
    setter("extractions", std::to_string(*extractions));
  }
  template <class Getter>
  fg::context extract(Getter&& getter) {
    ++*extractions;
    std::string seen;
    const bool listed = fg::detail::for_each_field(
        getter, [&](std::string_view key, std::string_view value) { ((seen += key) += '=') += value; });
    return fg::context({}, {}, {{"listed", listed ? seen : "(cannot list)"}});
  }
  std::vector<std::string> fields() { return {"listed", "extractions"}; }
};

/// A propagator that holds another, as a composite does.
template <class Held>
struct around {
  Held held;
  explicit around(Held h) : held(std::move(h)) {}
  void inject(fg::context const& from, auto&& setter) const { held.inject(from, setter); }
  fg::context extract(auto&& getter) const { return held.extract(getter); }
  auto fields() const { return held.fields(); }
};

}  // namespace

static_assert(fg::check_propagator<around<any_propagator>>());

TEST_CASE("without a propagator it does nothing") {
  const any_propagator none;
  CHECK_FALSE(extracted(none, fields).span().is_valid());
  CHECK(injected(none, extracted(fg::w3c_propagator(), fields)).empty());
  CHECK(none.fields().empty());
}

TEST_CASE("it does what the held one does") {
  const any_propagator any{fg::w3c_propagator()};
  const fg::context context = extracted(any, fields);
  CHECK(context.span() == extracted(fg::w3c_propagator(), fields).span());
  CHECK(context.baggage().get("k") == "v");
  CHECK(injected(any, context) == fields);
  CHECK(any.fields() == std::vector<std::string_view>{"traceparent", "tracestate", "baggage"});
  CHECK(any_propagator(fg::noop_propagator()).fields().empty());
}

TEST_CASE("it moves, and holds what can only be moved and changes itself") {
  any_propagator first = everything();
  CHECK(extracted(first, fields).kept("listed").starts_with("traceparent=00-"));
  any_propagator second = std::move(first);
  CHECK(injected(second, extracted(second, {{"A", "1"}, {"b", "2"}})) ==
        field_list{{"listed", "A=1b=2"}, {"extractions", "2"}});
  CHECK(injected(first, fg::context()).empty());  // NOLINT: empty after the move
  first = std::move(second);
  CHECK(first.fields().size() == 2);
}

TEST_CASE("a getter that cannot list its fields says so through it") {
  const auto function = [](std::string_view) { return std::optional<std::string_view>(); };
  const any_propagator any{everything()};
  CHECK(any.extract(fg::detail::carrier_getter(function)).kept("listed") == "(cannot list)");
  CHECK(any.extract(function).kept("listed") == "(cannot list)");
}

TEST_CASE("it may lie within another one") {
  const any_propagator any = around(any_propagator(fg::w3c_propagator()));
  CHECK(injected(any, extracted(any, fields)) == fields);
  CHECK(any.fields().size() == 3);
}
