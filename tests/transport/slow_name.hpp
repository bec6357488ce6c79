// A host whose name server does not answer: `getaddrinfo` of the program waits for it until somebody lets it go. The
// program that includes this links tests/transport/slow_name.cpp.
#pragma once

namespace fulgurite_test {

inline constexpr const char* slow_host = "slow.fulgurite.test";

/// While it lives no question for `slow_host` is answered; then all that wait are answered that there is no such host.
class slow_name {
 public:
  slow_name();
  slow_name(slow_name const&) = delete;
  slow_name& operator=(slow_name const&) = delete;
  ~slow_name();
};

}  // namespace fulgurite_test
