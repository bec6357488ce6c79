// W3C Trace Context, level 2: the fields `traceparent` and `tracestate`.
//
// traceparent is `00-<32 digits of the trace id>-<16 digits of the span id>-<2 digits of flags>`, all lower case. A
// malformed one is ignored together with the tracestate beside it; a malformed tracestate is ignored by itself.
#pragma once

#include <fulgurite/context/context.hpp>
#include <fulgurite/text/fast_hex.hpp>
#include <fulgurite/text/hex.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fulgurite {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t traceparent_size = 55;

/// Two lower-case digits; 256 when they are none.
constexpr unsigned read_2_digits(const char* text) noexcept {
  unsigned value = 0;
  for (int i = 0; i < 2; ++i) {
    const char c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return 256;
    value = value << 4 | hex_digit(c);
  }
  return value;
}

struct traceparent {
  fulgurite::trace_id trace;
  fulgurite::span_id span;
  trace_flags flags;
};

/// Level 2, 3.2. None for anything malformed, for zero ids and for version ff. A later version may carry more after
/// another hyphen; of it, what version 00 knows is read (3.2.4).
inline std::optional<traceparent> read_traceparent(std::string_view text) noexcept {
  text = trimmed(text);
  if (text.size() < traceparent_size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const unsigned version = read_2_digits(text.data());
  const unsigned flags = read_2_digits(text.data() + 53);
  if (version >= 0xff || flags > 0xff) return std::nullopt;
  if (text.size() > traceparent_size) {
    // A comma in the rest means that the header was there twice (carrier.hpp).
    if (version == 0 || text[traceparent_size] != '-' || text.find(',') != std::string_view::npos) return std::nullopt;
  }
  std::uint64_t bad = 0;
  const std::uint64_t high = read_16_digits(text.data() + 3, bad), low = read_16_digits(text.data() + 19, bad);
  const std::uint64_t one = read_16_digits(text.data() + 36, bad);
  if (bad != 0 || (high | low) == 0 || one == 0) return std::nullopt;
  constexpr unsigned known = trace_flags::sampled_bit | trace_flags::random_bit;
  return traceparent{trace_id::from_numbers(high, low), span_id::from_number(one),
                     trace_flags(static_cast<std::uint8_t>(flags & known))};
}

inline void write_traceparent(span_context const& one, char (&out)[traceparent_size]) noexcept {
  out[0] = out[1] = '0';
  out[2] = out[35] = out[52] = '-';
  write_16_digits(one.trace_id().high(), out + 3);
  write_16_digits(one.trace_id().low(), out + 19);
  write_16_digits(one.span_id().number(), out + 36);
  out[53] = '0';
  out[54] = static_cast<char>('0' + (one.flags().bits() & (trace_flags::sampled_bit | trace_flags::random_bit)));
}

}  // namespace detail

/// W3C Trace Context: the headers `traceparent` and `tracestate`.
class trace_context_propagator {
 public:
  /// A longer trace state loses members: what follows must fit into the 8 KiB that servers commonly take as header.
  /// The specification asks for at least 512.
  static constexpr std::size_t max_tracestate_size = 4096;

  /// Nothing when the context has no valid span.
  template <class Setter>
  void inject(context const& from, Setter&& setter) const {
    span_context const& one = from.span();
    if (!one.is_valid()) return;
    char parent[detail::traceparent_size];
    detail::write_traceparent(one, parent);
    setter(std::string_view("traceparent"), std::string_view(parent, sizeof parent));
    trace_state const& state = one.trace_state();
    if (state.empty()) return;
    if (state.to_header().size() <= max_tracestate_size) [[likely]]
      setter(std::string_view("tracestate"), std::string_view(state.to_header()));
    else
      setter(std::string_view("tracestate"), std::string_view(state.shortened(max_tracestate_size).to_header()));
  }

  template <class Getter>
  context extract(Getter&& getter) const {
    return context(extract_span(getter));
  }

  /// The remote span; an invalid one when there is no well-formed traceparent.
  template <class Getter>
  span_context extract_span(Getter&& getter) const {
    const std::optional<std::string_view> text = getter(std::string_view("traceparent"));
    if (!text) return {};
    const std::optional<detail::traceparent> parent = detail::read_traceparent(*text);
    if (!parent) return {};
    const std::optional<std::string_view> state = getter(std::string_view("tracestate"));
    return span_context(parent->trace, parent->span, parent->flags, true,
                        state ? trace_state::from_header(*state) : trace_state());
  }

  static constexpr std::array<std::string_view, 2> fields() noexcept { return {"traceparent", "tracestate"}; }
};

}  // namespace v1
}  // namespace fulgurite
