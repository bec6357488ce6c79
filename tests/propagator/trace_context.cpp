#include <fulgurite/propagator/propagator.hpp>
#include <fulgurite/propagator/trace_context.hpp>

#include "fields.hpp"

#include <doctest/doctest.h>

namespace fg = fulgurite;
using fg::trace_context_propagator;

static_assert(fg::check_propagator<trace_context_propagator>());

namespace {

constexpr const char* trace_digits = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr const char* span_digits = "00f067aa0ba902b7";
const std::string ids = std::string(trace_digits) + "-" + span_digits;

fg::span_context read(field_list const& fields) { return extracted(trace_context_propagator(), fields).span(); }
fg::span_context read(std::string const& traceparent) { return read({{"traceparent", traceparent}}); }

/// A text in which one character is another.
std::string with(std::string text, std::size_t place, char c) {
  text[place] = c;
  return text;
}

}  // namespace

TEST_CASE("traceparent of version 00 is read") {
  const fg::span_context span = read("00-" + ids + "-01");
  CHECK(span.is_valid());
  CHECK(span.is_remote());
  CHECK(span.trace_id().to_hex() == trace_digits);
  CHECK(span.span_id().to_hex() == span_digits);
  CHECK(span.sampled());
  CHECK(span.trace_state().empty());
}

TEST_CASE("header names are compared without case, values may have blanks around them") {
  for (const char* name : {"traceparent", "Traceparent", "TRACEPARENT", "TraceParent"})
    CHECK(read(field_list{{name, "00-" + ids + "-01"}}).is_valid());
  for (const char* name : {"trace-parent", "trace.parent", "traceparent "})
    CHECK_FALSE(read(field_list{{name, "00-" + ids + "-01"}}).is_valid());
  CHECK(read(" 00-" + ids + "-01").is_valid());
  CHECK(read("\t 00-" + ids + "-01 \t ").is_valid());
  for (const char* space : {"\n", "\r", "\v", "\f", "\xc2\xa0"}) {
    CHECK_FALSE(read(space + ("00-" + ids + "-01")).is_valid());
    CHECK_FALSE(read("00-" + ids + "-01" + space).is_valid());
  }
}

TEST_CASE("every character of traceparent but digits in lower case and hyphens in their places makes it invalid") {
  const std::string good = "00-" + ids + "-01";
  REQUIRE(good.size() == 55);
  for (std::size_t place = 0; place < good.size(); ++place)
    for (int c = 0; c < 256; ++c) {
      const std::string text = with(good, place, static_cast<char>(c));
      const bool hyphen = place == 2 || place == 35 || place == 52;
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      CAPTURE(text);
      REQUIRE(read(text).is_valid() == (hyphen ? c == '-' : digit));
    }
}

TEST_CASE("upper case is invalid") {
  CHECK_FALSE(read("00-" + with(ids, 1, 'B') + "-01").is_valid());
  CHECK_FALSE(read("00-" + with(ids, 38, 'F') + "-01").is_valid());
  CHECK_FALSE(read("00-" + ids + "-0A").is_valid());
  CHECK_FALSE(read("0A-" + ids + "-01").is_valid());
}

TEST_CASE("zero ids are invalid") {
  CHECK_FALSE(read("00-00000000000000000000000000000000-00f067aa0ba902b7-01").is_valid());
  CHECK_FALSE(read("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01").is_valid());
  CHECK(read("00-00000000000000000000000000000001-0000000000000001-01").is_valid());
  CHECK(read("00-10000000000000000000000000000000-1000000000000000-01").is_valid());
}

TEST_CASE("every length but 55 is invalid in version 00") {
  const std::string good = "00-" + ids + "-01";
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(read(good.substr(0, size)).is_valid());
  }
  for (const char* more : {"0", "-", "-00", "-extra", ".", "1", " x", ","}) CHECK_FALSE(read(good + more).is_valid());
  CHECK_FALSE(read("00-4bf92f3577b34da6a3ce929d0e0e47-00f067aa0ba902b7-01").is_valid());
  CHECK_FALSE(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902-01").is_valid());
  CHECK_FALSE(read("0-" + ids + "-01").is_valid());
  CHECK_FALSE(read("000-" + ids + "-01").is_valid());
  CHECK_FALSE(read("00-" + ids + "-1").is_valid());
}

TEST_CASE("version ff is invalid") {
  CHECK_FALSE(read("ff-" + ids + "-01").is_valid());
  CHECK_FALSE(read("ff-" + ids + "-01-more").is_valid());
  CHECK(read("fe-" + ids + "-01").is_valid());
}

TEST_CASE("of a later version what is known is read, and written back as version 00") {
  for (const char* more : {"", "-", "-what-the-future-will-be-like", "-\x01"}) {
    for (const char* version : {"01", "cc", "fe"}) {
      const std::string text = std::string(version) + "-" + ids + "-01" + more;
      CAPTURE(text);
      const fg::context context = extracted(trace_context_propagator(), {{"traceparent", text}});
      CHECK(context.span().is_valid());
      CHECK(injected(trace_context_propagator(), context) == field_list{{"traceparent", "00-" + ids + "-01"}});
    }
  }
  for (const char* more : {".", "0", "01", "x-", ",", "_"}) CHECK_FALSE(read("cc-" + ids + "-01" + more).is_valid());
  CHECK_FALSE(read("cc-" + ids).is_valid());
  CHECK_FALSE(read("cc-" + ids + "-0").is_valid());
}

