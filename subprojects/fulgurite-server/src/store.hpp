// Where the server keeps spans: one SQLite file in the data directory, `traces.db`.
//
// A request is one transaction, synchronous to the disk, so what was answered with 200 survives kill -9 and a power
// failure. Spans are keyed by trace and span id: delivered again, they are stored once. Readers, also in other
// processes, work while the writer writes (write-ahead log), with a server or without one.
#pragma once

#include "otlp_decoder.hpp"
#include "traces_data.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

struct sqlite3;

namespace fulgurite_server {

/// The database could not be opened, read or written; `what()` is one sentence.
struct store_error : std::runtime_error {
  store_error(std::string const& sentence, bool may_pass) : std::runtime_error(sentence), temporary(may_pass) {}

  /// Trying again later may help: it was busy, or the disk full.
  bool temporary;
};

/// A trace in a list.
struct trace_summary {
  fulgurite::trace_id trace_id = {};
  /// Of the root, or of the earliest span while there is none.
  std::string name = {}, service = {};
  /// Nanoseconds since the Unix epoch: the earliest start, the latest end.
  std::int64_t start_time = 0, end_time = 0;
  std::int64_t spans = 0, errors = 0;
};

/// One connection; used by one thread at a time.
class database {
 public:
  enum class access { create, read };

  database(std::filesystem::path const& directory, access how);
  sqlite3* get() const noexcept { return handle_.get(); }

 private:
  struct closer {
    void operator()(sqlite3* handle) const noexcept;
  };
  std::unique_ptr<sqlite3, closer> handle_;
};

/// The one writer of a data directory; which server that is, the lock in data_directory.hpp decides.
class store_writer {
 public:
  struct added {
    std::size_t stored = 0;
    /// Stored before, the same bytes.
    std::size_t repeated = 0;
    /// The identifiers are stored, with another content. The first is kept.
    std::size_t conflicting = 0;
  };

  /// Creates the file if there is none. Throws `store_error`.
  explicit store_writer(std::filesystem::path const& directory) : database_(directory, database::access::create) {}

  /// All of the request or, with a `store_error`, none of it. On return it is on the disk. Any thread.
  added add(received_request const& request);

 private:
  std::mutex mutex_;
  database database_;
};

class store_reader {
 public:
  /// Throws `store_error`, also when there is no store in the directory.
  explicit store_reader(std::filesystem::path const& directory) : database_(directory, database::access::read) {}

  /// The newest by start time first; 0 means all.
  std::vector<trace_summary> newest(std::size_t limit) const;
  std::optional<fulgurite::trace_id> latest() const;
  /// Up to `limit` traces whose identifier begins with these hexadecimal digits.
  std::vector<fulgurite::trace_id> starting_with(std::string_view hex, std::size_t limit) const;
  /// Its spans in the order they were stored; nothing when there are none.
  stored_trace trace(fulgurite::trace_id const& id) const;

 private:
  database database_;
};

struct found_trace {
  enum reason { found, missing, ambiguous, not_an_id };

  std::optional<fulgurite::trace_id> id = {};
  reason why = found;
  /// Why there is none.
  std::string sentence = {};
};

/// `latest`, an identifier, or its first digits.
found_trace find_trace(store_reader const& reader, std::string_view wanted);

}  // namespace fulgurite_server
