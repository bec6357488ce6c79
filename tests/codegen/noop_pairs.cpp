// Pairs for noop_is_nothing.py: `traced_<x>` has every call of the tracing interface that its twin `plain_<x>` lacks,
// and must be the same machine code.
//
// Arguments that the compiler itself may not drop (a string made by concatenation, say) stay code under any tracer;
// the lazy form, a callable, is what leaves nothing, and is what is used here.
#include <fulgurite/context/context.hpp>
#include <fulgurite/noop.hpp>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fg = fulgurite;
using namespace fg::literals;

// As README shows it. That it is made and destroyed leaves no code either.
fg::noop_tracer tracer;

int charge(int amount);
std::string costly();

int traced_scope(int amount);
int plain_scope(int amount);
int traced_attributes(int amount, double rate, std::string_view name);
int plain_attributes(int amount, double rate, std::string_view name);
int traced_lazy(int amount);
int plain_lazy(int amount);
int traced_events(int amount);
int plain_events(int amount);
int traced_nested(int amount);
int plain_nested(int amount);
int traced_loop(const int* amounts, int count);
int plain_loop(const int* amounts, int count);
int traced_call(int amount);
int plain_call(int amount);
int traced_throw(int amount);
int plain_throw(int amount);
int traced_free_span(int amount);
int plain_free_span(int amount);
bool traced_recording();
bool plain_recording();
int traced_remote(const std::map<std::string, std::string>& headers, int amount);
int plain_remote(const std::map<std::string, std::string>& headers, int amount);
int traced_link(int amount);
int plain_link(int amount);

int traced_scope(int amount) {
  auto span = tracer.trace_context("charge card");
  return charge(amount) + 1;
}
int plain_scope(int amount) { return charge(amount) + 1; }

int traced_attributes(int amount, double rate, std::string_view name) {
  auto span = tracer.trace_context("charge card", "amount"_a = amount, "rate"_a = rate, "name"_a = name);
  span.set_attribute("amount", amount);
  span.set_attribute("rate"_a = rate);
  return charge(amount) + static_cast<int>(rate) + static_cast<int>(name.size());
}
int plain_attributes(int amount, double rate, std::string_view name) {
  return charge(amount) + static_cast<int>(rate) + static_cast<int>(name.size());
}

int traced_lazy(int amount) {
  auto span = tracer.trace_context("charge card");
  span.set_attribute("body", [&] { return costly(); });
  return charge(amount);
}
int plain_lazy(int amount) { return charge(amount); }

int traced_events(int amount) {
  auto span = tracer.trace_context("charge card");
  span.add_event("authorised", {{"attempt", 2}, {"amount", amount}});
  const int result = charge(amount);
  if (result < 0) span.set_status(fg::status_code::error, "declined");
  span.update_name("charged");
  return result;
}
int plain_events(int amount) { return charge(amount); }

int traced_nested(int amount) {
  auto outer = tracer.trace_context("outer");
  int sum = charge(amount);
  {
    auto inner = tracer.trace_context("inner", "sum"_a = sum);
    sum += charge(sum);
  }
  return sum + 1;
}
int plain_nested(int amount) {
  int sum = charge(amount);
  sum += charge(sum);
  return sum + 1;
}

int traced_loop(const int* amounts, int count) {
  auto span = tracer.trace_context("loop", "count"_a = count);
  int sum = 0;
  for (int i = 0; i < count; ++i) {
    auto each = tracer.trace_context("each", "index"_a = i);
    sum += amounts[i];
  }
  return sum;
}
int plain_loop(const int* amounts, int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += amounts[i];
  return sum;
}

int traced_call(int amount) {
  return tracer.trace("charge card", [&](auto& span) {
    span.set_attribute("amount", amount);
    return charge(amount) * 2;
  });
}
int plain_call(int amount) { return charge(amount) * 2; }

int traced_throw(int amount) {
  auto span = tracer.trace_context("charge card");
  if (amount < 0) throw std::invalid_argument("amount");
  return charge(amount);
}
int plain_throw(int amount) {
  if (amount < 0) throw std::invalid_argument("amount");
  return charge(amount);
}

int traced_free_span(int amount) {
  auto span = tracer.start_span("background", {.kind = fg::span_kind::producer}, "amount"_a = amount);
  {
    auto scope = tracer.activate(span);
    amount = charge(amount);
  }
  span.end();
  return amount;
}
int plain_free_span(int amount) { return charge(amount); }

bool traced_recording() { return tracer.trace_context("asked").is_recording(); }
bool plain_recording() { return false; }

int traced_remote(const std::map<std::string, std::string>& headers, int amount) {
  auto span = tracer.trace_context("GET", {.kind = fg::span_kind::server, .parent = tracer.extract(headers)});
  return charge(amount);
}
int plain_remote(const std::map<std::string, std::string>&, int amount) { return charge(amount); }

int traced_link(int amount) {
  auto first = tracer.trace_context("first");
  const int result = charge(amount);
  auto second = tracer.trace_context("second");
  second.add_link(first.context(), {{"reason", "retry"}});
  return charge(result);
}
int plain_link(int amount) {
  const int result = charge(amount);
  return charge(result);
}
