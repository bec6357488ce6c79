// What the program and its plugins know of each other.
#pragma once

#include <fulgurite/fulgurite.hpp>

using host_tracer = fulgurite::tracer<fulgurite::always_on_sampler, fulgurite::memory_exporter>;

struct plugin_functions {
  void (*current_span_id)(char* hex);
  void (*trace_into)(void* tracer);
  int (*trace_alone)(int spans);
  void* (*engine)();
};
