#include "slow_name.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <cstring>

namespace {

std::atomic<bool> silent{false};
/// Questions that have no answer yet.
std::atomic<int> waiting{0};

}  // namespace

namespace fulgurite_test {

slow_name::slow_name() { silent = true; }
slow_name::~slow_name() {
  silent = false;
  silent.notify_all();
  for (int left = waiting; left != 0; left = waiting) waiting.wait(left);
}

}  // namespace fulgurite_test

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  if (host && std::strcmp(host, fulgurite_test::slow_host) == 0 &&
      (!hints || (hints->ai_flags & AI_NUMERICHOST) == 0)) {
    ++waiting;
    silent.wait(true);
    --waiting;
    waiting.notify_all();
    return EAI_NONAME;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, found);
}
