// The W3C propagator between standard input and output, for w3c_reference.py.
//
// A line in: the fields of a carrier, `name=value name=value`, values in hexadecimal. A line out, parts separated by
// tabs: trace id, span id, flags (`-` without a valid span) | tracestate | baggage, `key:value:metadata` each | the
// fields that injecting the context gives. All texts but names are in hexadecimal.
#include <fulgurite/propagator/carrier.hpp>
#include <fulgurite/propagator/w3c.hpp>

#include "hex.hpp"

#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace fg = fulgurite;

using fulgurite_test::from_hex;
using fulgurite_test::to_hex;

int main() {
  const fg::w3c_propagator propagator;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::vector<std::pair<std::string, std::string>> fields, injected;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      const std::size_t equals = word.find('=');
      fields.emplace_back(word.substr(0, equals), from_hex(std::string_view(word).substr(equals + 1)));
    }
    const fg::context context = propagator.extract(fg::detail::carrier_getter(fields));
    const fg::span_context& span = context.span();
    if (span.is_valid())
      std::cout << span.trace_id().to_hex() << ' ' << span.span_id().to_hex() << ' ' << int{span.flags().bits()};
    else
      std::cout << '-';
    std::cout << '\t' << to_hex(span.trace_state().to_header()) << '\t';
    for (const fg::baggage_entry& entry : context.baggage())
      std::cout << to_hex(entry.key) << ':' << to_hex(entry.value) << ':' << to_hex(entry.metadata) << ' ';
    std::cout << '\t';
    propagator.inject(context, fg::detail::carrier_setter(injected));
    for (const auto& [name, value] : injected) std::cout << name << '=' << to_hex(value) << ' ';
    std::cout << '\n';
  }
}
