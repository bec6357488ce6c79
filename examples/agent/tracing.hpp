// The agent's tracer, in one place. It is off until `main` asks the environment which backend gets the trace.
//
// What costs something and serves the trace alone is given as a callable, which is called only when a span records. So
// with `fg::noop_tracer` here (from <fulgurite/noop.hpp>) nothing of it is left in the program: a test compares the
// machine code.
#pragma once

#include <fulgurite/any_tracer.hpp>
#include <fulgurite/context/context.hpp>  // what extract() and span.context() give; noop.hpp only names it

namespace agent {

namespace fg = fulgurite;
using namespace fg::literals;

inline fg::any_tracer tracer;

}  // namespace agent
