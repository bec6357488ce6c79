// A program and its plugins: one engine, one current context, whatever their visibility; and what `dlclose` leaves.
#include "plugin.hpp"

#include "../tracing.hpp"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

namespace fg = fulgurite;
using fulgurite_test::has;
using fulgurite_test::only;

namespace {

struct plugin : plugin_functions {
  explicit plugin(const char* variable = "PLUGIN") : plugin_functions{} {
    const char* path = std::getenv(variable);
    REQUIRE(path != nullptr);
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(handle != nullptr, dlerror());
    auto* const fill = reinterpret_cast<void (*)(plugin_functions*)>(dlsym(handle, "fill_plugin"));
    REQUIRE(static_cast<bool>(fill));
    fill(this);
  }
  plugin(plugin const&) = delete;
  plugin& operator=(plugin const&) = delete;
  ~plugin() { dlclose(handle); }
  void* handle = nullptr;
};

}  // namespace

TEST_CASE("the plugin sees the program's current span, and its spans are children in the program's trace") {
  fg::memory_exporter store;
  host_tracer tracer{fg::resource{.service_name = "host"}, fg::always_on_sampler{}, store};
  {
    const plugin loaded;
    CHECK(loaded.engine() == &fg::detail::engine::instance());
    auto root = tracer.trace_context("root");
    std::string seen(16, ' ');
    loaded.current_span_id(seen.data());
    CHECK(seen == root.context().span_id().to_hex());
    loaded.trace_into(&tracer);
    std::thread([&] { loaded.trace_into(&tracer); }).join();  // a thread that the plugin is the first to trace on
  }
  // Nothing was delivered before dlclose: the records hold addresses of the plugin's literals.
  CHECK(tracer.force_flush(std::chrono::seconds(30)));
  const auto spans = store.spans();
  CHECK(spans.size() == 3);
  const fg::span_data root = only(spans, "root");
  int children = 0;
  for (fg::span_data const& span : spans)
    if (span.name == "in the plugin") {
      children += span.parent_span_id == root.span_id;
      CHECK(has(span, "plugin.key", "a literal of the plugin"));
      CHECK(has(span, "late", 1));
      CHECK(has(span, "on the current span", true));
    }
  CHECK(children == 1);
}

TEST_CASE("a plugin's own tracer, opened and closed again and again") {
  for (int i = 0; i < 20; ++i) {
    const plugin loaded;
    CHECK(loaded.trace_alone(100) == 100);
  }
}

TEST_CASE("a plugin that begins before the program does") {
  const pid_t child = fork();  // a process whose state is new would be better; this one's is the program's
  if (child == 0) {
    const plugin loaded;
    const bool good = loaded.trace_alone(10) == 10 && loaded.engine() == &fg::detail::engine::instance();
    _exit(good ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("another version of the library in the same process has its own engine, and both work") {
  fg::memory_exporter store;
  host_tracer tracer{fg::resource{.service_name = "host"}, fg::always_on_sampler{}, store};
  const plugin other("OTHER_PLUGIN");
  auto root = tracer.trace_context("root");
  CHECK(other.engine() != &fg::detail::engine::instance());
  CHECK(other.trace_alone(10) == 10);
  std::string seen(16, ' ');
  other.current_span_id(seen.data());
  CHECK(seen == std::string(16, '0'));
  root.end();
  CHECK(tracer.force_flush(std::chrono::seconds(30)));
  CHECK(store.spans().size() == 1);
}
