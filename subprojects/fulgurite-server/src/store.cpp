#include "store.hpp"

#include <fulgurite/text/printable.hpp>

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

namespace fulgurite_server {
namespace {

constexpr int schema_version = 1;
constexpr int busy_timeout_ms = 10'000;

// `traces` is kept beside `spans` so that a list of traces does not read every span.
constexpr const char* schema = R"(
CREATE TABLE resources(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, body BLOB, schema_url TEXT NOT NULL,
                       service TEXT NOT NULL);
CREATE INDEX resources_by_hash ON resources(hash);
CREATE TABLE scopes(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, body BLOB, schema_url TEXT NOT NULL);
CREATE INDEX scopes_by_hash ON scopes(hash);
CREATE TABLE spans(id INTEGER PRIMARY KEY, trace_id BLOB NOT NULL, span_id BLOB NOT NULL, root INTEGER NOT NULL,
                   start INTEGER NOT NULL, name TEXT NOT NULL, resource INTEGER NOT NULL REFERENCES resources(id),
                   scope INTEGER NOT NULL REFERENCES scopes(id), body BLOB NOT NULL, UNIQUE(trace_id, span_id));
CREATE TABLE traces(trace_id BLOB PRIMARY KEY, start INTEGER NOT NULL, end INTEGER NOT NULL, spans INTEGER NOT NULL,
                    errors INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX traces_by_start ON traces(start);
PRAGMA user_version = 1;
)";

[[noreturn]] void fail(sqlite3* db, std::string_view doing) {
  const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
  const bool temporary = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_FULL || code == SQLITE_IOERR;
  throw store_error(fmt::format("{}: {}", doing, db ? sqlite3_errmsg(db) : "out of memory"), temporary);
}

std::string id_bytes(fulgurite::trace_id const& id) {
  const std::uint64_t words[] = {id.wire_first(), id.wire_second()};
  return std::string(reinterpret_cast<const char*>(words), sizeof words);
}

std::string id_bytes(fulgurite::span_id id) {
  const std::uint64_t word = id.wire();
  return std::string(reinterpret_cast<const char*>(&word), sizeof word);
}

fulgurite::trace_id to_trace_id(std::string_view bytes) {
  std::uint64_t words[2] = {};
  if (bytes.size() == sizeof words) std::memcpy(words, bytes.data(), sizeof words);
  return fulgurite::trace_id::from_wire(words[0], words[1]);
}

/// A prepared statement; parameters count from 1, columns from 0.
class statement {
 public:
  statement(database const& db, const char* sql) : db_(db.get()) {
    if (sqlite3_prepare_v2(db_, sql, -1, &handle_, nullptr) != SQLITE_OK) fail(db_, "the trace store cannot be read");
  }
  statement(statement const&) = delete;
  statement& operator=(statement const&) = delete;
  ~statement() { sqlite3_finalize(handle_); }

