// What is the same in all Zipkin spans of a resource and a scope, and which tag wins where two have one key.
//
// A Zipkin span has one flat list of tags. Into it go, and the later wins:
//   the resource's attributes without `service.name`, which is the local endpoint's
//   the scope's attributes
//   the span's attributes
//   what the mapping itself says: `otel.scope.name`, `otel.scope.version` and their deprecated forms
//   `otel.library.name`, `otel.library.version`; `otel.status_code` and `error`; `otel.dropped_attributes_count`,
//   `otel.dropped_events_count`, `otel.dropped_links_count`
//
// `error` and `otel.status_code` are never an attribute's: the specification forbids them without the status that they
// stand for, and Zipkin counts every span with an `error` as failed. The others are an attribute's where the mapping
// has nothing to say, as without a scope's version.
//
// The specification (trace/sdk_exporters/zipkin.md) leaves the resource open but for `service.name` and for
// `service.namespace`, which is a tag. OpenTelemetry's Go, Python and Collector exporters make tags of all of it; in
// the first two the resource wins over the span, in the Collector the span. Here the more specific wins.
#pragma once

#include <fulgurite/encoder/distinct_keys.hpp>
#include <fulgurite/encoder/json_writer.hpp>
#include <fulgurite/encoder/span_source.hpp>
#include <fulgurite/record/resource.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fulgurite {
inline namespace v1 {
namespace detail {

/// Who says something about a key; the higher wins.
enum zipkin_rank : std::uint8_t { tag_of_resource, tag_of_scope, tag_of_span, tag_of_mapping };

/// Keys that are never an attribute's.
inline constexpr std::string_view zipkin_status_tags[] = {"error", "otel.status_code"};
/// Keys that are the mapping's where it has a count.
inline constexpr std::string_view zipkin_dropped_tags[] = {"otel.dropped_attributes_count", "otel.dropped_events_count",
                                                           "otel.dropped_links_count"};

class zipkin_fixed_tags {
 public:
  struct tag {
    std::string key;
    std::string text;  // `,"key":"value"`
    zipkin_rank rank;
  };

  /// Either may be null.
  void describe(const resource* of, const instrumentation_scope* scope) {
    all_.clear();
    head_.clear();
    distinct_keys keys;
    std::vector<tag> tags;
    std::string service = "unknown_service";
    const auto take = [&](std::string_view key, auto const& value, zipkin_rank rank) {
      keys.add(key, rank);
      tags.push_back({to_utf8(key), tag_text(key, value), rank});
    };
    const std::vector<attribute> of_resource = of ? all_attributes(*of) : std::vector<attribute>();
    for (attribute const& a : of_resource) {
      const owned_value_view value(a.value);
      if (a.key != "service.name")
        take(a.key, value, tag_of_resource);
      else if (std::string text = value_text(value); !text.empty())
        service = std::move(text);
    }
    if (scope) {
      for (attribute const& a : scope->attributes) take(a.key, owned_value_view(a.value), tag_of_scope);
      const attribute_value name(scope->name), version(scope->version);
      const auto say = [&](std::string_view key, attribute_value const& value, bool given) {
        if (given) take(key, owned_value_view(value), tag_of_mapping);
      };
      for (const char* const key : {"otel.scope.name", "otel.library.name"}) say(key, name, !scope->name.empty());
      for (const char* const key : {"otel.scope.version", "otel.library.version"})
        say(key, version, !scope->version.empty());
    }
    for (std::string_view const key : zipkin_status_tags) keys.add(key, tag_of_mapping);
    keys.decide();
    for (std::size_t i = 0; i < tags.size(); ++i)
      if (keys.wins(i)) all_.push_back(std::move(tags[i]));

    std::string head = ",\"localEndpoint\":{\"serviceName\":\"" + service + "\"},\"tags\":";
    before_ = head.size();
    known_ = {};
    overlaps_counts_ = false;
    for (std::string_view const key : zipkin_status_tags) know(key);
    for (std::string_view const key : zipkin_dropped_tags) know(key);
    for (tag const& one : all_) {
      head += one.text;
      know(one.key);
      for (std::string_view const key : zipkin_dropped_tags) overlaps_counts_ = overlaps_counts_ || one.key == key;
    }
    head_ = std::move(head);
  }

  /// `,"localEndpoint":{…},"tags":` and the tags, each with a comma in front.
  std::string_view head() const noexcept { return head_; }
  /// How much of it stands before the tags.
  std::size_t before_tags() const noexcept { return before_; }
  std::span<const tag> all() const noexcept { return all_; }

  /// Whether an attribute of the span has a key that something else here says, or may say.
  [[gnu::always_inline]] bool clashes(std::string_view key) const noexcept {
    const std::uint8_t bit = hash(key);
    return (known_.words[bit / 64] >> bit % 64 & 1) != 0 && is_known(key);
  }
  /// Whether a tag of the resource or the scope is called like a count.
  bool overlaps_counts() const noexcept { return overlaps_counts_; }

 private:
  static std::string text_of(growing_bytes const& memory, const char* end) {
    return {static_cast<const char*>(text_begin(memory)), end};
  }
  template <class Value>
  static std::string tag_text(std::string_view key, Value const& value) {
    growing_bytes memory;
    char* out = write_literal(text_room(memory, text_begin(memory), json_slack + 8), ",");
    out = write_json_string<json_place::alone>(memory, out, key);
    out = write_value_text(memory, write_literal(text_room(memory, out, json_slack + 8), ":\""), value);
    *out++ = '"';
    return text_of(memory, out);
  }
  template <class Value>
  static std::string value_text(Value const& value) {
    growing_bytes memory;
    const char* const end = write_value_text(memory, text_room(memory, text_begin(memory), json_slack), value);
    return text_of(memory, end);
  }

  /// Tells almost all keys apart from the known ones.
  [[gnu::always_inline]] static std::uint8_t hash(std::string_view key) noexcept {
    if (key.empty()) return 0;
    const std::size_t mixed = key.size() * 37 + static_cast<unsigned char>(key.back()) * std::size_t{11} +
                              static_cast<unsigned char>(key[key.size() / 2]) * std::size_t{29};
    return static_cast<std::uint8_t>(mixed);
  }
  void know(std::string_view key) noexcept { known_.words[hash(key) / 64] |= std::uint64_t{1} << hash(key) % 64; }
  [[gnu::noinline]] bool is_known(std::string_view key) const noexcept {
    for (std::string_view const own : zipkin_status_tags)
      if (own == key) return true;
    for (std::string_view const own : zipkin_dropped_tags)
      if (own == key) return true;
    for (tag const& one : all_)
      if (one.key == key) return true;
    return false;
  }

  struct filter {
    std::uint64_t words[4] = {};
  };
  std::vector<tag> all_;
  std::string head_;
  std::size_t before_ = 0;
  filter known_;
  bool overlaps_counts_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace fulgurite
