// fulgurite: tracing that a C++ program can leave on everywhere.
//
// This is the core: tracers and spans, context and baggage, the samplers, the W3C propagator, the batch and inline
// processors, the memory exporter and OTLP's JSON. It needs the standard library and threads. Each backend is one more
// header in fulgurite/exporter/; docs/ARCHITECTURE.md shows the way of a span through the folders.
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>

#include <fulgurite/context/current.hpp>
#include <fulgurite/encoder/otlp_json.hpp>
#include <fulgurite/exporter/memory.hpp>
#include <fulgurite/noop.hpp>
#include <fulgurite/processor/batch.hpp>
#include <fulgurite/processor/inline.hpp>
#include <fulgurite/propagator/w3c.hpp>
#include <fulgurite/sampler/always_off.hpp>
#include <fulgurite/sampler/always_on.hpp>
#include <fulgurite/sampler/parent_based.hpp>
#include <fulgurite/sampler/ratio.hpp>
#include <fulgurite/tracer.hpp>
