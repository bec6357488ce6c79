#include <fulgurite/processor/redaction/text.hpp>

#include <doctest/doctest.h>

#include <string>

namespace fg = fulgurite;
namespace d = fulgurite::detail;

TEST_CASE("a look tells what a text has") {
  const fg::text_look look = d::look_at("a@b.c/1-2_3%:");
  CHECK(look.size == 13);
  CHECK(look.digits == 3);
  CHECK(look.has_all(fg::text_look::at_sign | fg::text_look::dot | fg::text_look::slash | fg::text_look::dash |
                     fg::text_look::underscore | fg::text_look::percent | fg::text_look::colon));
  CHECK_FALSE(look.has_any(fg::text_look::capital_a | fg::text_look::capital_j | fg::text_look::letter_z));
  CHECK(d::look_at("").has == 0);
  CHECK(d::look_at("Zb").has_all(fg::text_look::letter_b | fg::text_look::letter_z));
  CHECK(d::look_at(std::string(1000, '7')).digits == 1000);
}

TEST_CASE("where a word may begin") {
  CHECK(d::is_word_start("word", 0));
  CHECK_FALSE(d::is_word_start("word", 1));
  CHECK(d::is_word_start("a-word", 2));
  CHECK(d::is_word_start("a_word", 2));
  CHECK(d::is_word_start("a=%3Dword", 5));
  CHECK_FALSE(d::is_word_start("a=%GDword", 5));
  CHECK(d::is_word_start("\\nword", 2));
  CHECK_FALSE(d::is_word_start("\\xword", 2));
  CHECK(d::has_word_at("a BeArEr b", 2, "bearer"));
  CHECK_FALSE(d::has_word_at("a bear", 2, "bearer"));
}
