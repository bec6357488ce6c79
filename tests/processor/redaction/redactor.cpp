// Records and resources under rules, against the plain form of the same: every text with its secrets replaced.
#include <fulgurite/processor/redaction/redactor.hpp>

#include <fulgurite/processor/redaction_rules.hpp>

#include "../../record_builder.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace fg = fulgurite;
namespace d = fulgurite::detail;
using namespace fg::literals;

namespace {

using redactor = d::redactor<fg::redaction_rules>;

redactor with(std::string_view rules) { return {fg::redaction_rules(rules), std::nullopt}; }

fg::span_data redacted(redactor& by, fg::span_data const& span) {
  fulgurite_test::record_builder builder;
  builder.add(span);
  fg::span_data out;
  builder.batch().for_each(
      [&](fg::record_view const& record) { out = to_span_data(fg::record_view(by.apply(record)), nullptr, nullptr); });
  return out;
}

fg::span_data named(std::string name) {
  fg::span_data span;
  span.name = std::move(name);
  span.trace_id = fg::trace_id::from_hex("0af7651916cd43dd8448eb211c80319c");
  span.span_id = fg::span_id::from_number(1);
  span.flags = 0x101;
  return span;
}
fg::span_data with_attributes(std::vector<fg::attribute> attributes) {
  fg::span_data span = named("s");
  span.attributes = std::move(attributes);
  return span;
}

// ----------------------------------------------------------------------------------------- the model: plain
// replacement

void replace_all(std::string& text, std::string_view what) {
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 3))
    text.replace(at, what.size(), "***");
}
void replace_all(std::string& text) {
  for (const char* secret : {"S3CRET", "P4SS"}) replace_all(text, secret);
}
void replace_all(std::vector<fg::attribute>& attributes);
void replace_all(fg::attribute_value& value) {
  if (auto* text = std::get_if<std::string>(&value)) replace_all(*text);
  if (auto* octets = std::get_if<fg::bytes>(&value)) {
    std::string text(reinterpret_cast<const char*>(octets->data()), octets->size());
    replace_all(text);
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    octets->assign(first, first + text.size());
  }
  if (auto* list = std::get_if<std::vector<fg::attribute_value>>(&value))
    for (fg::attribute_value& one : *list) replace_all(one);
  if (auto* map = std::get_if<std::vector<fg::attribute>>(&value)) replace_all(*map);
}
void replace_all(std::vector<fg::attribute>& attributes) {
  for (fg::attribute& one : attributes) {
    replace_all(one.key);
    replace_all(one.value);
  }
}

struct dice {
  std::mt19937 engine;
  bool secrets, in_keys;

  std::uint32_t up_to(std::uint32_t most) { return std::uniform_int_distribution<std::uint32_t>(0, most)(engine); }
  std::string text() {
    static const char* const parts[] = {"a ", "\xc3\xa4", "S3CRE ", "4SS", "S3CRET ", "P4SS "};
    std::string out;
    for (std::uint32_t n = up_to(6); n != 0; --n) out += parts[up_to(secrets && up_to(3) == 0 ? 5 : 1)];
    return out;
  }
  fg::attribute_value value(int depth = 0) {
    switch (up_to(depth < 3 ? 7 : 5)) {
      case 0:
        return static_cast<std::int64_t>(up_to(1000));
      case 1:
        return true;
      case 2:
        return 0.5;
      case 3: {
        fg::bytes octets(8);
        const std::string from = text();
        octets.resize(from.size());
        if (!from.empty()) std::memcpy(octets.data(), from.data(), from.size());
        return octets;
      }
      case 4:
      case 5:
        return text();
      case 6: {
        std::vector<fg::attribute_value> list;
        for (std::uint32_t n = up_to(3); n != 0; --n) list.push_back(value(depth + 1));
        return list;
      }
      default: {
        std::vector<fg::attribute> map;
        for (std::uint32_t n = up_to(3); n != 0; --n)
          map.push_back({"k" + std::to_string(n) + text(), value(depth + 1)});
        return map;
      }
    }
  }
  std::vector<fg::attribute> attributes() {
    std::vector<fg::attribute> all;
    for (std::uint32_t n = up_to(4); n != 0; --n)
      all.push_back({"k" + std::to_string(n) + (in_keys ? text() : ""), value()});
    return all;
  }
};

}  // namespace

