#include <fulgurite/engine/pieces.hpp>

#include "../tracing.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace fd = fulgurite::detail;
namespace fg = fulgurite;

namespace {

/// A record with attribute items of these keys, each holding its position.
std::vector<std::byte> record(std::uint64_t id, std::vector<std::string> const& keys, std::uint8_t marks = 0,
                              std::uint16_t pieces = 0, std::size_t padding = 0) {
  std::vector<std::byte> bytes(sizeof(fd::record_header));
  for (std::string const& key : keys) {
    const std::string text(padding, 'p');
    const fg::value_view value(text);
    const std::size_t size = sizeof(fd::item_header) + fd::name_room(false, key.size()) + fd::packed_size(value);
    const std::size_t at = bytes.size();
    bytes.resize(at + size);
    std::byte* out =
        fd::write_item_head(bytes.data() + at, fd::item_kind::attribute, fg::value_type::string, false, key, size);
    fd::write_value(out, value);
  }
  fd::record_header header{};
  header.name = "span";
  header.name_size = 4;
  header.span_id = fg::span_id::from_number(id);
  header.marks = marks;
  header.pieces = pieces;
  header.size = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::string keys_of(const std::byte* at) {
  std::string keys;
  fg::record_view(at).for_each_attribute(
      [&](std::string_view key, fg::packed_value const&) { keys.append(key) += ' '; });
  return keys;
}

}  // namespace

TEST_CASE("pieces come before the record's own items, in their order") {
  fd::open_pieces pieces;
  CHECK(pieces.empty());
  pieces.add(record(1, {"a", "b"}, fd::mark_piece, 1).data());
  pieces.add(record(2, {"other"}, fd::mark_piece, 1).data());
  pieces.add(record(1, {"c"}, fd::mark_piece, 2).data());
  CHECK(pieces.count(fg::span_id::from_number(1)) == 2);
  CHECK(pieces.count(fg::span_id::from_number(3)) == 0);
  const auto end = record(1, {"d"}, 0, 2);
  CHECK(keys_of(pieces.join(end.data())) == "a b c d ");
  CHECK(pieces.count(fg::span_id::from_number(1)) == 0);
  CHECK(keys_of(pieces.join(end.data())) == "d ");
  CHECK(keys_of(pieces.join(record(2, {}).data())) == "other ");
  CHECK(pieces.empty());
}

TEST_CASE("pieces from several threads are put in the order of their times") {
  fd::open_pieces pieces;
  const auto at = [](std::uint64_t time, const char* key, std::uint16_t number) {
    auto bytes = record(1, {key}, fd::mark_piece, number);
    std::memcpy(bytes.data() + offsetof(fd::record_header, end), &time, sizeof time);
    return bytes;
  };
  pieces.add(at(30, "c", 3).data());
  pieces.add(at(10, "a", 1).data());
  pieces.add(at(40, "d", 0).data());
  pieces.add(at(20, "b", 2).data());
  CHECK(keys_of(pieces.join(record(1, {"e"}, 0, 3).data())) == "a b c d e ");
}

TEST_CASE("a piece that its span does not count stands for none that it does") {
  fd::open_pieces pieces;
  pieces.add(record(1, {"set on the current span"}, fd::mark_piece, 0).data());
  CHECK(pieces.contains(fg::span_id::from_number(1)));
  CHECK(pieces.count(fg::span_id::from_number(1)) == 0);
}

TEST_CASE("spans that never end are given up when they hold too much, the oldest first, and the log says so") {
  fulgurite_test::log_capture log;
  fd::open_pieces pieces;
  constexpr std::size_t size = 60'000;
  const std::size_t fit = fd::open_pieces::max_bytes / size;
  for (std::size_t id = 1; id <= fit + 10; ++id) pieces.add(record(id, {"k"}, fd::mark_piece, 1, size).data());
  CHECK(log.count("64 MiB") == 1);
  // Those that end after all say what they have lost.
  const auto first = pieces.join(record(1, {"own"}, 0, 1).data());
  CHECK(keys_of(first) == "own ");
  CHECK(fg::record_view(first).dropped().attributes == 1);
  const auto last = pieces.join(record(fit + 10, {"own"}, 0, 1).data());
  CHECK(keys_of(last) == "k own ");
  CHECK(fg::record_view(last).dropped().attributes == 0);
}

TEST_CASE("a single span that holds too much is given up, and is not missed by what follows") {
  fulgurite_test::log_capture log;
  fd::open_pieces pieces;
  constexpr std::size_t count = 3 * fd::open_pieces::max_bytes / 60'000;
  for (std::size_t i = 0; i < count; ++i)
    pieces.add(record(1, {"k" + std::to_string(i)}, fd::mark_piece, 1, 60'000).data());
  CHECK(log.count("64 MiB") == 1);
  pieces.add(record(2, {"other"}, fd::mark_piece, 1).data());
  CHECK(keys_of(pieces.join(record(2, {}).data())) == "other ");
  const fg::record_view joined(pieces.join(record(1, {}).data()));
  std::size_t kept = 0;
  joined.for_each_attribute([&](std::string_view, fg::packed_value const&) { ++kept; });
  CHECK(kept + joined.dropped().attributes == count);
  CHECK(pieces.empty());
}

TEST_CASE("one span that never ends does not make the others cost anything for ever") {
  fd::open_pieces pieces;
  pieces.add(record(1, {"k"}, fd::mark_piece, 1).data());
  for (std::uint64_t id = 2; id < 200'000; ++id) {
    pieces.add(record(id, {"k"}, fd::mark_piece, 1).data());
    pieces.join(record(id, {}, 0, 1).data());
  }
  CHECK(pieces.count(fg::span_id::from_number(1)) == 1);  // not given up: the others are gone
}
