// Opens the plugin that the variable PLUGIN names, has it trace, closes it, and ends: the plugin's tracers deliver, for
// an object that traces stays mapped.
#include <dlfcn.h>
#include <cstdio>
#include <cstdlib>

int main() {
  void* const plugin = dlopen(std::getenv("PLUGIN"), RTLD_NOW | RTLD_LOCAL);
  if (!plugin) return std::fprintf(stderr, "%s\n", dlerror()), 96;
  const auto run = reinterpret_cast<int (*)()>(dlsym(plugin, "run_plugin"));
  if (!run) return 95;
  const int result = run();
  dlclose(plugin);
  return result;
}
