// The agent's books: texts read from files, cut into passages and kept in SQLite with a full-text index.
//
// Each query is a client span with OpenTelemetry's database attributes.
#pragma once

#include "tracing.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agent {

namespace fs = std::filesystem;

/// The files of a folder.
inline std::vector<fs::path> files_of(fs::path const& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (auto const& entry : fs::recursive_directory_iterator(folder, ignored))
    if (fs::is_regular_file(entry.path()) && !fs::is_symlink(entry.path())) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// `GPL-3` for GPL-3.txt.
inline std::string title_of(fs::path const& file) { return file.stem().string(); }

/// Paragraphs of a sentence or more, on one line each.
inline std::vector<std::string> passages_of(std::string_view text) {
  std::vector<std::string> passages;
  std::string passage;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    while (!line.empty() && std::string_view(" \t*#/.").find(line.front()) != std::string_view::npos)
      line.remove_prefix(1);
    if (!line.empty()) {
      passage += (passage.empty() ? "" : " ") + std::string(line);
      if (!text.empty() && passage.size() < 1200) continue;
    }
    const bool about_files = passage.starts_with("Format:") || passage.starts_with("Files:");
    if (passage.size() > 80 && !about_files) passages.push_back(passage);
    passage.clear();
  }
  return passages;
}

class library {
 public:
  struct row {
    std::string title, text;
  };

  /// In a file of its own that nobody else sees and that goes with it.
  library() {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open("", &opened);
    database_.reset(opened);
    if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(opened));
    run("CREATE documents", "CREATE TABLE documents(title TEXT PRIMARY KEY, text TEXT)");
    run("CREATE passages", "CREATE VIRTUAL TABLE passages USING fts5(title, text)");
  }

  /// Reads files up to a size in all; gives how many it took.
  std::size_t fill(std::vector<fs::path> const& files, std::size_t most_bytes) {
    auto span = tracer.trace_context("INSERT passages", {.kind = fg::span_kind::client});
    span.set_attribute("db.system.name", "sqlite");
    span.set_attribute("db.operation.name", "INSERT");
    std::set<std::string> seen;
    std::size_t bytes = 0, rows = 0;
    execute("BEGIN", {});
    for (fs::path const& file : files) {
      std::ifstream in(file);
      std::string text(std::istreambuf_iterator<char>(in), {});
      if (text.find('\0') != text.npos || bytes + text.size() > most_bytes || !seen.insert(text).second) continue;
      bytes += text.size();
      execute("INSERT OR IGNORE INTO documents VALUES(?, ?)", {title_of(file), text});
      for (std::string const& passage : passages_of(text)) {
        if (!seen.insert(passage).second) continue;
        execute("INSERT INTO passages VALUES(?, ?)", {title_of(file), passage});
        ++rows;
      }
    }
    execute("COMMIT", {});
    span.set_attribute("db.operation.batch.size", rows);
    return rows;
  }

  /// The passages that go best with any of the words; the best first.
  std::vector<row> search(std::vector<std::string> const& words, int most) {
    std::string any;
    for (std::string const& word : words) any += (any.empty() ? "\"" : " OR \"") + word + "\"";
    if (any.empty()) return {};
    return run(
        "SELECT passages",
        "SELECT title, text FROM passages WHERE passages MATCH ? ORDER BY bm25(passages) LIMIT " + std::to_string(most),
        {any});
  }
  /// Titles, and how many of their passages have the word.
  std::vector<row> count(std::string const& word) {
    if (word.empty()) return {};
    return run("SELECT passages",
               "SELECT title, count(*) FROM passages WHERE passages MATCH ? GROUP BY title ORDER BY count(*) DESC, "
               "title LIMIT 5",
               {"\"" + word + "\""});
  }
  std::vector<row> document(std::string const& title) {
    return run("SELECT documents", "SELECT title, text FROM documents WHERE title = ?", {title});
  }
  std::vector<row> all_passages() { return run("SELECT passages", "SELECT title, text FROM passages"); }
  std::vector<row> longest_document() {
    return run("SELECT documents", "SELECT title, '' FROM documents ORDER BY length(text) DESC LIMIT 1");
  }

 private:
  /// One query, one span: named by its summary, with the text of the query and never the values in it.
  std::vector<row> run(std::string_view summary, std::string const& sql, std::vector<std::string> const& values = {}) {
    auto span = tracer.trace_context(summary, {.kind = fg::span_kind::client});
    span.set_attribute("db.system.name", "sqlite");
    span.set_attribute("db.query.summary", summary);
    span.set_attribute("db.query.text", sql);
    std::vector<row> rows = execute(sql, values);
    span.set_attribute("db.response.returned_rows", rows.size());
    return rows;
  }

  std::vector<row> execute(std::string const& sql, std::vector<std::string> const& values) {
    sqlite3_stmt* prepared = nullptr;
    check(sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &prepared, nullptr));
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    for (std::size_t i = 0; i < values.size(); ++i)
      check(sqlite3_bind_text(prepared, static_cast<int>(i + 1), values[i].c_str(), -1, SQLITE_TRANSIENT));
    const auto text = [&](int column) {
      const unsigned char* held = sqlite3_column_text(prepared, column);
      return std::string(held ? reinterpret_cast<const char*>(held) : "");
    };
    std::vector<row> rows;
    int code;
    while ((code = sqlite3_step(prepared)) == SQLITE_ROW) rows.push_back({text(0), text(1)});
    if (code != SQLITE_DONE) check(code);
    return rows;
  }

  /// What SQLite refuses is said on the span of the query, which is the current one.
  void check(int code) const {
    if (code == SQLITE_OK) return;
    const std::string message = sqlite3_errmsg(database_.get());
    if (tracer.is_on())
      tracer.add_span_attribute("db.response.status_code", std::to_string(sqlite3_extended_errcode(database_.get())));
    tracer.set_span_status(fg::status_code::error, message);
    throw std::runtime_error(message);
  }

  struct closer {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
  };

  std::unique_ptr<sqlite3, closer> database_;
};

}  // namespace agent