TEST_CASE("flags are bits; only sampled and random are kept and written") {
  for (unsigned bits = 0; bits < 256; ++bits) {
    const std::string digits{"0123456789abcdef"[bits >> 4], "0123456789abcdef"[bits & 15]};
    const fg::context context = extracted(trace_context_propagator(), {{"traceparent", "00-" + ids + "-" + digits}});
    CAPTURE(digits);
    REQUIRE(context.span().is_valid());
    CHECK(context.span().sampled() == ((bits & 1) != 0));
    CHECK(context.span().flags().random() == ((bits & 2) != 0));
    CHECK(context.span().flags().bits() == (bits & 3));
    CHECK(injected(trace_context_propagator(), context).front().second ==
          "00-" + ids + "-0" + std::to_string(bits & 3));
  }
  const fg::span_context local(fg::trace_id::from_hex(trace_digits), fg::span_id::from_hex(span_digits),
                               fg::trace_flags(0xff));
  CHECK(injected(trace_context_propagator(), fg::context(local)).front().second == "00-" + ids + "-03");
}

TEST_CASE("traceparent given twice is invalid, even when both are the same") {
  const std::string good = "00-" + ids + "-01";
  CHECK_FALSE(read(field_list{{"traceparent", good}, {"traceparent", good}}).is_valid());
  CHECK_FALSE(read(field_list{{"traceparent", good}, {"TraceParent", good}, {"tracestate", "a=1"}}).is_valid());
  CHECK_FALSE(read(good + "," + good).is_valid());
  CHECK_FALSE(read(field_list{{"traceparent", ""}, {"traceparent", good}}).is_valid());
}

TEST_CASE("a later version given twice is invalid, whatever follows its flags") {
  const std::string later = "cc-" + ids + "-01";
  CHECK_FALSE(read(field_list{{"traceparent", later}, {"traceparent", later}}).is_valid());
  CHECK_FALSE(read(field_list{{"traceparent", later + "-x"}, {"traceparent", later + "-x"}}).is_valid());
}

TEST_CASE("tracestate is not read without a valid traceparent") {
  bool asked = false;
  const auto getter = [&](std::string_view key) -> std::optional<std::string_view> {
    if (key == "tracestate") asked = true;
    if (key == "traceparent") return "ff-nonsense";
    return "a=1";
  };
  const fg::context context = trace_context_propagator().extract(getter);
  CHECK_FALSE(asked);
  CHECK_FALSE(context.span().is_valid());
  CHECK(context.span().trace_state().empty());
  CHECK_FALSE(context.span().is_remote());
}

TEST_CASE("several tracestate headers are joined in order, a malformed one is dropped whole and alone") {
  const std::string good = "00-" + ids + "-01";
  fg::span_context span = read({{"traceparent", good}, {"tracestate", "a=1"}, {"x", "y"}, {"TraceState", " b=2 ,c=3"}});
  CHECK(span.trace_state().to_header() == "a=1,b=2,c=3");
  span = read({{"traceparent", good}, {"tracestate", "a=1"}, {"tracestate", ""}, {"tracestate", "b=2"}});
  CHECK(span.trace_state().to_header() == "a=1,b=2");
  span = read({{"traceparent", good}, {"tracestate", "a=1"}, {"tracestate", "B=2"}});
  CHECK(span.is_valid());
  CHECK(span.trace_state().empty());
}

TEST_CASE("nothing is written for an invalid span") {
  CHECK(injected(trace_context_propagator(), fg::context()).empty());
  const auto state = fg::trace_state::from_header("a=1");
  const fg::span_context half(fg::trace_id::from_hex(trace_digits), {}, {}, true, state);
  CHECK(injected(trace_context_propagator(), fg::context(half)).empty());
}

TEST_CASE("names are written in lower case, tracestate only when there is one") {
  const field_list fields{{"traceparent", "00-" + ids + "-03"}, {"tracestate", "a=1,b= 2"}};
  CHECK(injected(trace_context_propagator(), extracted(trace_context_propagator(), fields)) == fields);
}

TEST_CASE("a long tracestate is passed on, a very long one loses whole members") {
  std::string text;
  const auto member = [](char c) { return std::string(1, c) + "=" + std::string(126, c); };  // 128 characters
  for (char c = 'a'; c < 'a' + 26; ++c) text += (text.empty() ? "" : ",") + member(c);
  REQUIRE(text.size() > 512);
  REQUIRE(text.size() <= trace_context_propagator::max_tracestate_size);
  const std::string parent = "00-" + ids + "-01";
  fg::context context = extracted(trace_context_propagator(), {{"traceparent", parent}, {"tracestate", text}});
  CHECK(injected(trace_context_propagator(), context).back().second == text);

  const std::string very_long = text + "," + std::string(256, 'l') + "=" + std::string(256, 'l') + "," +
                                std::string(256, 'm') + "=" + std::string(256, 'm') + ",last=1";
  REQUIRE(very_long.size() > trace_context_propagator::max_tracestate_size);
  context = extracted(trace_context_propagator(), {{"traceparent", parent}, {"tracestate", very_long}});
  CHECK(context.span().trace_state().to_header() == very_long);
  CHECK(injected(trace_context_propagator(), context).back().second ==
        text + "," + std::string(256, 'l') + "=" + std::string(256, 'l') + ",last=1");
}

TEST_CASE("the fields are named") {
  const auto fields = trace_context_propagator::fields();
  CHECK(fields.size() == 2);
  CHECK(fields[0] == "traceparent");
  CHECK(fields[1] == "tracestate");
}
