// What the propagators' tests share: a list of fields as a carrier, and how to read and write it.
#pragma once

#include <fulgurite/context/context.hpp>
#include <fulgurite/propagator/carrier.hpp>

#include <string>
#include <utility>
#include <vector>

using field_list = std::vector<std::pair<std::string, std::string>>;

template <class Propagator>
fulgurite::context extracted(Propagator const& propagator, field_list const& fields) {
  return propagator.extract(fulgurite::detail::carrier_getter(fields));
}

template <class Propagator>
field_list injected(Propagator const& propagator, fulgurite::context const& from) {
  field_list fields;
  propagator.inject(from, fulgurite::detail::carrier_setter(fields));
  return fields;
}
