#include <fulgurite/config/values.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace fg = fulgurite;
using fg::detail::text_rules;

namespace {
template <class T>
std::optional<T> own(const char* text) {
  T value{};
  if (!fg::detail::value_from_text(text, text_rules::own, value)) return std::nullopt;
  return value;
}
template <class T>
std::optional<T> standard(const char* text) {
  T value{};
  if (!fg::detail::value_from_text(text, text_rules::opentelemetry, value)) return std::nullopt;
  return value;
}
}  // namespace

TEST_CASE("booleans: the own rule and OpenTelemetry's") {
  for (const char* text : {"true", "TRUE", "1", "yes", "On"}) CHECK(own<bool>(text) == true);
  for (const char* text : {"false", "False", "0", "NO", "off"}) CHECK(own<bool>(text) == false);
  for (const char* text : {"", "2", "t", "y", "truee", "enabled"}) CHECK_FALSE(own<bool>(text));
  CHECK(standard<bool>("True") == true);
  CHECK(standard<bool>("fAlse") == false);
  for (const char* text : {"1", "yes", "on"}) CHECK_FALSE(standard<bool>(text));
  const auto said = own<fg::true_unless_said>("off");
  REQUIRE(said);
  CHECK(said->said());
  CHECK_FALSE(static_cast<bool>(*said));
  CHECK_FALSE(fg::true_unless_said().said());
  CHECK(fg::true_unless_said());
}

TEST_CASE("numbers are read whole or not at all") {
  CHECK(own<double>("0.25") == 0.25);
  CHECK(own<double>(" 1e-3 ") == 0.001);
  for (const char* text : {"", "x", "0,5", "0.5x", "nan", "inf", "-inf", "1e999", "0x1"}) {
    CAPTURE(text);
    CHECK_FALSE(own<double>(text));
  }
  CHECK(own<std::size_t>("2147483647") == 2147483647u);
  for (const char* text : {"", "-1", "2147483648", "1.5", "12k", "+1"}) {
    CAPTURE(text);
    CHECK_FALSE(own<std::size_t>(text));
  }
  CHECK(own<std::chrono::milliseconds>("1500") == std::chrono::milliseconds(1500));
  CHECK_FALSE(own<std::chrono::milliseconds>("1.5s"));
}

TEST_CASE("bytes with and without a unit") {
  using fg::byte_count;
  const auto bytes = [](std::uint64_t number) { return static_cast<byte_count>(number); };
  CHECK(own<byte_count>("0") == bytes(0));
  CHECK(own<byte_count>(" 4097 ") == bytes(4097));
  CHECK(own<byte_count>("1B") == bytes(1));
  CHECK(own<byte_count>("3 KiB") == bytes(3072));
  CHECK(own<byte_count>("512mib") == bytes(536870912));
  CHECK(own<byte_count>("8GiB") == bytes(8589934592));
  CHECK(own<byte_count>("1TiB") == bytes(1099511627776));
  CHECK(own<byte_count>("9223372036854775807") == bytes(INT64_MAX));
  for (const char* text : {"", "-1", "+1", "1.5GiB", "MiB", "1MB", "1M", "1 x", "9223372036854775808", "8388608TiB",
                           "99999999999999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(own<byte_count>(text));
  }
  for (const std::uint64_t number : {0ULL, 1ULL, 1023ULL, 1024ULL, 1536ULL, 536870912ULL, 1099511627776ULL}) {
    const std::string text = fg::detail::text_of(bytes(number));
    CAPTURE(text);
    CHECK(own<byte_count>(text.c_str()) == bytes(number));
  }
  CHECK(fg::detail::text_of(bytes(536870912)) == "512MiB");
  CHECK(fg::detail::text_of(bytes(1536)) == "1536");
}

TEST_CASE("lists are in lower case, each part once") {
  CHECK(standard<std::vector<std::string>>("tracecontext, B3 ,,tracecontext") ==
        std::vector<std::string>{"tracecontext", "b3"});
  CHECK(fg::detail::list_has("a, b, c", "b"));
  CHECK_FALSE(fg::detail::list_has("ab, c", "b"));
  CHECK_FALSE(fg::detail::list_has("a, b", ""));
}

TEST_CASE("pairs are percent-decoded; one bad entry spoils all") {
  using pairs = fg::tracer_config::pairs;
  CHECK(standard<pairs>("a=1, b = x%2Cy%3Dz ,c=") == pairs{{"a", "1"}, {"b", "x,y=z"}, {"c", ""}});
  CHECK(standard<pairs>("k%20k=%C3%a4") == pairs{{"k k", "ä"}});
  CHECK(standard<pairs>("a=b=c") == pairs{{"a", "b=c"}});
  CHECK(standard<pairs>("a=1,a=2") == pairs{{"a", "2"}});
  for (const char* text : {"a", "=1", "a=1,b", "a=%", "a=%2", "a=%zz", "a=1,=2"}) {
    CAPTURE(text);
    CHECK_FALSE(standard<pairs>(text));
  }
}

TEST_CASE("a value's text reads back as the value") {
  using fg::detail::text_of;
  CHECK(text_of(0.1) == "0.1");
  CHECK(text_of(1.0) == "1");
  CHECK(text_of(true) == "true");
  CHECK(text_of(fg::tracer_type::zipkin) == "zipkin");
  CHECK(own<fg::tracer_type>(" ZipKin ") == fg::tracer_type::zipkin);
  CHECK(text_of(std::vector<std::string>{"a", "b"}) == "a,b");
}
