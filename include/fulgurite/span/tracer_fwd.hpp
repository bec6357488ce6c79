// The tracer's name and its default policies. Light, for fulgurite/noop.hpp.
#pragma once

namespace fulgurite {
inline namespace v1 {

class w3c_propagator;
struct tsc_clock;
struct drop_newest;
template <class Clock, class Overflow>
class batch_processor;

template <class Sampler, class Exporter, class Propagator = w3c_propagator,
          class Processor = batch_processor<tsc_clock, drop_newest>>
class tracer;

}  // namespace v1
}  // namespace fulgurite