TEST_CASE("random spans: what is found is replaced wherever it is, and nothing else changes") {
  redactor by = with("match:/S3CRET/,match:/P4SS/");
  int changed = 0, same = 0;
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    INFO("seed: ", seed);
    dice roll{std::mt19937(seed), seed % 2 == 0, seed % 4 == 0};
    fg::span_data span = named(roll.text());
    span.status = {fg::status_code::error, roll.text()};
    span.attributes = roll.attributes();
    for (std::uint32_t n = roll.up_to(2); n != 0; --n)
      span.events.push_back({"e" + roll.text(), static_cast<std::int64_t>(n), roll.attributes()});
    for (std::uint32_t n = roll.up_to(2); n != 0; --n)
      span.links.push_back(
          {fg::span_context(span.trace_id, fg::span_id::from_number(n), fg::trace_flags(1)), roll.attributes()});
    span.dropped_events_count = roll.up_to(1);
    const std::string slot = roll.text();

    fulgurite_test::record_builder builder;
    // A key that is a literal is the program's own, and not looked at.
    builder.add(span, roll.in_keys ? 0 : roll.engine(), {}, "slot"_a = slot, "n"_a = 1, "f"_a = 0.25);
    builder.batch().for_each([&](fg::record_view const& record) {
      fg::span_data expected = to_span_data(record, nullptr, nullptr);
      const fg::span_data before = expected;
      replace_all(expected.name);
      replace_all(expected.status.description);
      replace_all(expected.attributes);
      for (fg::span_event& event : expected.events) {
        replace_all(event.name);
        replace_all(event.attributes);
      }
      for (fg::span_link& link : expected.links) replace_all(link.attributes);
      const std::byte* made = by.apply(record);
      CHECK(to_span_data(fg::record_view(made), nullptr, nullptr) == expected);
      // A record without a hit is itself; so is what is made of the other, which has none any more.
      CHECK((made == record.begin()) == (before == expected));
      (made == record.begin() ? same : changed) += 1;
      const std::vector<std::byte> copy(made, fg::record_view(made).end());
      CHECK(by.apply(fg::record_view(copy.data())) == copy.data());
    });
  }
  CHECK(changed > 300);
  CHECK(same > 300);
}

TEST_CASE("a clean record is not touched") {
  redactor by = with("password,*.token,detect:all,match:/ACME-\\d+/");
  fg::span_data span = with_attributes({{"http.method", "GET"}, {"n", 12345}, {"url", "https://example.com/a?b=c"}});
  span.events = {{"exception", 5, {{"exception.type", "std::runtime_error"}, {"exception.message", "no route"}}}};
  fulgurite_test::record_builder builder;
  builder.add(span, 0, {}, "order.id"_a = 7, "kind"_a = std::string("visa"));
  builder.batch().for_each([&](fg::record_view const& record) {
    const std::vector<std::byte> before(record.begin(), record.end());
    CHECK(by.apply(record) == record.begin());
    CHECK(std::equal(before.begin(), before.end(), record.begin(), record.end()));
  });
}

TEST_CASE("by key: whatever the value is, by its own key and by its path") {
  redactor by = with("password,*.token,db.user");
  const fg::span_data out = redacted(
      by, with_attributes({{"password", 5},
                           {"Password", std::vector<fg::attribute_value>{"a", "b"}},
                           {"token", "stays"},
                           {"a.token", true},
                           {"db", std::vector<fg::attribute>{{"user", "root"}, {"name", "x"}, {"password", 1.5}}},
                           {"list", std::vector<fg::attribute_value>{std::vector<fg::attribute>{{"token", "x"}}}}}));
  CHECK(out.attributes ==
        std::vector<fg::attribute>{
            {"password", "***"},
            {"Password", "***"},
            {"token", "stays"},
            {"a.token", "***"},
            {"db", std::vector<fg::attribute>{{"user", "***"}, {"name", "x"}, {"password", "***"}}},
            {"list", std::vector<fg::attribute_value>{std::vector<fg::attribute>{{"token", "***"}}}}});
}

