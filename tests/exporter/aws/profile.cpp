// Compared with botocore in tests/integration/sigv4_reference.py.
#include <fulgurite/exporter/aws/profile.hpp>

#include <doctest/doctest.h>

#include <string_view>

using namespace fulgurite::detail;

TEST_CASE("a profile of the credentials file") {
  constexpr std::string_view file =
      "# a comment\r\n"
      "before = any section\n"
      "[default]\r\n"
      "aws_access_key_id = AKID\r\n"
      "AWS_Secret_Access_Key=a/b+c==\n"
      "\n"
      "; another\n"
      "s3 =\n"
      "  aws_session_token = nested\n"
      "not a setting\n"
      "[other]   # of a colleague\n"
      "  aws_access_key_id = OTHER\n"
      "  aws_secret_access_key = twice\n"
      "  aws_secret_access_key = secret\n"
      "[profile other]\n"
      "region = x\n"
      "[ default ]\n"
      "region = eu-west-1";
  CHECK(read_aws_profile(file, "default", aws_file::credentials) ==
        text_members{
            {"aws_access_key_id", "AKID"}, {"aws_secret_access_key", "a/b+c=="}, {"s3", ""}, {"region", "eu-west-1"}});
  CHECK(read_aws_profile(file, "other", aws_file::credentials) ==
        text_members{{"aws_access_key_id", "OTHER"}, {"aws_secret_access_key", "secret"}});
  CHECK_FALSE(read_aws_profile(file, "oth", aws_file::credentials));
  CHECK_FALSE(read_aws_profile(file, "", aws_file::credentials));
}

TEST_CASE("a profile of the configuration file") {
  constexpr std::string_view file =
      "[default]\nregion=d\n[profile a]\nregion=a\n[profile \"b c\"]\nregion=b\n[profile\t'd']\nregion=e\n"
      "[e]\nregion=no profile\n[profilef]\nregion=none\n[profile]\nregion=none\n[services "
      "x]\nregion=none\n[sso-session a]\nregion=none";
  const auto region = [&](std::string_view profile) {
    const auto settings = read_aws_profile(file, profile, aws_file::config);
    return settings ? std::string(find_member(*settings, "region")) : "-";
  };
  CHECK(region("default") == "d");
  CHECK(region("a") == "a");
  CHECK(region("b c") == "b");
  CHECK(region("d") == "e");
  for (const char* none : {"e", "f", "profilef", "x", "profile", "", "profile a"}) {
    CAPTURE(none);
    CHECK(region(none) == "-");
  }
}

TEST_CASE("a profile without settings, and headings that are none") {
  CHECK(read_aws_profile("[a]", "a", aws_file::credentials) == text_members{});
  CHECK_FALSE(read_aws_profile("[a", "a", aws_file::credentials));
  CHECK_FALSE(read_aws_profile("", "a", aws_file::credentials));
  CHECK_FALSE(read_aws_profile("[]\nx=y", "", aws_file::credentials));
}
