// The tracer whose parts are chosen at run time, and the process's global one.
//
// `any_tracer` is a composition like any other. Erasure sits where it costs nothing, once for each root and once for
// each batch; a span's own code is the same as with every part known. Where it comes from: code that puts one together,
// or configuration (runtime.hpp, backends.hpp).
#pragma once

#include <fulgurite/diagnostics/detail/language.hpp>
#include <fulgurite/diagnostics/log.hpp>
#include <fulgurite/exporter/any_exporter.hpp>
#include <fulgurite/processor/any_processor.hpp>
#include <fulgurite/propagator/any_propagator.hpp>
#include <fulgurite/sampler/any_sampler.hpp>
#include <fulgurite/tracer.hpp>

#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {

/// The tracer whose parts are chosen at run time. Its spans are recorded by the same code as any other tracer's.
using any_tracer = tracer<any_sampler, any_exporter, any_propagator, any_processor>;

struct tracer_config;

namespace detail {

/// What backends.hpp provides. It is reached by a weak function, so that a program has it as soon as one of its files
/// includes that header, before `main` too, and links without it as well.
struct backends {
  any_tracer (*from_environment)();
  any_tracer (*create)(tracer_config const&);
};

extern "C" [[gnu::weak, gnu::visibility("default")]] backends const* fulgurite_v1_backends() noexcept;

/// Null in a program without backends.
inline backends const* find_backends() noexcept { return fulgurite_v1_backends ? fulgurite_v1_backends() : nullptr; }

/// The global tracer and those that were it before: references to them may be in use.
class global_tracers {
 public:
  static global_tracers& instance() noexcept { return one_in_process<global_tracers, process_part::global_tracers>(); }

  any_tracer& get() noexcept {
    any_tracer* tracer = current_.load(std::memory_order_acquire);
    if (tracer) return *tracer;
    // An object without backends leaves the choice to one that has them.
    return find_backends() ? make() : off_;
  }
  void set(any_tracer tracer) noexcept {
    const std::lock_guard lock(mutex_);
    current_.store(keep(std::move(tracer)), std::memory_order_release);
  }

 private:
  any_tracer& make() noexcept {
    const std::lock_guard lock(mutex_);
    if (any_tracer* tracer = current_.load(std::memory_order_acquire)) return *tracer;
    // What makes the tracer may itself ask for the global one.
    if (std::exchange(making_, true)) return off_;
    any_tracer* made = nullptr;
    try {
      made = keep(find_backends()->from_environment());
    } catch (std::exception const& error) {
      log(log_level::error, std::string("tracing stays off: ") + error.what());
    } catch (...) {
      log(log_level::error, "tracing stays off: the tracer cannot be made");
    }
    making_ = false;
    // It may have set one, too.
    any_tracer* set_meanwhile = current_.load(std::memory_order_acquire);
    any_tracer* result = set_meanwhile ? set_meanwhile : made ? made : &off_;
    current_.store(result, std::memory_order_release);
    return *result;
  }

  any_tracer* keep(any_tracer tracer) {
    kept_.push_back(std::make_unique<any_tracer>(std::move(tracer)));
    return kept_.back().get();
  }

  std::recursive_mutex mutex_;
  std::atomic<any_tracer*> current_{nullptr};
  bool making_ = false;
  any_tracer off_;
  std::vector<std::unique_ptr<any_tracer>> kept_;
};

}  // namespace detail

/// The process's tracer: the one that was set, or else, in a program with backends, the one that the environment asks
/// for, made on the first call; a wrong configuration is reported to the log and tracing stays off. Off in a program
/// without backends. Never throws, may be called from any thread, and is never destroyed.
inline any_tracer& global_tracer() noexcept { return detail::global_tracers::instance().get(); }

/// Makes this the global tracer. References to an earlier one stay good: it is kept for the rest of the program.
inline void set_global_tracer(any_tracer tracer) noexcept { detail::global_tracers::instance().set(std::move(tracer)); }

}  // namespace v1
}  // namespace fulgurite