TEST_CASE("drop: attributes, entries and elements go; names are masked") {
  redactor by = with("password,detect:card;action=drop");
  fg::span_data span =
      with_attributes({{"a", 1},
                       {"password", "x"},
                       {"pan", "4111 1111 1111 1111"},
                       {"list", std::vector<fg::attribute_value>{"b", "4111111111111111", 3}},
                       {"map", std::vector<fg::attribute>{{"password", "x"}, {"c", 4111111111111111}}}});
  span.name = "pay 4111111111111111 now";
  span.status = {fg::status_code::error, "no 4111111111111111"};
  span.events = {{"4111111111111111", 5, {{"password", 1}, {"b", 2}}}};
  const fg::span_data out = redacted(by, span);
  CHECK(out.name == "***");
  CHECK(out.status.description == "***");
  CHECK(out.attributes == std::vector<fg::attribute>{{"a", 1},
                                                     {"list", std::vector<fg::attribute_value>{"b", 3}},
                                                     {"map", std::vector<fg::attribute>{}}});
  REQUIRE(out.events.size() == 1);
  CHECK(out.events[0] == fg::span_event{"***", 5, {{"b", 2}}});
}

TEST_CASE("of a key that was set twice an earlier value does not come back") {
  redactor by = with("detect:card=drop");
  CHECK(redacted(by, with_attributes({{"a", "first"}, {"a", "4111111111111111"}})).attributes.empty());
  // Nor is what is not sent a hit that remains.
  CHECK(redacted(by, with_attributes({{"a", "4111111111111111"}, {"a", "last"}})).attributes ==
        std::vector<fg::attribute>{{"a", "last"}});
}

TEST_CASE("whole numbers are looked at like their digits") {
  redactor by = with("detect:card,match:/^-?77$/");
  const fg::span_data out = redacted(by, with_attributes({{"integer", 4111111111111111},
                                                          {"real", 4111111111111111.0},
                                                          {"more", 4111111111111111.5},
                                                          {"time", 1700000000003},
                                                          {"small", -77},
                                                          {"nan", std::nan("")},
                                                          {"inf", HUGE_VAL}}));
  std::string shown;
  for (fg::attribute const& one : out.attributes)
    if (one.value == fg::attribute_value("***")) shown += one.key + " ";
  CHECK(shown == "integer real small ");
  fulgurite_test::record_builder builder;
  const std::uint64_t large = 9'999'999'999'999'999'999U;
  const std::vector<fg::attribute_view> views = {{"u", large}};
  builder.add(named("s"), 0, views, "pan"_a = 4111111111111111, "big"_a = large);
  redactor any = with("match:/9{19}/");
  builder.batch().for_each([&](fg::record_view const& record) {
    CHECK(to_span_data(fg::record_view(by.apply(record)), nullptr, nullptr).attributes[0] ==
          fg::attribute{"pan", "***"});
    const fg::span_data span = to_span_data(fg::record_view(any.apply(record)), nullptr, nullptr);
    CHECK(span.attributes == std::vector<fg::attribute>{{"pan", 4111111111111111}, {"big", "***"}, {"u", "***"}});
  });
}

TEST_CASE("hash: equal texts are equal, under the key's own hash") {
  redactor by(fg::redaction_rules("password,detect:card;action=hash"),
              fg::redaction_key::from_hex("000102030405060708090a0b0c0d0e0f"));
  std::string counted;
  for (char c = 0; c < 15; ++c) counted += c;
  const fg::span_data out = redacted(by, with_attributes({{"password", counted},
                                                          {"a", "4111111111111111"},
                                                          {"b", 4111111111111111},
                                                          {"c", "x 4111111111111111 y"},
                                                          {"d", "4242424242424242"}}));
  CHECK(out.attributes[0].value == fg::attribute_value("hash:e545be4961ca29a1"));  // as openssl prints it
  CHECK(out.attributes[1].value == out.attributes[2].value);
  const std::string hash = std::get<std::string>(out.attributes[1].value);
  CHECK(out.attributes[3].value == fg::attribute_value("x " + hash + " y"));
  CHECK_FALSE(out.attributes[4].value == out.attributes[1].value);
  // Values of other types have a hash, too.
  const fg::span_data other =
      redacted(by, with_attributes({{"password", 1.5}, {"Password", std::vector<fg::attribute_value>{1}}}));
  CHECK(std::get<std::string>(other.attributes[0].value).starts_with("hash:"));
  CHECK(std::get<std::string>(other.attributes[1].value).starts_with("hash:"));
  redactor without_key(fg::redaction_rules("password=hash"), std::nullopt);
  CHECK(redacted(without_key, with_attributes({{"password", "x"}})).attributes[0].value == fg::attribute_value("***"));
}