  statement& bind(int at, std::int64_t value) { return check(sqlite3_bind_int64(handle_, at, value)); }
  statement& bind_text(int at, std::string_view value) {
    return check(sqlite3_bind_text64(handle_, at, not_null(value), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  /// Points at the bytes until the statement is bound or ended; an empty one is stored as empty, not as null.
  statement& bind_blob(int at, std::string_view value) {
    return check(sqlite3_bind_blob64(handle_, at, not_null(value), value.size(), SQLITE_STATIC));
  }
  statement& bind_optional(int at, std::optional<std::string> const& value) {
    return value ? bind_blob(at, std::string_view(*value)) : check(sqlite3_bind_null(handle_, at));
  }

  /// True when there is a row.
  bool step() {
    const int code = sqlite3_step(handle_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(db_, "the trace store failed");
    return code == SQLITE_ROW;
  }
  void run() {
    step();
    sqlite3_reset(handle_);
  }
  statement& again() {
    sqlite3_reset(handle_);
    return *this;
  }

  std::int64_t integer(int at) const { return sqlite3_column_int64(handle_, at); }
  bool is_null(int at) const { return sqlite3_column_type(handle_, at) == SQLITE_NULL; }
  /// Valid until the next step.
  std::string_view blob(int at) const {
    const void* data = sqlite3_column_blob(handle_, at);
    return {static_cast<const char*>(data), data ? static_cast<std::size_t>(sqlite3_column_bytes(handle_, at)) : 0};
  }

 private:
  static const char* not_null(std::string_view value) { return value.data() ? value.data() : ""; }
  statement& check(int code) {
    if (code == SQLITE_TOOBIG) throw store_error("a span is larger than the trace store takes", false);
    if (code != SQLITE_OK) fail(db_, "the trace store failed");
    return *this;
  }

  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

void execute(database const& db, const char* sql) {
  if (sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail(db.get(), "the trace store failed");
}

/// Rolls back unless committed.
class transaction {
 public:
  explicit transaction(database const& db, const char* begin) : db_(db) { execute(db, begin); }
  transaction(transaction const&) = delete;
  transaction& operator=(transaction const&) = delete;
  ~transaction() {
    // Some errors roll back by themselves.
    if (!committed_ && !sqlite3_get_autocommit(db_.get()))
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    execute(db_, "COMMIT");
    committed_ = true;
  }

 private:
  database const& db_;
  bool committed_ = false;
};

std::int64_t version_of(database const& db) {
  statement query(db, "PRAGMA user_version");
  query.step();
  return query.integer(0);
}

/// FNV-1a: only to find candidates, which are then compared.
std::int64_t hash_of(span_owner const& owner) {
  std::uint64_t hash = owner.body ? 0xcbf29ce484222325U : 0;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  };
  if (owner.body) add(*owner.body);
  add(owner.schema_url);
  return static_cast<std::int64_t>(hash);
}

/// The row of each owner, made where there is none.
template <class Insert>
std::vector<std::int64_t> rows_of(std::vector<span_owner> const& owners, statement& find, statement& insert,
                                  database const& db, Insert bind_more) {
  std::vector<std::int64_t> rows;
  rows.reserve(owners.size());
  for (span_owner const& owner : owners) {
    const std::int64_t hash = hash_of(owner);
    find.again().bind(1, hash).bind_optional(2, owner.body).bind_text(3, owner.schema_url);
    if (find.step()) {
      rows.push_back(find.integer(0));
      continue;
    }
    insert.again().bind(1, hash).bind_optional(2, owner.body).bind_text(3, owner.schema_url);
    bind_more(insert, owner);
    insert.run();
    rows.push_back(sqlite3_last_insert_rowid(db.get()));
  }
  return rows;
}

std::string_view text_of(statement const& row, int at) { return row.blob(at); }

}  // namespace

void database::closer::operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }

database::database(std::filesystem::path const& directory, access how) {
  const std::filesystem::path file = directory / "traces.db";
  if (how == access::read) {
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored))
      throw store_error(fmt::format("there are no traces in {}", directory.string()), false);
  }
  // A reader opens for writing too: after a crash it may be the first to read the write-ahead log back in.
  const auto open = [&](int flags) {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    handle_.reset(raw);
    return code == SQLITE_OK;
  };
  if (!open(how == access::create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READWRITE) &&
      (how == access::create || !open(SQLITE_OPEN_READONLY)))
    fail(get(), fmt::format("{} cannot be opened", file.string()));
  sqlite3_busy_timeout(get(), busy_timeout_ms);
  sqlite3_extended_result_codes(get(), 0);
  const auto check_version = [&] {
    const std::int64_t version = version_of(*this);
    if (version > schema_version)
      throw store_error(fmt::format("{} was written by a newer version of fulgurite", file.string()), false);
    return version;
  };
  if (how == access::read) {
    check_version();
    execute(*this, "PRAGMA query_only = ON");
    return;
  }
  // SQLite creates it with the umask's rights; what programs trace is nobody else's business.
  ::chmod(file.c_str(), S_IRUSR | S_IWUSR);
  execute(*this, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864");
  const bool logged = [&] {
    statement mode(*this, "PRAGMA journal_mode");
    return mode.step() && text_of(mode, 0) == "wal";
  }();
  if (!logged)
    throw store_error(fmt::format("{} cannot have a write-ahead log on this file system", file.string()), false);
  transaction setup(*this, "BEGIN IMMEDIATE");
  if (check_version() == 0) execute(*this, schema);
  setup.commit();
}

store_writer::added store_writer::add(received_request const& request) {
  added result;
  if (request.spans.empty()) return result;
  const std::lock_guard lock(mutex_);
  transaction all(database_, "BEGIN IMMEDIATE");

  statement find_resource(database_, "SELECT id FROM resources WHERE hash = ? AND body IS ? AND schema_url = ?");
  statement new_resource(database_, "INSERT INTO resources(hash, body, schema_url, service) VALUES(?, ?, ?, ?)");
  const auto resources = rows_of(request.resources, find_resource, new_resource, database_,
                                 [](statement& insert, span_owner const& owner) {
                                   insert.bind_text(4, owner.body ? service_name(*owner.body) : std::string());
                                 });
  statement find_scope(database_, "SELECT id FROM scopes WHERE hash = ? AND body IS ? AND schema_url = ?");
  statement new_scope(database_, "INSERT INTO scopes(hash, body, schema_url) VALUES(?, ?, ?)");
  const auto scopes = rows_of(request.scopes, find_scope, new_scope, database_, [](statement&, span_owner const&) {});

  struct change {
    std::int64_t start, end, spans, errors;
  };
  std::map<fulgurite::trace_id, change> changes;
  statement insert(database_,
                   "INSERT INTO spans(trace_id, span_id, root, start, name, resource, scope, body) "
                   "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(trace_id, span_id) DO NOTHING");
  statement same(database_, "SELECT body = ? FROM spans WHERE trace_id = ? AND span_id = ?");
  for (received_span const& span : request.spans) {
    const std::string trace = id_bytes(span.trace_id), id = id_bytes(span.span_id);
    insert.bind_blob(1, trace).bind_blob(2, id).bind(3, !span.parent_span_id.is_valid()).bind(4, span.start_time);
    insert.bind_text(5, span.name).bind(6, resources[span.resource]).bind(7, scopes[span.scope]);
    insert.bind_blob(8, span.body).run();
    if (sqlite3_changes(database_.get()) == 0) {
      same.bind_blob(1, span.body).bind_blob(2, trace).bind_blob(3, id);
      const bool repeated = same.step() && same.integer(0) != 0;
      same.again();
      ++(repeated ? result.repeated : result.conflicting);
      continue;
    }
    ++result.stored;
    const auto [at, first] = changes.try_emplace(span.trace_id, change{span.start_time, span.end_time, 0, 0});
    change& of_trace = at->second;
    of_trace.start = std::min(of_trace.start, span.start_time);
    of_trace.end = std::max(of_trace.end, span.end_time);
    ++of_trace.spans;
    of_trace.errors += span.failed;
  }
  statement update(database_,
                   "INSERT INTO traces VALUES(?, ?, ?, ?, ?) ON CONFLICT(trace_id) DO UPDATE SET "
                   "start = min(start, excluded.start), end = max(end, excluded.end), "
                   "spans = spans + excluded.spans, errors = errors + excluded.errors");
  for (auto const& [id, of_trace] : changes) {
    const std::string trace = id_bytes(id);
    update.bind_blob(1, trace).bind(2, of_trace.start).bind(3, of_trace.end).bind(4, of_trace.spans);
    update.bind(5, of_trace.errors).run();
  }
  all.commit();
  return result;
}

std::vector<trace_summary> store_reader::newest(std::size_t limit) const {
  std::vector<trace_summary> result;
  if (version_of(database_) == 0) return result;  // a server is just creating it
  const transaction snapshot(database_, "BEGIN");
  statement traces(database_,
                   "SELECT trace_id, start, end, spans, errors FROM traces ORDER BY start DESC, trace_id LIMIT ?");
  statement named(database_,
                  "SELECT name, service FROM spans JOIN resources ON resources.id = resource "
                  "WHERE trace_id = ? ORDER BY root DESC, start, spans.id LIMIT 1");
  traces.bind(1, limit == 0 ? -1 : static_cast<std::int64_t>(limit));
  while (traces.step()) {
    trace_summary& trace = result.emplace_back();
    const std::string id(traces.blob(0));
    trace.trace_id = to_trace_id(id);
    trace.start_time = traces.integer(1);
    trace.end_time = traces.integer(2);
    trace.spans = traces.integer(3);
    trace.errors = traces.integer(4);
    named.again().bind_blob(1, id);
    if (named.step()) {
      trace.name = text_of(named, 0);
      trace.service = text_of(named, 1);
    }
  }
  return result;
}

std::optional<fulgurite::trace_id> store_reader::latest() const {
  if (version_of(database_) == 0) return {};
  statement query(database_, "SELECT trace_id FROM traces ORDER BY start DESC, trace_id LIMIT 1");
  if (!query.step()) return {};
  return to_trace_id(query.blob(0));
}

std::vector<fulgurite::trace_id> store_reader::starting_with(std::string_view hex, std::size_t limit) const {
  std::vector<fulgurite::trace_id> result;
  if (hex.size() > 32 || version_of(database_) == 0) return result;
  const auto filled = [hex](char digit) {
    return id_bytes(fulgurite::trace_id::from_hex(std::string(hex) + std::string(32 - hex.size(), digit)));
  };
  const std::string first = filled('0'), last = filled('f');
  statement query(database_, "SELECT trace_id FROM traces WHERE trace_id BETWEEN ? AND ? LIMIT ?");
  query.bind_blob(1, first).bind_blob(2, last).bind(3, static_cast<std::int64_t>(limit));
  while (query.step()) result.push_back(to_trace_id(query.blob(0)));
  return result;
}

stored_trace store_reader::trace(fulgurite::trace_id const& id) const {
  stored_trace result;
  if (version_of(database_) == 0) return result;
  const transaction snapshot(database_, "BEGIN");
  const std::string bytes = id_bytes(id);
  std::map<std::int64_t, std::size_t> resources, scopes;
  const auto position = [this](std::map<std::int64_t, std::size_t>& known, std::vector<span_owner>& owners,
                               std::int64_t row, const char* sql) {
    const auto [at, missing] = known.try_emplace(row, owners.size());
    if (missing) {
      span_owner& owner = owners.emplace_back();
      statement query(database_, sql);
      query.bind(1, row);
      if (query.step()) {
        if (!query.is_null(0)) owner.body = query.blob(0);
        owner.schema_url = text_of(query, 1);
      }
    }
    return at->second;
  };
  statement spans(database_, "SELECT resource, scope, body FROM spans WHERE trace_id = ? ORDER BY id");
  spans.bind_blob(1, bytes);
  while (spans.step()) {
    stored_span span;
    span.resource =
        position(resources, result.resources, spans.integer(0), "SELECT body, schema_url FROM resources WHERE id = ?");
    span.scope = position(scopes, result.scopes, spans.integer(1), "SELECT body, schema_url FROM scopes WHERE id = ?");
    span.body = spans.blob(2);
    result.spans.push_back(std::move(span));
  }
  return result;
}

found_trace find_trace(store_reader const& reader, std::string_view wanted) {
  if (wanted == "latest") {
    if (const auto id = reader.latest()) return {id};
    return {{}, found_trace::missing, "there is no trace yet"};
  }
  const bool is_hex = wanted.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (wanted.empty() || wanted.size() > 32 || !is_hex)
    return {{},
            found_trace::not_an_id,
            fmt::format("\"{}\" is no trace id: that is 32 hexadecimal digits, or the first of them, or `latest`",
                        fulgurite::printable(wanted, 80))};
  const auto matches = reader.starting_with(wanted, 2);
  if (matches.size() == 1) return {matches.front()};
  if (matches.empty()) return {{}, found_trace::missing, fmt::format("there is no trace {}", wanted)};
  return {{}, found_trace::ambiguous, fmt::format("more than one trace id begins with {}", wanted)};
}

}  // namespace fulgurite_server
