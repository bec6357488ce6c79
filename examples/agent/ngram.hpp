// A language model small enough to be trained in a second: counts of which word follows which two.
//
// Its tokens are words and punctuation marks with real numbers, so that what a trainer wants from a trace (the ids of
// prompt and response) is really there. What follows the same words in the prompt weighs most: that is the whole of its
// "attention", and what keeps the answers near to what was found.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace agent {

class ngram_model {
 public:
  using token = std::int64_t;

  void train(std::string_view text) {
    std::vector<token> words;
    for_each_word(text, [&](std::string_view word) { words.push_back(learn(word)); });
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      after_one_[words[i]].push_back(words[i + 1]);
      if (i + 2 < words.size()) after_two_[key(words[i], words[i + 1])].push_back(words[i + 2]);
    }
    trained_on_ += words.size();
  }

  /// A word that was never read is token 0.
  std::vector<token> encode(std::string_view text) const {
    std::vector<token> tokens;
    for_each_word(text, [&](std::string_view word) {
      const auto found = numbers_.find(std::string(word));
      tokens.push_back(found == numbers_.end() ? 0 : found->second);
    });
    return tokens;
  }

  std::string decode(std::vector<token> const& tokens) const {
    std::string text;
    for (const token t : tokens) {
      std::string const& word = words_[static_cast<std::size_t>(t)];
      const bool sticks = word.size() == 1 && std::string_view(".,;:!?)").find(word[0]) != std::string_view::npos;
      if (!text.empty() && !sticks && text.back() != '(') text += ' ';
      text += word;
    }
    return text;
  }

  /// Continues `start` in the light of `prompt`, up to the end of a sentence or `most` tokens.
  std::vector<token> complete(std::vector<token> const& prompt, std::vector<token> start, std::size_t most) const {
    std::set<std::array<token, 4>> used;  // no phrase twice: no going round in circles
    while (start.size() >= 2 && start.size() < most) {
      const token before = start[start.size() - 2], last = start.back();
      const token before_that = start.size() > 2 ? start[start.size() - 3] : 0;
      std::map<token, int> votes;
      for (std::size_t i = 1; i + 1 < prompt.size(); ++i)
        if (const int alike = common_words_before(prompt, i + 1, start); alike >= 2)
          votes[prompt[i + 1]] += 1000 << alike;
      if (const auto found = after_two_.find(key(before, last)); found != after_two_.end())
        for (const token next : found->second) votes[next] += 2;
      if (const auto found = after_one_.find(last); votes.empty() && found != after_one_.end())
        for (const token next : found->second) votes[next] += 1;
      std::erase_if(votes, [&](auto const& vote) { return used.contains({before_that, before, last, vote.first}); });
      if (votes.empty()) break;
      const token next = std::ranges::max_element(votes, {}, [](auto const& vote) { return vote.second; })->first;
      used.insert({before_that, before, last, next});
      start.push_back(next);
      if (words_[static_cast<std::size_t>(next)] == "." && start.size() > 12) break;
    }
    return start;
  }

  std::size_t vocabulary() const { return words_.size(); }
  std::size_t trained_on() const { return trained_on_; }

 private:
  /// How many words before `place` are also the last ones of `text`; at most 12.
  static int common_words_before(std::vector<token> const& prompt, std::size_t place, std::vector<token> const& text) {
    std::size_t alike = 0;
    while (alike < 12 && alike < place && alike < text.size() &&
           prompt[place - 1 - alike] == text[text.size() - 1 - alike])
      ++alike;
    return static_cast<int>(alike);
  }

  static std::uint64_t key(token a, token b) {
    return static_cast<std::uint64_t>(a) << 32 | static_cast<std::uint64_t>(b);
  }

  token learn(std::string_view word) {
    const auto [found, fresh] = numbers_.try_emplace(std::string(word), static_cast<token>(words_.size()));
    if (fresh) words_.emplace_back(word);
    return found->second;
  }

  template <class Visitor>
  static void for_each_word(std::string_view text, Visitor&& visit) {
    const auto in_word = [text](std::size_t i) {
      const char c = text[i];
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '\'' || (c & 0x80) != 0) return true;
      const bool last = i + 1 >= text.size() || std::isspace(static_cast<unsigned char>(text[i + 1])) != 0;
      return !last && std::string_view("./:@_").find(c) != std::string_view::npos;  // and/or, www.gnu.org
    };
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i;
      while (end < text.size() && in_word(end)) ++end;
      if (end == i) end = i + 1;
      if (std::isspace(static_cast<unsigned char>(text[i])) == 0) visit(text.substr(i, end - i));
      i = end;
    }
  }

  std::unordered_map<std::string, token> numbers_;
  std::vector<std::string> words_{"<unknown>"};
  std::unordered_map<token, std::vector<token>> after_one_;
  std::unordered_map<std::uint64_t, std::vector<token>> after_two_;
  std::size_t trained_on_ = 0;
};

}  // namespace agent
