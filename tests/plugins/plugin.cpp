// A plugin that traces: into the program's tracer, and into one of its own.
#ifdef OTHER_VERSION
// Stands for another version of the library: the same names, and a layout that the program's does not have.
#include <fulgurite/platform/version.hpp>
#define library_version "0.0.0-other"
#endif
#include <fulgurite/fulgurite.hpp>

#include <string>

#include "plugin.hpp"

namespace fg = fulgurite;
using namespace fg::literals;

namespace {

fg::memory_exporter store;

}  // namespace

extern "C" [[gnu::visibility("default")]] void fill_plugin(plugin_functions* to) {
  to->current_span_id = [](char* hex) { fg::current_context().span().span_id().to_hex().copy(hex, 16); };
  to->trace_into = [](void* tracer) {
    auto& into = *static_cast<host_tracer*>(tracer);
    auto span = into.trace_context("in the plugin", "plugin.key"_a = "a literal of the plugin");
    span.set_attribute("late", 1);
    into.add_span_attribute("on the current span", true);
  };
  to->trace_alone = [](int spans) {
    fg::tracer own{fg::resource{.service_name = "plugin"}, fg::always_on_sampler{}, store};
    for (int i = 0; i < spans; ++i) auto span = own.trace_context("the plugin's own");
    own.force_flush(std::chrono::seconds(30));
    const auto count = store.spans().size();
    store.clear();
    return static_cast<int>(count);
  };
  to->engine = [] { return static_cast<void*>(&fg::detail::engine::instance()); };
}