TEST_CASE("keys that are made at run time are texts; two that become equal are one") {
  redactor by = with("detect:email");
  const fg::span_data out =
      redacted(by, with_attributes({{"a@b.cc", 1}, {"x", std::vector<fg::attribute>{{"c@d.ee", 2}}}}));
  CHECK(out.attributes == std::vector<fg::attribute>{{"***", 1}, {"x", std::vector<fg::attribute>{{"***", 2}}}});
  CHECK(redacted(by, with_attributes({{"a@b.cc", 1}, {"c@d.ee", 2}})).attributes ==
        std::vector<fg::attribute>{{"***", 2}});
}

TEST_CASE("a trace state with a hit is left out, its own and a link's") {
  fg::span_data span = named("s");
  span.trace_state = "vendor=a,password=x";
  const auto state = fg::trace_state::from_header("mail=a@b.cc,other=1");
  span.links = {
      {fg::span_context(span.trace_id, fg::span_id::from_number(9), fg::trace_flags(1), false, state), {{"a", 1}}}};
  redactor nothing = with("token"), key = with("password"), mail = with("detect:email");
  CHECK(redacted(nothing, span) == redacted(nothing, span));
  CHECK(redacted(nothing, span).trace_state == span.trace_state);
  CHECK(redacted(key, span).trace_state.empty());
  CHECK(redacted(key, span).links == span.links);
  const fg::span_data out = redacted(mail, span);
  CHECK(out.trace_state == span.trace_state);
  REQUIRE(out.links.size() == 1);
  CHECK(out.links[0].context.trace_state().to_header().empty());
  CHECK(out.links[0].context.span_id() == span.links[0].context.span_id());
  CHECK(out.links[0].attributes == span.links[0].attributes);
}

TEST_CASE("texts that grow past what a name may hold are cut") {
  redactor by = with("detect:email=hash");
  redactor keyed(fg::redaction_rules("detect:email=hash"), fg::redaction_key{});
  std::string many;
  while (many.size() + 7 < 0xffff) many += "a@b.cc ";
  fg::span_data span = with_attributes({{many, 1}, {"value", many}});
  span.name = many;
  const fg::span_data out = redacted(keyed, span);
  CHECK(out.name.size() == 0xffff);
  REQUIRE(out.attributes.size() == 2);
  CHECK(out.attributes[0].key.size() == 0xffff);
  CHECK(std::get<std::string>(out.attributes[1].value).size() > 0xffff);
  CHECK(out.name.find('@') == std::string::npos);
}

TEST_CASE("resource and scope") {
  const redactor by = with("*.password,service.version=drop,deployment.environment.name=drop,detect:email");
  fg::resource of{"shop of a@b.cc", "1.2", "production", {{"db.password", "x"}, {"owner", "a@b.cc"}, {"kept", 1}}};
  by.apply(of);
  CHECK(of == fg::resource{"shop of ***", "", "", {{"db.password", "***"}, {"owner", "***"}, {"kept", 1}}});
  fg::instrumentation_scope scope{"lib", "a@b.cc", {{"x.password", 1}}};
  by.apply(scope);
  CHECK(scope == fg::instrumentation_scope{"lib", "***", {{"x.password", "***"}}});
}

TEST_CASE("with a wrong rule every text is masked") {
  redactor by = with("detect:crad");
  fg::span_data span = with_attributes({{"a", "text"}, {"b", 12}});
  span.status = {fg::status_code::error, "why"};
  const fg::span_data out = redacted(by, span);
  CHECK(out.name == "***");
  CHECK(out.status.description == "***");
  for (fg::attribute const& one : out.attributes) CHECK(one.value == fg::attribute_value("***"));
}

TEST_CASE("random octets in every place") {
  redactor by = with("*a*b?,detect:all,match:/[^a]{2}b|x+/=drop,match:/(?i)q.{1,9}z/=hash");
  std::mt19937 engine(4);
  const auto junk = [&] {
    static constexpr std::string_view likely = "@@:/.-%4011 eyJbaz-sk_Bearer";
    std::string text;
    for (auto n = engine() % 60; n != 0; --n)
      text += engine() % 2 == 0 ? likely[engine() % likely.size()] : static_cast<char>(engine());
    return text;
  };
  for (int i = 0; i < 3000; ++i) {
    fg::span_data span =
        with_attributes({{junk(), junk()}, {"n", static_cast<std::int64_t>(engine())}, {junk(), junk()}});
    span.name = junk();
    span.status = {fg::status_code::error, junk()};
    span.events = {{junk(), 1, {{junk(), std::vector<fg::attribute_value>{junk(), junk()}}}}};
    const fg::span_data out = redacted(by, span);
    CHECK(out.events.size() == 1);
    CHECK(out.attributes.size() <= 3);
  }
}
