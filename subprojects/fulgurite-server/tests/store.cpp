#include "store.hpp"

#include "golden_request.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using namespace fulgurite_server;

namespace {

struct directory {
  directory() {
    std::string name = (std::filesystem::temp_directory_path() / "fulgurite-store-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~directory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

std::string field(std::uint32_t number, std::string_view payload) {
  std::string out;
  put_bytes(out, number, payload);
  return out;
}

std::string fixed_field(std::uint32_t number, std::uint64_t value) {
  std::string out(1, static_cast<char>(number << 3 | 1));
  for (int i = 0; i < 8; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

std::string eight(std::uint64_t value) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
  return out;
}

/// One span, without resource and scope.
std::string request(std::uint64_t trace, std::uint64_t span, std::uint64_t start, std::string_view name = "s") {
  return field(1, field(2, field(2, field(1, eight(1) + eight(trace)) + field(2, eight(span)) + field(5, name) +
                                        fixed_field(7, start) + fixed_field(8, start + 10))));
}

void execute(std::filesystem::path const& where, const char* sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((where / "traces.db").c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_CASE("what was stored comes back byte for byte, in a new connection") {
  const directory in;
  {
    store_writer writer(in.path);
    const auto added = writer.add(read_request(golden_request));
    CHECK(added.stored == 3);
    CHECK(added.repeated == 0);
  }
  const store_reader reader(in.path);
  const auto id = reader.latest();
  REQUIRE(id);
  CHECK(id->to_hex() == "5b8efff798038103d269b633813fc60c");
  CHECK(to_protobuf(reader.trace(*id)) == golden_request);
  const auto list = reader.newest(0);
  REQUIRE(list.size() == 1);
  CHECK(list[0].name == "charge card");
  CHECK(list[0].service == "checkout");
  CHECK(list[0].start_time == 1544712660000000000);
  CHECK(list[0].end_time == 1544712661000000001);
  CHECK(list[0].spans == 3);
  CHECK(list[0].errors == 1);
  struct stat about = {};
  REQUIRE(stat((in.path / "traces.db").c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE("a repeated delivery is stored once, another span of the same ids is told apart") {
  const directory in;
  store_writer writer(in.path);
  writer.add(read_request(golden_request));
  CHECK(writer.add(read_request(golden_request)).repeated == 3);
  CHECK(writer.add(read_request(request(7, 1, 100, "first"))).stored == 1);
  CHECK(writer.add(read_request(request(7, 1, 100, "second"))).conflicting == 1);
  // Twice within one request.
  const std::string twice = request(8, 1, 100) + request(8, 1, 100);
  const auto added = writer.add(read_request(twice));
  CHECK(added.stored == 1);
  CHECK(added.repeated == 1);
  const auto list = store_reader(in.path).newest(0);
  REQUIRE(list.size() == 3);
  CHECK(list[0].spans == 3);
  CHECK(list[0].errors == 1);
  for (trace_summary const& trace : list)
    if (trace.name == "second") FAIL("the first is kept");
}

TEST_CASE("a trace that comes in parts is one trace; a missing and an empty resource stay different") {
  const directory in;
  store_writer writer(in.path);
  writer.add(read_request(request(1, 1, 500)));
  writer.add(read_request(request(1, 2, 300)));
  const std::string empty_resource =
      field(1, field(1, "") + field(2, field(1, "") + field(2, field(1, eight(1) + eight(1)) + field(2, eight(3)))));
  writer.add(read_request(empty_resource));
  const store_reader reader(in.path);
  const auto list = reader.newest(0);
  REQUIRE(list.size() == 1);
  CHECK(list[0].start_time == 0);
  CHECK(list[0].end_time == 510);
  CHECK(list[0].spans == 3);
  const stored_trace trace = reader.trace(list[0].trace_id);
  REQUIRE(trace.spans.size() == 3);
  CHECK(trace.spans[0].resource == trace.spans[1].resource);
  CHECK_FALSE(trace.resources[trace.spans[0].resource].body.has_value());
  CHECK(trace.resources[trace.spans[2].resource].body == std::string());
  CHECK(trace.scopes[trace.spans[2].scope].body == std::string());
}

TEST_CASE("newest first, latest, and a shortened id") {
  const directory in;
  store_writer writer(in.path);
  for (std::uint64_t i = 1; i <= 50; ++i) writer.add(read_request(request(i, i, 1000 + i * 7 % 50)));
  const store_reader reader(in.path);
  const auto list = reader.newest(10);
  REQUIRE(list.size() == 10);
  for (std::size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].start_time > list[i].start_time);
  CHECK(reader.latest() == list[0].trace_id);
  CHECK(find_trace(reader, "latest").id == list[0].trace_id);
  const std::string whole = "00000000000000010000000000000020";
  CHECK(find_trace(reader, whole).id->to_hex() == whole);
  CHECK(find_trace(reader, whole.substr(0, 31)).why == found_trace::ambiguous);
  CHECK(find_trace(reader, "0000000000000001000000000000000a").id);
  CHECK(find_trace(reader, "000000000000000100000000000000a").why == found_trace::missing);
  CHECK(find_trace(reader, "ffff").why == found_trace::missing);
  CHECK(find_trace(reader, "").why == found_trace::not_an_id);
  CHECK(find_trace(reader, "x").why == found_trace::not_an_id);
  CHECK(find_trace(reader, whole + "0").why == found_trace::not_an_id);
}

TEST_CASE("readers see whole requests while a writer writes") {
  const directory in;
  store_writer writer(in.path);
  std::atomic<bool> done = false;
  std::atomic<int> seen = 0, torn = 0;
  std::thread reading([&] {
    while (!done) {
      const store_reader reader(in.path);
      for (trace_summary const& trace : reader.newest(0)) {
        ++seen;
        // Each request below brings two spans of one trace.
        torn += trace.spans % 2 != 0;
        torn += reader.trace(trace.trace_id).spans.size() % 2 != 0;
      }
    }
  });
  for (std::uint64_t i = 1; i <= 100 || (seen == 0 && i < 100'000); ++i)
    writer.add(read_request(request(i % 10 + 1, 2 * i, i) + request(i % 10 + 1, 2 * i + 1, i)));
  done = true;
  reading.join();
  CHECK(seen > 0);
  CHECK(torn == 0);
}

TEST_CASE("two writers at once lose nothing") {
  const directory in;
  store_writer one(in.path);
  store_writer two(in.path);
  const auto write = [](store_writer& writer, std::uint64_t first) {
    for (std::uint64_t i = 0; i < 50; ++i) writer.add(read_request(request(1, first + i, 5)));
  };
  std::thread other([&] { write(two, 1000); });
  write(one, 1);
  other.join();
  CHECK(store_reader(in.path).newest(0).at(0).spans == 100);
}

TEST_CASE("an error is a sentence, and takes nothing half") {
  const directory in;
  CHECK_THROWS_WITH_AS(store_reader(in.path), doctest::Contains("there are no traces in"), store_error);
  {
    store_writer writer(in.path);
    writer.add(read_request(request(1, 1, 1)));
    execute(in.path,
            "CREATE TRIGGER t BEFORE INSERT ON spans WHEN NEW.name = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END");
    CHECK_THROWS_AS(writer.add(read_request(request(2, 1, 1) + request(3, 1, 1, "bad"))), store_error);
    CHECK(store_reader(in.path).newest(0).size() == 1);
    CHECK(writer.add(read_request(request(2, 1, 1))).stored == 1);
  }
  execute(in.path, "PRAGMA user_version = 99");
  CHECK_THROWS_WITH_AS(store_writer(in.path), doctest::Contains("newer version of fulgurite"), store_error);
  CHECK_THROWS_WITH_AS(store_reader(in.path), doctest::Contains("newer version of fulgurite"), store_error);
  const directory other;
  std::ofstream(other.path / "traces.db") << std::string(5000, 'x');
  CHECK_THROWS_WITH_AS(store_writer(other.path), doctest::Contains("not a database"), store_error);
}
