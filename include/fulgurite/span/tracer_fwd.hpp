// The tracer's name, its default policies, and what it calls but a later header defines. Light, for
// fulgurite/noop.hpp.
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

/// Defined by agent/langchain.hpp.
class langchain_callback_handler;

namespace detail {

template <class T>
concept complete = requires { sizeof(T); };

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
