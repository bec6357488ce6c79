// How hard an exporter tries: the same for every one that sends over a network.
#pragma once

#include <chrono>

namespace fulgurite {
inline namespace v1 {

/// Attempts and the pauses between them. All of it happens within the exporter's own timeout, and a backend's
/// `Retry-After` goes before the backoff.
struct delivery_options {
  /// Including the first; 1 means no retry.
  int max_attempts = 6;
  /// Before the second attempt; it doubles from one to the next.
  std::chrono::milliseconds initial_backoff{200};
  std::chrono::milliseconds max_backoff{5000};
  /// The part of a pause that is random, from 0 to 1: programs that lost a backend together must not return together.
  double jitter = 0.5;
};

}  // namespace v1
}  // namespace fulgurite
