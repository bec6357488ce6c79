// How hard an exporter tries: the same for every one that sends over a network.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

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
  /// A directory: what the backend does not take now is kept there and delivered later (delivery/spool.hpp). Each
  /// attempt at it comes after a pause as above, as often as it takes. Empty: what cannot be delivered is lost.
  std::string spool = {};
  /// What one destination's batches may take up there, of all processes together; each counts in whole 4 KiB.
  std::uint64_t spool_max_bytes = std::uint64_t{512} << 20;
};

}  // namespace v1
}  // namespace fulgurite
