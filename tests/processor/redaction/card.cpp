// Numbers that the networks publish for tests, and others that only look like cards.
#include <fulgurite/processor/redaction/card.hpp>

#include "finding.hpp"

#include <random>
#include <string>

namespace fg = fulgurite;

namespace {
constexpr auto card = fulgurite_test::check_found<fg::card_detector>;
constexpr auto no_card = fulgurite_test::check_nothing<fg::card_detector>;
}  // namespace

TEST_CASE("card numbers of every network") {
  for (const char* text :
       {"4111111111111111", "4012888888881881", "4222222222222", "4988438843884305", "5555555555554444",
        "5105105105105100", "2223003122003222", "378282246310005", "371449635398431", "6011111111111117",
        "3530111333300000", "30569309025904", "38520000023237", "6304000000000000", "6250946000000016",
        "6759649826438453", "135410014004955", "9792030394440796"}) {
    card(text, {text});
    card(std::string("PAN=") + text + ".", {text});
    card(std::string("x") + text + "\n", {text});
  }
}

TEST_CASE("in groups") {
  card("4111 1111 1111 1111", {"4111 1111 1111 1111"});
  card("4111-1111-1111-1111", {"4111-1111-1111-1111"});
  card("3782 822463 10005", {"3782 822463 10005"});
  card("pan=4111+1111+1111+1111&x=4111%201111%201111%201111", {"4111+1111+1111+1111", "4111%201111%201111%201111"});
  card("41111111 11111111", {"41111111 11111111"});
  card("4222 2222 2222 2", {"4222 2222 2222 2"});
  card("4111 1111 1111 1111 4242 4242 4242 4242", {"4111 1111 1111 1111", "4242 4242 4242 4242"});
  card("4111111111111111 4242424242424242", {"4111111111111111", "4242424242424242"});
  card("pay 12 4111 1111 1111 1111 35", {"4111 1111 1111 1111"});
  card("order 99-4111111111111111-1", {"4111111111111111"});
  card("\\n4111 1111 1111 1111", {"4111 1111 1111 1111"});
}

TEST_CASE("what is no card number") {
  for (const char* text : {"4111111111111112",
                           "4111 1111 1111 1112",  // Luhn
                           "order 1234567890123456",
                           "1234-5678-9012-3456",  // Luhn
                           "411111111111",
                           "41111111111111111111",  // too short, too long
                           "0000000000000000",
                           "7992739871300000",  // no issuer
                           "1700000000003",
                           "1700000000000000008",               // times: valid by Luhn, but they begin with 1
                           "0.4111111111111111",                // decimal places
                           "4bf92f4111111111111111aa4736abcd",  // in an id
                           "a716-446655440000",
                           "550e8400-e29b-41d4-a716-446655440000",
                           "4111  1111  1111  1111",
                           "4111 1111-1111 1111",  // not single, not the same
                           "41 11 11 11 11 11 11 11",
                           "+49 30 123456-78",
                           "2024-01-15 10:30:45",
                           "192.168.100.200:4111"})
    no_card(text);
}

TEST_CASE("nine of ten random numbers are none, and a digit that is changed is always noticed") {
  std::mt19937_64 engine(1);
  int found = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string digits = "4";
    while (digits.size() < 16) digits += static_cast<char>('0' + engine() % 10);
    const bool is_card = !fulgurite_test::all_found<fg::card_detector>(digits).empty();
    found += is_card;
    if (!is_card) continue;
    char& changed = digits[1 + engine() % 15];
    changed = static_cast<char>('0' + (changed - '0' + 1 + static_cast<int>(engine() % 9)) % 10);
    no_card(digits);
  }
  CHECK(found > 120);
  CHECK(found < 280);
}
