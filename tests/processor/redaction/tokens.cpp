// No key here is anybody's: they are made of their service's prefix and of letters and digits in order.
#include <fulgurite/processor/redaction/tokens.hpp>

#include "finding.hpp"

#include <string>
#include <string_view>

namespace fg = fulgurite;

namespace {

constexpr auto jwt = fulgurite_test::check_found<fg::jwt_detector>;
constexpr auto no_jwt = fulgurite_test::check_nothing<fg::jwt_detector>;
constexpr auto key = fulgurite_test::check_found<fg::api_key_detector>;
constexpr auto no_key = fulgurite_test::check_nothing<fg::api_key_detector>;

/// RFC 7519, 3.1
constexpr const char* example =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// RFC 7519, 6.1: unsecured
constexpr const char* unsecured =
    "eyJhbGciOiJub25lIn0"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".";

/// So many letters and digits, a digit among the first.
std::string some(std::size_t count, std::string_view of = "a1b2c3d4e5f6") {
  std::string text;
  while (text.size() < count) text += of[text.size() % of.size()];
  return text;
}

}  // namespace

TEST_CASE("JSON Web Tokens") {
  jwt(example, {example});
  jwt(unsecured, {unsecured});
  jwt(std::string("Cookie: session=") + example + "; x", {example});
  const std::string encrypted =
      "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_"
      "EFShS8iB7j6ji.XFBoMYUZodetZdvTiFvSkQ";
  jwt(encrypted, {encrypted});
  jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWI", {"eyJhbGciOiJIUzI1NiJ9.eyJzdWI"});
  for (const char* text : {"eyJ", "eyJ.eyJ.x", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9.",
                           "keyJohnsons.example.com", "eyJhbGciOiJIUzI1NiJ9 .eyJzdWI", "journal.service.JSON.example"})
    no_jwt(text);
}

TEST_CASE("keys of services") {
  for (const char* prefix : {"AKIA", "ASIA"}) {
    const std::string text = prefix + some(16, "A2B3C4D5");
    key("id=" + text + "&x", {text});
  }
  for (fg::detail::key_form const& form : fg::detail::known_keys) {
    const std::string text = std::string(form.prefix) + some(form.least);
    key(text, {text});
    key("url?k=%3D" + text + " ", {text});
    key("\"" + text + "\"", {text});
    no_key(std::string(form.prefix) + some(form.least - 1));
    no_key("x" + text);
    if (form.alphabet != fg::detail::key_alphabet::hex)
      no_key(std::string(form.prefix) + std::string(form.least + 5, 'x'));
  }
  for (const char* text : {"task-12345678901234567890", "sk-learn-some-very-long-name-of-a-package", "key-value",
                           "SKU 1234", "hf_model", "npm_config_registry_1", "SG.short", "AKIA", "key-0123456789"})
    no_key(text);
  // From a key in use: the form of one that its service publishes in its documentation.
  key("AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", {"AKIAIOSFODNN7EXAMPLE"});
  const std::string long_one = "sk-proj-" + some(100);
  key("a " + long_one + " b", {long_one});
}

TEST_CASE("private keys") {
  const std::string pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----";
  key("x " + pem + "\ny", {pem});
  key("-----BEGIN PRIVATE KEY-----\\nMIIE", {"-----BEGIN PRIVATE KEY-----\\nMIIE"});
  key("-----BEGIN OPENSSH PRIVATE KEY-----\nb3\n-----END OPENSSH",
      {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3\n-----END OPENSSH"});
  no_key("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----");
  no_key("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----");
}

TEST_CASE("the list is as it is looked up: by first character") {
  for (std::size_t i = 0; i < fg::detail::known_keys.size(); ++i) {
    const auto span = fg::detail::keys_by_first[static_cast<unsigned char>(fg::detail::known_keys[i].prefix[0])];
    CHECK(span.begin <= i);
    CHECK(i < span.end);
  }
}
