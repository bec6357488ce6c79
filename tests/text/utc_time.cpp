#include <fulgurite/text/utc_time.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

using namespace fulgurite::detail;

// The numbers are those of `date -u -d '...' +%s`.
TEST_CASE("a date in the basic form") {
  CHECK(to_basic_utc(1'440'938'160) == "20150830T123600Z");
  CHECK(to_basic_utc(0) == "19700101T000000Z");
  CHECK(to_basic_utc(-1) == "19691231T235959Z");
  CHECK(to_basic_utc(1'709'251'199) == "20240229T235959Z");
  CHECK(to_basic_utc(std::numeric_limits<std::int64_t>::max()) == "99991231T235959Z");
  CHECK(to_basic_utc(std::numeric_limits<std::int64_t>::min()) == "00000101T000000Z");
}

TEST_CASE("a date is read") {
  CHECK(parse_utc("2015-08-30T12:36:00Z") == 1'440'938'160);
  CHECK(parse_utc("2015-08-30t12:36:00.123456789z") == 1'440'938'160);
  CHECK(parse_utc("2015-08-30T14:06:00+01:30") == 1'440'938'160);
  CHECK(parse_utc("2015-08-30T11:36:00.5-01:00") == 1'440'938'160);
  CHECK(parse_utc("2024-02-29T23:59:59Z") == 1'709'251'199);
}

TEST_CASE("what is no date") {
  for (const char* wrong : {"",
                            "2015",
                            "2015-08-30",
                            "2015-08-30 12:36:00Z",
                            "2015-08-30T12:36:00",
                            "2015-08-30T12:36Z",
                            "2015-13-30T12:36:00Z",
                            "2015-00-30T12:36:00Z",
                            "2015-02-29T12:36:00Z",
                            "2015-08-30T24:00:00Z",
                            "2015-08-30T12:60:00Z",
                            "2015-08-30T12:36:61Z",
                            "2015-08-30T12:36:00.Z",
                            "2015-08-30T12:36:00.5",
                            "2015-08-30T12:36:00ZZ",
                            "2015-08-30T12:36:00Z ",
                            "2015-08-30T12:36:00+1:00",
                            "2015-08-30T12:36:00+0100",
                            "2015-08-30T12:36:00+01:00Z",
                            "2015-08-30T12:36:00+24:00",
                            "+015-08-30T12:36:00Z",
                            "20150830T123600Z"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_utc(wrong));
  }
}
