#include <fulgurite/exporter/console.hpp>
#include <fulgurite/fulgurite.hpp>

namespace fg = fulgurite;
using namespace fg::literals;

fg::tracer tracer{fg::resource{.service_name = "checkout"}, fg::always_on_sampler{}, fg::console_exporter{}};

void charge(int order, double total) {
  auto span = tracer.trace_context("charge card", "order.id"_a = order, "amount"_a = total);  // current until the brace
  span.add_event("authorised", {{"attempt", 2}});
  if (total > 100) span.set_status(fg::status_code::error, "declined");
}

int main() {
  auto span = tracer.trace_context("checkout");
  charge(7, 99.5);
  charge(8, 250.0);
}
