// Exactness against Apache Thrift and Jaeger's own classes is tested by tests/integration/jaeger_oracle.py; here the
// frame by hand, and what only the encoder's interface can do.
#include <fulgurite/encoder/jaeger_thrift.hpp>

#include "../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fg = fulgurite;

namespace {

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
template <std::size_t Size>
std::string octets(const char (&of)[Size]) {
  return {of, Size - 1};
}

fg::span_data plain(std::uint64_t id = 2) {
  fg::span_data span;
  span.name = "n";
  span.trace_id = fg::trace_id::from_numbers(0, 1);
  span.span_id = fg::span_id::from_number(id);
  span.start_time = 1001;
  span.end_time = 3999;
  span.flags = 0x101;
  return span;
}
const std::string plain_compact = octets("\x16\x02\x16\x00\x16\x04\x16\x00\x18\x01n\x25\x02\x16\x02\x16\x04\x00");
const std::string plain_binary = octets(
    "\x0a\0\x01\0\0\0\0\0\0\0\x01\x0a\0\x02\0\0\0\0\0\0\0\0\x0a\0\x03\0\0\0\0\0\0\0\x02"
    "\x0a\0\x04\0\0\0\0\0\0\0\0\x0b\0\x05\0\0\0\x01n\x08\0\x07\0\0\0\x01"
    "\x0a\0\x08\0\0\0\0\0\0\0\x01\x0a\0\x09\0\0\0\0\0\0\0\x02\0");

/// How often a text stands in another.
std::size_t count(std::string_view all, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = all.find(part); at != std::string_view::npos; at = all.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a batch and a message by hand") {
  fg::jaeger_binary_encoder batch, binary(fg::jaeger_form::message);
  fg::jaeger_compact_encoder compact(fg::jaeger_form::message);
  // Without a resource there is no tag of the process.
  batch.begin(nullptr, nullptr);
  batch.add(plain());
  const std::string process = octets("\x0c\0\x01\x0b\0\x01\0\0\0\x0funknown_service\0");
  const std::string spans = octets("\x0f\0\x02\x0c\0\0\0\x01") + plain_binary;
  CHECK(text(batch.finish()) == process + spans + octets("\0"));
  binary.begin(nullptr, nullptr);
  binary.add(plain());
  CHECK(text(binary.finish()) == octets("\x80\x01\0\x04\0\0\0\x09"
                                        "emitBatch\0\0\0\0\x0c\0\x01") +
                                     process + spans + octets("\0\0"));
  compact.begin(nullptr, nullptr);
  compact.add(plain());
  CHECK(text(compact.finish()) == octets("\x82\x81\x00\x09"
                                         "emitBatch\x1c\x1c\x18\x0funknown_service\x00\x19\x1c") +
                                      plain_compact + octets("\0\0"));
}

TEST_CASE("the resource is the process, the service's name apart") {
  fg::jaeger_compact_encoder encoder;
  const auto process = [&](fg::resource const& of) {
    encoder.begin(std::make_shared<fg::resource>(of), nullptr);
    return text(encoder.finish());
  };
  const std::string shop = process({.service_name = "shop", .service_version = "2", .attributes = {{"host", "a"}}});
  CHECK(shop.starts_with("\x1c\x18\x04shop\x19\x5c"));  // version, three of the SDK, host
  CHECK(count(shop, "service.name") == 0);
  CHECK(count(shop, octets("\x18\x0fservice.version\x15\x00\x18\x01"
                           "2\x00")) == 1);
  CHECK(process({}).starts_with("\x1c\x18\x0funknown_service"));
  // As everywhere, what is given as an attribute wins.
  CHECK(
      process({.service_name = "shop", .attributes = {{"service.name", "mall"}}}).starts_with("\x1c\x18\x04mall\x19"));
  CHECK(process({.attributes = {{"service.name", ""}}}).starts_with("\x1c\x18\x0funknown_service"));
  CHECK(process({.attributes = {{"service.name", 12}}})
            .starts_with("\x1c\x18\x02"
                         "12"));
}

TEST_CASE("every span of a scope has its tags, by the names of today and of before") {
  fg::jaeger_compact_encoder encoder;
  encoder.begin(nullptr, std::make_shared<fg::instrumentation_scope>(
                             fg::instrumentation_scope{.name = "lib", .version = "1", .attributes = {}}));
  encoder.add(plain());
  encoder.add(plain());
  const std::string made = text(encoder.finish());
  for (const char* key : {"otel.scope.name", "otel.scope.version", "otel.library.name", "otel.library.version"})
    CHECK(count(made, key) == 2);
  encoder.begin(nullptr, nullptr);
  encoder.add(plain());
  CHECK(count(text(encoder.finish()), "otel.") == 0);
}

TEST_CASE_TEMPLATE("an encoder takes spans back and starts over", Encoder, fg::jaeger_binary_encoder,
                   fg::jaeger_compact_encoder) {
  for (const fg::jaeger_form form : {fg::jaeger_form::batch, fg::jaeger_form::message}) {
    Encoder encoder(form);
    const auto of = std::make_shared<fg::resource>(fg::resource{.service_name = "shop"});
    const auto other = std::make_shared<fg::resource>(fg::resource{.service_name = "warehouse"});
    const fg::span_data span = plain();
    encoder.begin(of, nullptr);
    const std::size_t empty = encoder.size();
    encoder.add(span);
    CHECK(encoder.count() == 1);
    const std::string one = text(encoder.finish());
    CHECK(text(encoder.finish()) == one);
    encoder.begin(of, nullptr);
    CHECK(encoder.size() == empty);
    CHECK(encoder.count() == 0);
    encoder.add(span);
    const std::size_t before = encoder.size();
    for (int i = 0; i < 10000; ++i) encoder.add(span);  // the memory moves
    encoder.cut(before);
    CHECK(encoder.count() == 1);
    CHECK(text(encoder.finish()) == one);
    encoder.cut(empty);
    CHECK(encoder.count() == 0);
    encoder.begin(other, nullptr);
    encoder.add(span);
    CHECK(text(encoder.finish()).find("warehouse") != std::string::npos);
    encoder.shrink(10);
    encoder.begin(of, nullptr);
    encoder.add(span);
    CHECK(text(encoder.finish()) == one);
  }
}

TEST_CASE_TEMPLATE("size is never too small, and hardly too large", Encoder, fg::jaeger_binary_encoder,
                   fg::jaeger_compact_encoder) {
  for (const fg::jaeger_form form : {fg::jaeger_form::batch, fg::jaeger_form::message}) {
    Encoder encoder(form);
    encoder.begin(nullptr, nullptr);
    bool good = true;
    std::size_t spans = 0;
    do {
      const std::size_t size = encoder.finish().size();
      good = good && encoder.size() >= size && encoder.size() <= size + 6 && encoder.count() == spans;
      encoder.add(plain(++spans));
    } while (spans < 20000);  // the count takes one byte, then two, three and four
    CHECK(good);
  }
}

TEST_CASE("a batch of records, read in place") {
  const auto of = std::make_shared<fg::resource>(fg::resource{.service_name = "shop"});
  const auto scope = std::make_shared<fg::instrumentation_scope>();
  fulgurite_test::record_builder builder(of, scope);
  fg::jaeger_compact_encoder records, owned;
  owned.begin(of, scope);
  for (std::uint64_t i = 1; i < 20; ++i) {
    fg::span_data span = plain(i);
    span.attributes = {{"i", static_cast<std::int64_t>(i)}, {"list", std::vector<int>{1, 2}}};
    span.events = {{"e", 5, {{"a", true}}}};
    builder.add(span);
    owned.add(span);
  }
  const std::string made = text(fg::to_jaeger_thrift(builder.batch(), records));
  CHECK(made == text(owned.finish()));
  CHECK(count(made, "[1,2]") == 19);
}
